"""The site as the ways in need it: nobody has asked for anything yet."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as post
from django.core.cache import cache
from django.utils import timezone

from payments import mail


def letters() -> list[Any]:
    """Send what is owed, as a worker does, and return all letters that have left."""
    for owed in mail.due(now=timezone.now()):
        mail.send(mail_id=owed, now=timezone.now())
    return post.outbox


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
