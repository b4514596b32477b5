"""Who speaks: the one check that every message of a meter passes, however it came."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from parking import meter_keys, nonces, prepared
from parking.signatures import SKEW_S, Key, SignatureRefused, Signed, verify


class OutOfUse(Exception):
    """The meter is known, and out of use."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A meter whose signature held; `plan_revision` is the one that it should have."""

    meter_id: int
    serial: str
    plan_revision: int
    key: Key
    signed: Signed


# By hand: every message of every meter asks this.
_CALLER = """
SELECT key.secret, meter.id, meter.serial, meter.plan_revision, meter.is_active
FROM parking_meterkey key JOIN parking_meter meter ON meter.id = key.meter_id
WHERE key.key_id = %(key_id)s AND key.retired_at IS NULL
"""


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
    found: list[tuple[Key, int, str, int, bool]] = []

    def key_of(key_id: str) -> Key | None:
        row = prepared.fetch_one(_CALLER, {"key_id": key_id})
        if row is None:
            return None
        secret, *meter = row
        key = meter_keys.opened(key_id, secret)
        found.append((key, *meter))
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
    key, meter_id, serial, plan_revision, is_active = found[0]
    if not is_active:
        raise OutOfUse
    return Caller(
        meter_id=meter_id, serial=serial, plan_revision=plan_revision, key=key, signed=signed
    )
