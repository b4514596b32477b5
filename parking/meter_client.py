"""How a meter is called over HTTP: one signed call, bounded in time and size.

Runs in the event loop of `courier`, many calls at once.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from parking.http_pools import ManyPools
from parking.meter_protocol import parse_stamp, plan_path
from parking.signatures import Key, new_nonce, sign

CONNECT_S, READ_S, TOTAL_S = 2.0, 4.0, 8.0
POOLS = 16  # of connections that are kept
UNREACHABLE = "unreachable"  # nobody answered: the only failure that may be the network's
LARGEST_ANSWER = 65_536  # bytes
LONGEST_RETRY_AFTER_S = 3600.0


class Answer(Enum):
    """What a meter says to a plan that it takes."""

    APPLIED = "applied"
    ACCEPTED = "accepted"


class MeterError(Exception):
    """The meter did not take the plan. `retryable` says whether trying again helps.

    `code` is the protocol's word for it, or `unreachable`, `forbidden_address`, `no_key`.
    """

    def __init__(
        self, code: str, detail: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.retryable, self.retry_after = code, retryable, retry_after


# The protocol's table: what a status means, and whether trying the same again helps.
_MEANINGS = {
    400: ("malformed", False),
    401: ("bad_signature", False),
    403: ("not_yours", False),
    404: ("unknown_meter", False),
    409: ("stale_revision", False),
    410: ("expired", False),
    422: ("malformed", False),
    423: ("maintenance", False),
    424: ("light_fault", False),
    429: ("busy", True),
}


async def put_plan(
    *, edge_url: str, serial: str, message: dict[str, Any], keys: Sequence[Key], now: float
) -> Answer:
    """Give a meter its plan; `keys` are its valid ones, the newest first, `now` seconds since 1970.

    A refused signature is mended once: the meter's own time for a clock that is off, the other
    key while one is rotated, a new nonce for a replay.

    Raises:
        MeterError: see there.
    """
    if not keys:
        raise MeterError("no_key", f"meter {serial} has no key", retryable=False)
    target = await _target(edge_url, plan_path(serial))
    body = json.dumps(message, separators=(",", ":")).encode()
    status, headers, answer = await _put(target, body, keys[0], now)
    if status == 401:
        key, at = _mended(answer, keys, now)
        status, headers, answer = await _put(target, body, key, at)
    if status == 200:
        return Answer.APPLIED
    if status == 202:
        return Answer.ACCEPTED
    detail = f"{status} {str(answer.get('detail') or answer.get('title') or '')[:120]}".strip()
    code, retryable = _MEANINGS.get(status, ("unavailable", status >= 500))
    if status == 401:
        code = str(answer.get("code", code))[:32]
    raise MeterError(code, detail, retryable=retryable, retry_after=_retry_after(headers))


class _Target:
    """Where a call goes: to an address that was checked, under the name that was asked for."""

    def __init__(self, *, scheme: str, host: str, port: int, address: str, path: str) -> None:
        literal = f"[{address}]" if ":" in address else address
        self.url = f"{scheme}://{literal}:{port}{path}"
        self.path = path
        name = f"[{host}]" if ":" in host else host
        self.host_header = f"{name}:{port}"
        self.extensions = {"sni_hostname": host} if scheme == "https" else {}


async def _target(edge_url: str, path: str) -> _Target:
    """Resolve and check a device address.

    The connection then goes to the very address that was checked: a name that resolves
    differently the next moment opens no door.
    """
    base = settings.METER_GATEWAY_URL if edge_url == "gateway" else edge_url
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise MeterError("forbidden_address", f"{base}: {error}", retryable=False) from error
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query:
        raise MeterError("forbidden_address", f"{base} is no http address", retryable=False)
    try:
        addresses = await _resolve(host, port)
    except OSError as error:
        raise MeterError(UNREACHABLE, f"{host}: {error}", retryable=True) from error
    networks = _networks(tuple(settings.METER_ALLOWED_NETWORKS))
    for address in addresses:
        if not any(address in network for network in networks):
            raise MeterError(
                "forbidden_address",
                f"{host} is {address}, outside METER_ALLOWED_NETWORKS",
                retryable=False,
            )
    return _Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        address=str(addresses[0]),
        path=parts.path.rstrip("/") + path,
    )


async def _resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(ValueError):
        return [ipaddress.ip_address(host)]  # no thread for what is an address already
    found = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


@cache
def _networks(
    texts: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


async def _put(
    target: _Target, body: bytes, key: Key, at: float
) -> tuple[int, httpx.Headers, dict[str, Any]]:
    """Send once; return status, headers and the JSON object of the answer, empty if it is none."""
    headers = {
        "Host": target.host_header,
        "Content-Type": "application/json",
        **sign(
            key=key,
            method="PUT",
            path=target.path,
            body=body,
            timestamp=int(at),
            nonce=new_nonce(),
        ),
    }
    received = bytearray()
    try:
        async with (
            asyncio.timeout(TOTAL_S),
            _http().stream(
                "PUT", target.url, content=body, headers=headers, extensions=target.extensions
            ) as response,
        ):
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > LARGEST_ANSWER:
                    raise MeterError("unavailable", "the answer is too long", retryable=True)
    except TimeoutError as error:
        raise MeterError(UNREACHABLE, "the answer takes too long", retryable=True) from error
    except httpx.HTTPError as error:
        detail = f"{type(error).__name__} {error}".strip()
        raise MeterError(UNREACHABLE, detail, retryable=True) from error
    try:
        answer = json.loads(received)
    except ValueError:
        answer = {}
    return response.status_code, response.headers, answer if isinstance(answer, dict) else {}


def _mended(answer: dict[str, Any], keys: Sequence[Key], now: float) -> tuple[Key, float]:
    """Return the key and the time to sign with after a 401."""
    code = answer.get("code")
    if code == "clock_skew":
        try:
            return keys[0], parse_stamp(answer.get("time")).timestamp()
        except ValueError:
            return keys[0], now
    if code == "replay":
        return keys[0], now
    return keys[-1], now


def _retry_after(headers: httpx.Headers) -> float | None:
    """Return the wait that the meter asks for, in seconds; a date is not worth a parser here."""
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER_S) if text.isascii() and text.isdigit() else None


@cache
def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        # How many are called at once is for whoever calls.
        transport=ManyPools(
            POOLS, limits=httpx.Limits(max_connections=None, max_keepalive_connections=8)
        ),
        follow_redirects=False,
        trust_env=False,  # a proxy would go round the check of the address
    )
