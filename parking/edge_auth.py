"""Who speaks: the one check that every message of a meter passes, however it came."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from parking import meter_keys, nonces
from parking.models import Meter, MeterKey
from parking.signatures import SKEW_S, Key, SignatureRefused, Signed, verify


class OutOfUse(Exception):
    """The meter is known, and out of use."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A meter whose signature held."""

    meter: Meter
    key: Key
    signed: Signed


def authenticate(
    *,
    header: Callable[[str], str | None],
    method: str,
    path: str,
    body: bytes,
    now: datetime,
    any_time: bool = False,
) -> Caller:
    """Return the meter that signed a message, once for each.

    Raises:
        SignatureRefused: see there; `replay` for a message that came before.
        OutOfUse: see there.
        meter_keys.KeyUnreadable: see there.
    """
    found: list[tuple[MeterKey, Key]] = []

    def key_of(key_id: str) -> Key | None:
        row = (
            MeterKey.objects.select_related("meter")
            .filter(key_id=key_id, retired_at__isnull=True)
            .first()
        )
        if row is None:
            return None
        key = meter_keys.key_from_row(row)
        found.append((row, key))
        return key

    seconds = now.timestamp()
    signed = verify(
        header=header,
        method=method,
        path=path,
        body=body,
        key_of=key_of,
        now=seconds,
        skew_s=math.inf if any_time else SKEW_S,
    )
    if not nonces.first_use(signed, now=seconds):
        raise SignatureRefused("replay", "this nonce was used before")
    row, key = found[0]
    if not row.meter.is_active:
        raise OutOfUse
    return Caller(meter=row.meter, key=key, signed=signed)
