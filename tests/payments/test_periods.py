"""A closed day stays as it was: signed by a person, refused while anything is unexplained."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from parking.models import Spot
from payments import exception_list, exception_work, ledger, periods, proof, reconciliation
from payments.models import (
    AcceptedException,
    ClosedPeriod,
    LedgerEntry,
    MoneyException,
    PeriodKind,
)
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking

DAY = date(2026, 3, 3)
NEXT_DAY = cast.NOW + timedelta(days=1)
NEXT_MONTH = cast.NOW + timedelta(days=30)


@pytest.fixture
def officer(db: None) -> User:
    return cast.a_person("finance")


def close(by: User, now: datetime = NEXT_DAY, **how: object) -> ClosedPeriod:
    return periods.close(**{"kind": PeriodKind.DAY, "day": DAY, "by": by, "now": now, **how})


def an_exception(key: str = "test", opened_at: datetime = cast.NOW) -> MoneyException:
    exception_list.put(
        kind=MoneyException.Kind.DIFFERENCE, key=key, detail="one euro", now=opened_at
    )
    return MoneyException.objects.get(key=key)


@pytest.fixture
def reconciled(spot: Spot, processor: Processor) -> None:
    """A day with one payment, compared on the next day."""
    a_paid_booking(spot, processor)
    assert reconciliation.compare_balance(now=NEXT_DAY).agrees


def test_a_day_is_closed_by_a_named_person(reconciled: None, officer: User) -> None:
    period = close(officer)
    assert (period.closed_by, period.first_on, period.last_on) == (officer, DAY, DAY)
    assert (period.entries, period.last_number) == (2, 2), "sealed first"
    assert periods.is_closed(DAY)
    assert not periods.is_closed(DAY + timedelta(days=1))


@pytest.mark.usefixtures("reconciled")
@pytest.mark.parametrize("kind", list(PeriodKind))
def test_a_period_that_is_not_over_stays_open(officer: User, kind: PeriodKind) -> None:
    with pytest.raises(periods.NotOver):
        close(officer, now=cast.at(60), kind=kind)
    assert not ClosedPeriod.objects.exists()


def test_a_day_that_was_not_compared_stays_open(
    spot: Spot, processor: Processor, officer: User
) -> None:
    a_paid_booking(spot, processor)
    with pytest.raises(periods.NotReconciled):
        close(officer)
    reconciliation.compare_balance(now=cast.at(60))
    with pytest.raises(periods.NotReconciled):
        close(officer)


@pytest.mark.usefixtures("reconciled")
class TestOpenExceptions:
    def test_an_open_exception_keeps_the_day_open(self, officer: User) -> None:
        row = an_exception()
        with pytest.raises(periods.Unexplained):
            close(officer)
        exception_work.note(exception_id=row.pk, by=officer, text="a coin", now=NEXT_DAY)
        with pytest.raises(periods.Unexplained):
            close(officer)
        exception_work.close(exception_id=row.pk, by=officer, now=NEXT_DAY)
        assert close(officer).accepted.count() == 0

    def test_one_of_another_day_does_not(self, officer: User) -> None:
        an_exception(opened_at=NEXT_DAY)
        assert close(officer)

    def test_each_must_be_accepted_and_for_a_reason(self, officer: User) -> None:
        first, second = an_exception("one"), an_exception("two")
        for accepted, reason in [
            ({first.pk}, "known"),
            ({first.pk, second.pk}, ""),
            ({first.pk, second.pk}, "  "),
            ({0}, "known"),
        ]:
            with pytest.raises(periods.Unexplained):
                close(officer, accepted=accepted, reason=reason)
        period = close(officer, accepted={first.pk, second.pk}, reason="the bank is late")
        assert set(period.accepted.values_list("exception_id", "reason")) == {
            (first.pk, "the bank is late"),
            (second.pk, "the bank is late"),
        }
        assert MoneyException.objects.filter(closed_at=None).count() == 2, "they stay open"


@pytest.mark.usefixtures("reconciled")
def test_a_period_is_closed_once(officer: User) -> None:
    close(officer)
    with pytest.raises(periods.AlreadyClosed):
        close(officer)


@pytest.mark.usefixtures("reconciled")
def test_a_month_closes_all_its_days(officer: User, processor: Processor) -> None:
    reconciliation.compare_balance(now=NEXT_MONTH)
    close(officer)
    close(officer, now=NEXT_MONTH, kind=PeriodKind.MONTH)
    assert periods.is_closed(date(2026, 3, 1))
    assert periods.is_closed(date(2026, 3, 31))
    assert not periods.is_closed(date(2026, 4, 1))
    with pytest.raises(periods.AlreadyClosed):
        close(officer, now=NEXT_MONTH, day=date(2026, 3, 9))


@pytest.mark.usefixtures("reconciled")
def test_what_comes_later_is_posted_into_the_next_open_day(
    officer: User, spot: Spot, processor: Processor
) -> None:
    reconciliation.compare_balance(now=cast.NOW + timedelta(days=3))
    for ahead in (0, 1):
        close(officer, now=cast.NOW + timedelta(days=3), day=DAY + timedelta(days=ahead))
    before = set(LedgerEntry.objects.values_list("id", flat=True))
    a_paid_booking(spot, processor, start=cast.at(120))  # `now` of its posting: the closed day
    new = LedgerEntry.objects.exclude(id__in=before)
    assert new.count() == 2
    assert set(new.values_list("business_on", flat=True)) == {DAY + timedelta(days=2)}
    ledger.seal()
    assert proof.first_broken() is None, "the day that is hashed is the day that is stored"


@pytest.mark.usefixtures("reconciled")
def test_an_entry_of_a_closed_day_is_put_before_a_person(
    officer: User, spot: Spot, processor: Processor
) -> None:
    close(officer)
    payment = LedgerEntry.objects.first().payment
    processor.post("refunds", payment_intent=payment.intent_id, amount=50)  # on the closed day
    reconciliation.compare_balance(now=NEXT_DAY)
    late = MoneyException.objects.get(kind="late_posting")
    entry = LedgerEntry.objects.get(kind="refund")
    assert entry.business_on == DAY + timedelta(days=1)
    assert (late.key, late.concerns_on) == (f"late:{entry.key}", DAY + timedelta(days=1))


@pytest.mark.usefixtures("reconciled")
@pytest.mark.parametrize("model", [ClosedPeriod, AcceptedException])
def test_what_was_signed_cannot_be_rewritten(officer: User, model: type[Model]) -> None:
    row = an_exception()
    close(officer, accepted={row.pk}, reason="known")
    change = {ClosedPeriod: {"entries": 9}, AcceptedException: {"reason": "other"}}[model]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._default_manager.update(**change)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._default_manager.all()._raw_delete("default")


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_who_is_posting(processor: Processor) -> None:
    from tests.racing import race

    spot, officer = cast.a_spot(cast.a_zone()), cast.a_person("finance")
    a_paid_booking(spot, processor)
    reconciliation.compare_balance(now=NEXT_DAY)
    other = cast.a_spot(spot.zone, "K-2")

    def post() -> None:
        processor.use_new_connections()
        a_paid_booking(other, processor)

    for _ in range(1):
        outcomes = race(post, lambda: close(officer))
        assert outcomes == ["NoneType", "ClosedPeriod"]
    period = ClosedPeriod.objects.get()
    on_it = LedgerEntry.objects.filter(business_on=DAY)
    assert period.entries == on_it.count(), "nothing slipped in after it was counted"
    with connection.cursor() as cursor:
        cursor.execute("SELECT payments_open_day(%s)", [DAY])
        assert cursor.fetchone()[0] == DAY + timedelta(days=1)
