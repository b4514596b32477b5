"""How the demo's meters are reached: most are called, some wait on the line or use a broker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from config.demo.build import GATEWAY
from parking import lights, meter_mqtt
from parking.models import Meter

POLLING, BROKER = "", meter_mqtt.ADDRESS


def share_out(*, shares: Mapping[str, int], now: datetime) -> int:
    """Give so many percent of the meters each way, where none has it yet; 0 takes it from all.

    Return how many were changed. Each of them gets its plan anew.
    """
    changed = 0
    for way, percent in shares.items():
        having = Meter.objects.filter(edge_url=way)
        if not percent:
            ids, way = list(having.values_list("id", flat=True)), GATEWAY
        elif having.exists():
            continue
        else:
            called = Meter.objects.filter(edge_url=GATEWAY).order_by("serial")
            ids = list(called.values_list("id", flat=True))[:: max(1, 100 // percent)]
        Meter.objects.filter(id__in=ids).update(edge_url=way)
        for meter_id in ids:
            lights.send_again(meter_id=meter_id, now=now)
        changed += len(ids)
    return changed
