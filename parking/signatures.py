"""Signatures between the city and its meters, both ways. Pure: no clock, database, network.

`X-Key-Id`, `X-Timestamp` (whole seconds since 1970), `X-Nonce` and `X-Signature: v1=<hex>`, the
HMAC-SHA256 of method, path (without the query), timestamp, nonce and the body's hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

SKEW_S = 300  # a message this much off our clock is refused
NONCE_S = 600  # a nonce is remembered this long: twice the skew, so that no replay slips between
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NONCE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECONDS = re.compile(r"\d{1,12}")


@dataclass(frozen=True)
class Key:
    """A shared secret of one meter."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Signed:
    """Who signed a message, when by their clock, and the word that makes it unique."""

    key_id: str
    timestamp: int
    nonce: str


class SignatureRefused(Exception):
    """The signature does not hold; `code` is `bad_signature`, `clock_skew` or `replay`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def new_nonce() -> str:
    """Return a word that no other message has."""
    return secrets.token_urlsafe(16)


def sign(
    *, key: Key, method: str, path: str, body: bytes, timestamp: int, nonce: str
) -> dict[str, str]:
    """Return the four headers that sign a message."""
    return {
        "X-Key-Id": key.key_id,
        "X-Timestamp": str(timestamp),
        "X-Nonce": nonce,
        "X-Signature": _signature(key, method, path, body, str(timestamp), nonce),
    }


def verify(
    *,
    header: Callable[[str], str | None],
    method: str,
    path: str,
    body: bytes,
    key_of: Callable[[str], Key | None],
    now: float,
    skew_s: float = SKEW_S,
) -> Signed:
    """Return who signed the message; the caller then refuses a nonce that was seen before.

    `now` is seconds since 1970.

    Raises:
        SignatureRefused: `bad_signature` for anything that a key holder would not send,
            `clock_skew` for a true signature with a time that is too far off.
    """
    key_id, timestamp = header("X-Key-Id") or "", header("X-Timestamp") or ""
    nonce, claimed = header("X-Nonce") or "", header("X-Signature") or ""
    if not (_TOKEN.fullmatch(key_id) and _SECONDS.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
        raise SignatureRefused("bad_signature", "a signature header is missing or misspelt")
    key = key_of(key_id)
    # An unknown key costs the same time as a wrong signature and is answered alike.
    expected = _signature(key or Key("", b"-"), method, path, body, timestamp, nonce)
    if not hmac.compare_digest(expected.encode(), claimed.encode()) or key is None:
        raise SignatureRefused("bad_signature", "the signature does not fit the message")
    if abs(now - int(timestamp)) > skew_s:
        raise SignatureRefused("clock_skew", f"more than {skew_s:g} s off")
    return Signed(key_id, int(timestamp), nonce)


def _signature(key: Key, method: str, path: str, body: bytes, timestamp: str, nonce: str) -> str:
    digest = hashlib.sha256(body).hexdigest()
    text = f"v1\n{method}\n{path}\n{timestamp}\n{nonce}\n{digest}"
    return "v1=" + hmac.new(key.secret, text.encode(), hashlib.sha256).hexdigest()


class NonceMemory:
    """The nonces of the last ten minutes, in this process; the oldest go first when it is full."""

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def first_use(self, signed: Signed, now: float) -> bool:
        """Remember the nonce; False when it was there already. `now` in seconds, rising."""
        while self._seen and (
            len(self._seen) > self._size or next(iter(self._seen.values())) <= now - NONCE_S
        ):
            self._seen.popitem(last=False)
        word = (signed.key_id, signed.nonce)
        if word in self._seen:
            return False
        self._seen[word] = now
        return True
