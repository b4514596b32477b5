"""What a booking rule says no with, and the one place that reads PostgreSQL's own refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError, OperationalError
from psycopg import errors

if TYPE_CHECKING:
    from parking.models import Slot


class BookingError(Exception):
    """A booking rule says no."""


class SpotTaken(BookingError):
    """Somebody else has the spot in that time."""


class Busy(BookingError):
    """Others are at the same rows; trying again in a moment helps."""


class WrongState(BookingError):
    """The slot is past the step that was asked for."""


class NotBooked(BookingError):
    """The booking is not confirmed, or its stay is over."""


class ChangePending(BookingError):
    """An extension or change of the booking waits for its payment: `slot`."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot.pk)
        self.slot = slot


@contextmanager
def contended() -> Iterator[None]:
    """Turn what PostgreSQL says to people who want the same rows into `SpotTaken` or `Busy`."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.__cause__, errors.ExclusionViolation):
            raise SpotTaken from error
        if "reference" in (_constraint(error) or ""):  # two drew one reference: draw again
            raise Busy from error
        raise
    except OperationalError as error:
        if isinstance(
            error.__cause__,
            errors.LockNotAvailable | errors.DeadlockDetected | errors.SerializationFailure,
        ):
            raise Busy from error
        raise


def is_busy(error: BaseException) -> bool:
    """Say whether an error is what `contended` turns into `Busy`, or that itself."""
    try:
        with contended():
            raise error
    except Busy:
        return True
    except BaseException:  # noqa: BLE001 (it is only looked at)
        return False


def _constraint(error: IntegrityError) -> str | None:
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, errors.Error) else None
