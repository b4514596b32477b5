"""Has this signed message come before? Redis remembers for all processes of the site.

While Redis is away each process remembers on its own. That refuses nothing wrongly, and what
slips through does no harm: acknowledgements and events are kept once, and a state that is not
newer than the last one of its boot is dropped (`lights.reported`).
"""

from __future__ import annotations

import logging
from functools import cache
from threading import Lock

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from parking.signatures import NONCE_S, NonceMemory, Signed

logger = logging.getLogger(__name__)

_memory = NonceMemory()
_memory_lock = Lock()


def first_use(signed: Signed, *, now: float) -> bool:
    """Remember the nonce for ten minutes; False when it was used before. `now` in seconds."""
    with _memory_lock:
        fresh = _memory.first_use(signed, now)
    if not fresh:
        return False
    try:
        name = f"curblight:nonce:{signed.key_id}:{signed.nonce}"
        return bool(_redis().set(name, b"1", nx=True, ex=NONCE_S))
    except RedisError as error:
        logger.warning("nonces are remembered by this process alone: %s", error)
        return True


@cache
def _redis() -> redis.Redis:
    # No retry: a SET whose answer was lost would find its own nonce and cry replay.
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )
