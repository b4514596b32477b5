"""The shared secrets of the meters: made, read, rotated, and kept encrypted.

The key of keys is derived from METER_KEYS_SECRET: the database alone opens no meter.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from parking.models import Meter, MeterKey
from parking.signatures import Key

SECRET_BYTES = 32


class KeyUnreadable(Exception):
    """A secret was encrypted under another METER_KEYS_SECRET."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"key {key_id} was encrypted under another METER_KEYS_SECRET")


def create_keys(meter_ids: Iterable[int]) -> list[MeterKey]:
    """Give each meter a new key; those that it has stay valid."""
    box = _box(settings.METER_KEYS_SECRET)
    return MeterKey.objects.bulk_create(
        MeterKey(
            meter_id=meter_id,
            key_id=f"mk_{secrets.token_hex(8)}",
            secret=box.encrypt(secrets.token_bytes(SECRET_BYTES)),
        )
        for meter_id in meter_ids
    )


def rotate(*, meter_id: int, now: datetime) -> MeterKey:
    """Give the meter a new key; the one before stays valid, all older ones end."""
    with transaction.atomic():
        Meter.objects.select_for_update(no_key=True).get(id=meter_id)
        valid = MeterKey.objects.filter(meter_id=meter_id, retired_at__isnull=True)
        valid.exclude(id__in=valid.order_by("-id").values("id")[:1]).update(retired_at=now)
        return create_keys([meter_id])[0]


def keys_of(meter_id: int) -> list[Key]:
    """Return the meter's valid keys, the newest first.

    Raises:
        KeyUnreadable: see there.
    """
    rows = MeterKey.objects.filter(meter_id=meter_id, retired_at__isnull=True).order_by("-id")
    return [key_from_row(row) for row in rows]


def keys_of_all(meter_ids: Collection[int]) -> dict[int, list[Key]]:
    """Return the valid keys of each of the meters, the newest first, in one query.

    Raises:
        KeyUnreadable: see there.
    """
    keys: dict[int, list[Key]] = {meter_id: [] for meter_id in meter_ids}
    rows = MeterKey.objects.filter(meter_id__in=meter_ids, retired_at__isnull=True)
    for row in rows.order_by("-id"):
        keys[row.meter_id].append(key_from_row(row))
    return keys


def key_named(key_id: str) -> Key | None:
    """Return a valid key by its name.

    Raises:
        KeyUnreadable: see there.
    """
    row = MeterKey.objects.filter(key_id=key_id, retired_at__isnull=True).first()
    return None if row is None else key_from_row(row)


def key_from_row(row: MeterKey) -> Key:
    """Decrypt one key.

    Raises:
        KeyUnreadable: see there.
    """
    return opened(row.key_id, bytes(row.secret))


def opened(key_id: str, secret: bytes) -> Key:
    """Return the key of that name, whose secret is stored encrypted.

    Raises:
        KeyUnreadable: see there.
    """
    try:
        return Key(key_id, _box(settings.METER_KEYS_SECRET).decrypt(secret))
    except InvalidToken as error:
        raise KeyUnreadable(key_id) from error


@lru_cache(maxsize=4)
def _box(secret: str) -> Fernet:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"curblight meter keys")
    return Fernet(base64.urlsafe_b64encode(derive.derive(secret.encode())))
