"""The beat knows its tasks, and they do their work without any nudge."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.celery import app
from parking.models import Slot, SlotState, Spot
from payments import tasks
from payments.cancel import cancel_booking
from payments.models import LedgerEntry, Mail, Payment, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, an_open_payment, fresh

JOBS = sorted(name for name in app.conf.beat_schedule if name.startswith("payments."))


def test_every_job_of_the_timetable_exists() -> None:
    app.loader.import_default_modules()
    assert len(JOBS) == 14
    assert set(JOBS) <= set(app.tasks)


@pytest.mark.parametrize("name", JOBS)
def test_every_job_runs_twice_with_nothing_to_do(processor: Processor, db: None, name: str) -> None:
    for _ in range(2):
        app.tasks[name]()


def test_the_beat_alone_confirms_ends_refunds_seals_and_writes(
    spot: Spot, processor: Processor
) -> None:
    zone = spot.zone
    now = timezone.now()
    processor.stand_at(now)
    start = (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    paid = an_open_payment(spot, start=start, now=now)
    unpaid = an_open_payment(cast.a_spot(zone, "K-2"), start=start, now=now)
    cancelled = a_paid_booking(cast.a_spot(zone, "K-3"), processor, start=start, now=now)
    cancel_booking(reference=cancelled.slot.booking.reference, now=now, actor="citizen")
    processor.pay(paid.session_id)
    past = now - timedelta(seconds=1)
    Slot.objects.filter(payments=unpaid).update(held_until=past)
    Payment.objects.filter(state="open").update(next_check_at=past)

    tasks.read_events()
    tasks.process_due_events()
    tasks.sweep_holds()
    tasks.end_page(str(unpaid.id))
    tasks.check_due()
    tasks.seal_ledger()
    tasks.send_mail()

    assert fresh(paid.slot).state == SlotState.CONFIRMED
    assert fresh(unpaid.slot).state == SlotState.RELEASED
    assert Refund.objects.get().state == "succeeded"
    assert not LedgerEntry.objects.filter(number=None).exists()
    assert LedgerEntry.objects.count() == 5
    assert not Mail.objects.filter(sent_at=None).exists()
    assert Mail.objects.count() == 3


def test_without_redis_the_sweep_ends_pages_itself(
    spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    payment = an_open_payment(spot)
    past = now - timedelta(seconds=1)
    Slot.objects.update(held_until=past)
    Payment.objects.update(next_check_at=past)

    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("celery.app.task.Task.apply_async", away)
    tasks.sweep_holds()
    assert fresh(payment).state == "expired"
    assert fresh(payment.slot).state == SlotState.RELEASED
