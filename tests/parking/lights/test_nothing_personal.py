"""Whatever goes to a meter or comes from one says of a booking its reference, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from parking import booking, courier, lights, locking, meter_mqtt, tasks
from parking.management.commands.simulate_meters import meters as specs
from parking.models import Meter, MeterCommand, Slot
from parking.simulator.http import Request, Response
from tests import cast
from tests.parking.broker import Broker, MqttMeter
from tests.parking.street import RunningStreet, a_street_meter, eventually, lamp, shows

pytestmark = pytest.mark.django_db(transaction=True)

PLATE, MAIL, NAME, FAMILY = "XYZ987", "ada@example.org", "Adalovelace", "Byronking"


def overhear(street: RunningStreet) -> list[bytes]:
    """Keep every request to the street and from it, with headers, and every answer."""
    heard: list[bytes] = []
    handler = street._server._handler

    async def listening(request: Request) -> Response:
        heard.append(f"{request.raw_path} {request.query} {request.headers}".encode())
        heard.append(request.body)
        answer = await handler(request)
        heard.append(answer.body)
        return answer

    async def asked(request: httpx.Request) -> None:
        heard.append(f"{request.url} {dict(request.headers)}".encode() + request.content)

    async def answered(answer: httpx.Response) -> None:
        heard.append(f"{dict(answer.headers)}".encode() + await answer.aread())

    street._server._handler = listening
    street.street.reporter._http.event_hooks = {"request": [asked], "response": [answered]}
    return heard


def a_journey(meter: Meter) -> Slot:
    """Let somebody with an account book, pay, go elsewhere and back out, on a meter."""
    now = timezone.now()
    person = cast.a_person(f"user-{meter.serial.lower()}", first_name=NAME, last_name=FAMILY)
    start = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    held = cast.a_hold(
        lamp(meter, 1), start, 60, plate=PLATE, email=MAIL, user=person, language="fa", now=now
    )
    with transaction.atomic():
        booking.confirm(slot=locking.lock_slot(held.pk), now=now, actor=f"user:{person.pk}")
    tasks.ship_command(meter.pk)
    eventually(lambda: shows(meter, 1, "green steady"), within=20)
    later = cast.a_hold(
        lamp(meter, 2), start + timedelta(hours=3), 60, plate=PLATE, email=MAIL, user=person,
        now=now,
    )  # fmt: skip
    with transaction.atomic():
        booking.confirm(slot=locking.lock_slot(later.pk), now=now, actor="processor")
    tasks.ship_command(meter.pk)
    with transaction.atomic():
        booking.cancel(slot=locking.lock_slot(held.pk), now=now, actor="citizen", reason="by Ada")
    tasks.ship_command(meter.pk)
    eventually(lambda: shows(meter, 1, "off none"), within=20)
    return held


def test_no_message_over_http_or_mqtt_names_anybody(
    street: RunningStreet,
    broker: Broker,
    ear: Path,
    settings: Any,
) -> None:
    settings.METER_MQTT_URL = broker.url
    courier.start(meter_mqtt._let_go()).result(5)
    zone = cast.a_zone()
    called = a_street_meter(zone, "MTR-000001")
    asking = a_street_meter(zone, "MTR-000002", edge_url="")
    radio = a_street_meter(zone, "MTR-000003", edge_url="mqtt")
    heard = overhear(street)
    lights.look(now=timezone.now())
    street.put_up(spec for spec in specs(10) if spec.serial != radio.serial)
    tasks.ship_due()
    device = MqttMeter(broker, radio.serial).start()
    try:
        held = [a_journey(meter) for meter in (called, asking, radio)]
    finally:
        device.stop()
        courier.start(meter_mqtt._let_go()).result(5)
    for name, body, headers, _expiry in device.seen:
        heard.append(f"{name} {headers}".encode() + body)
    heard += [str(body).encode() for body in MeterCommand.objects.values_list("body", flat=True)]

    everything = b"\n".join(heard)
    assert len(device.seen) > 6
    for slot in held:
        assert slot.booking.reference.encode() in everything  # it is what one listens to
        for secret in (slot.booking.access_key, slot.booking.user.username):
            assert secret.encode() not in everything
    for personal in (PLATE, MAIL, NAME, FAMILY, "by Ada"):
        assert personal.encode() not in everything, personal
        assert personal.lower().encode() not in everything.lower(), personal
