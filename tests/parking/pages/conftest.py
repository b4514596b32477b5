"""A fixed clock, and helpers to read pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.utils import timezone

from tests.cast import NOW


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Other workers empty the shared cache while a test counts visits in it.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture(autouse=True)
def _no_visits_yet(_site: None) -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Let a test move the clock."""
    return lambda moment: monkeypatch.setattr(timezone, "now", lambda: moment)


def text_of(response: HttpResponse) -> str:
    """Return what a reader reads: no tags, no scripts, spaces in one."""
    body = re.sub(
        r"<(script|style|template)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL
    )
    body = re.sub("</?bdi[^>]*>", "", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
