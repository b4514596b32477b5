"""A Redis cache whose absence never fails a page."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Answer "not cached" while Redis is away; the page computes the value again."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the cached value, or `default` also while Redis does not answer."""
        try:
            return super().get(key, default, version)
        except RedisError as error:
            logger.warning("cache read skipped: %s", error)
            return default

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """Store the value, or do nothing while Redis does not answer."""
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            logger.warning("cache write skipped: %s", error)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Store the value if absent; True (as if absent) while Redis does not answer."""
        try:
            return bool(super().add(key, value, *args, **kwargs))
        except RedisError as error:
            logger.warning("cache add skipped: %s", error)
            return True

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget the value; False, and it stays until its time is over, while Redis is away."""
        try:
            return bool(super().delete(key, version))
        except RedisError as error:
            logger.warning("cache delete skipped: %s", error)
            return False

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count up; 0 while Redis does not answer."""
        try:
            return int(super().incr(key, delta, version))
        except RedisError as error:
            logger.warning("cache count skipped: %s", error)
            return 0
