"""Let go of what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from parking import idempotency

REPEATS_WITHIN = timedelta(days=1)


@shared_task(name="parking.forget_answers")
def forget_answers() -> int:
    """Delete the answers that no repeated request will ask for; return how many."""
    return idempotency.forget(before=timezone.now() - REPEATS_WITHIN)


@shared_task(name="parking.forget_sessions")
def forget_sessions() -> int:
    """Delete the sessions that are over: they may name an account; return how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
