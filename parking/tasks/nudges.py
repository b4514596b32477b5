"""Ask a worker to do now what the beat would find anyway."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# After a failure this process stops knocking for a while: an outage of Redis must cost a page
# one short wait, not one per booking.
QUIET_S = 5.0
_quiet_until = 0.0


def nudge(task: Task[Any, Any], *args: Any) -> bool:
    """Enqueue the task; False, never an error, while Redis is away. Call it after commit."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return False
    try:
        task.apply_async(args, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("%s not nudged, the beat will find it: %s", task.name, error)
        return False
    return True
