"""Working on the exceptions list: take a row, note what was found, close it.

Each step is kept with who did it and when; nothing is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from payments.models import ExceptionStep, MoneyException


class CannotWork(Exception):
    """The step is not possible."""


class AlreadyClosed(CannotWork):
    """Somebody closed it; it is a record now."""


class NoteMissing(CannotWork):
    """A closed exception says what was found."""


def take(*, exception_id: int, by: User, now: datetime) -> MoneyException:
    """Make the person the owner, also where somebody else was.

    Raises:
        AlreadyClosed: see there.
    """

    def change(row: MoneyException) -> None:
        row.owner = by

    return _step(exception_id, ExceptionStep.What.TAKEN, by, now, change)


def note(*, exception_id: int, by: User, text: str, now: datetime) -> MoneyException:
    """Write what was found; earlier notes stay in the history.

    Raises:
        AlreadyClosed, NoteMissing: see there.
    """

    def change(row: MoneyException) -> None:
        if not text.strip():
            raise NoteMissing
        row.note = text.strip()

    return _step(exception_id, ExceptionStep.What.NOTED, by, now, change)


def close(*, exception_id: int, by: User, now: datetime) -> MoneyException:
    """Close an exception that has a note; who closes it owns it if nobody does.

    Raises:
        AlreadyClosed, NoteMissing: see there.
    """

    def change(row: MoneyException) -> None:
        if not row.note.strip():
            raise NoteMissing
        row.owner = row.owner or by
        row.closed_at = max(now, row.opened_at)

    return _step(exception_id, ExceptionStep.What.CLOSED, by, now, change)


def _step(
    exception_id: int,
    what: ExceptionStep.What,
    by: User,
    now: datetime,
    change: Callable[[MoneyException], None],
) -> MoneyException:
    with transaction.atomic():
        row = MoneyException.objects.select_for_update(of=("self",)).get(id=exception_id)
        if row.closed_at is not None:
            raise AlreadyClosed
        change(row)
        row.save(update_fields=["owner", "note", "closed_at"])
        said = row.note if what == ExceptionStep.What.NOTED else ""
        ExceptionStep.objects.create(exception=row, at=now, by=by, what=what, note=said)
    return row
