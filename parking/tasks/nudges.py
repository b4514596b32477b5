"""Ask a worker to do now what the beat would find anyway."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# After a failure this process stops knocking for a while: an outage of Redis must cost a page
# one short wait, not one per booking.
QUIET_S = 5.0
_quiet_until = 0.0
# A message that has not been taken by then may be lost: another is sent.
WAITS_S = 2


def nudge(task: Task[Any, Any], *args: Any) -> bool:
    """Enqueue the task; False, never an error, while Redis is away. Call it after commit."""
    global _quiet_until
    if _is_quiet():
        return False
    try:
        task.apply_async(args, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("%s not nudged, the beat will find it: %s", task.name, error)
        return False
    return True


def nudge_once(task: Task[Any, Any]) -> bool:
    """Do the same for a task that finds its own work, unless a message for it waits already.

    One run of it does the work of all who nudged before it began; it calls `has_begun` first.
    """
    if _is_quiet():
        return False
    return not cache.add(_waiting(task), True, timeout=WAITS_S) or nudge(task)


def has_begun(task: Task[Any, Any]) -> None:
    """Let the next `nudge_once` send a message again: this run may not find what it is about."""
    cache.delete(_waiting(task))


def _is_quiet() -> bool:
    return time.monotonic() < _quiet_until


def _waiting(task: Task[Any, Any]) -> str:
    return f"waiting:{task.name}"
