"""Celery's way into the rules of money: thin tasks that take ids and can run twice.

Each is nudged by a page or another task after commit, and found by the beat if the nudge got
lost. The time of a rule is the time at which its task runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from parking import forgetting, no_show, refusals
from parking.models import Zone
from parking.tasks import nudge_meter
from parking.tasks.nudges import has_begun, nudge, nudge_once
from payments import (
    audit_files,
    checkout,
    dark,
    expiry,
    export_jobs,
    exports,
    gateway,
    ledger,
    mail,
    no_shows,
    open_cases,
    proof,
    reconciliation,
    refunds,
    reminders,
    webhooks,
)
from payments.models import Payment

logger = logging.getLogger(__name__)

LOOK_FOR_S = 25.0  # less than the beat's pause: the next run goes on

MOST_LETTERS = 50
TELL_EVERY_S = 1.0

# The row says when to look again, and the beat does.
LATER = (gateway.GatewayError, refusals.Busy)


@shared_task(name="payments.process_event")
def process_event(event_id: str) -> None:
    """Act on one stored event of the processor."""
    now = timezone.now()
    done = webhooks.process(event_id=event_id, now=now)
    if done is not None and done.payment is not None:
        _nudge_what_follows(done.payment, now)


@shared_task(name="payments.process_due_events")
def process_due_events() -> None:
    """Act on the events that no nudge has brought, or that could not be acted on before."""
    for event_id in webhooks.due(now=timezone.now()):
        webhooks.process(event_id=event_id, now=timezone.now())


@shared_task(name="payments.sync_payment")
def sync_payment(payment_id: str) -> None:
    """Ask the processor what became of one payment."""
    now = timezone.now()
    try:
        payment = checkout.sync_payment(payment_id=UUID(payment_id), now=now)
    except LATER:
        return
    _nudge_what_follows(payment, now)


@shared_task(name="payments.sweep_holds")
def sweep_holds() -> None:
    """End the holds that ran out: those without a page at once, each other in its own task."""
    for payment_id in expiry.sweep(now=timezone.now()):
        # Without a worker to hand it to, it is done here: a place must not stay taken for it.
        if not nudge(end_page, str(payment_id)):
            end_page(str(payment_id))


@shared_task(name="payments.end_page")
def end_page(payment_id: str) -> None:
    """End the hosted page of a hold that ran out, and act on what the processor says."""
    now = timezone.now()
    try:
        payment = expiry.end_page(payment_id=UUID(payment_id), now=now)
    except LATER:
        return
    _nudge_what_follows(payment, now)


@shared_task(name="payments.submit_refund")
def submit_refund(refund_id: str) -> None:
    """Send one refund to the processor, or ask what became of it."""
    try:
        refunds.submit(refund_id=UUID(refund_id), now=timezone.now())
    except LATER:
        return


@shared_task(name="payments.check_due")
def check_due() -> None:
    """R1: ask about every payment and refund that waits for an answer."""
    for refund_id in reconciliation.due_refunds(now=timezone.now()):
        submit_refund(str(refund_id))
    for payment_id in reconciliation.due_payments(now=timezone.now()):
        sync_payment(str(payment_id))


@shared_task(name="payments.read_events")
def read_events() -> None:
    """R2: read the processor's events again, in case a notice got lost."""
    try:
        found = reconciliation.read_events(now=timezone.now())
    except gateway.GatewayError as error:
        logger.warning("events not read: %s", error.code)
        return
    if found:
        nudge(process_due_events)


@shared_task(name="payments.compare_balance")
def compare_balance() -> None:
    """R3: hold the processor's balance transactions against the books."""
    try:
        reconciliation.compare_balance(now=timezone.now())
    except gateway.GatewayError as error:
        logger.warning("balance not compared: %s", error.code)


@shared_task(name="payments.compare_payouts")
def compare_payouts() -> None:
    """R4: hold each payout against what it carries."""
    try:
        reconciliation.compare_payouts(now=timezone.now())
    except gateway.GatewayError as error:
        logger.warning("payouts not compared: %s", error.code)


@shared_task(name="payments.seal_ledger")
def seal_ledger() -> None:
    """Number and chain the entries posted since the last run."""
    ledger.seal()


@shared_task(name="payments.verify_ledger")
def verify_ledger() -> None:
    """Walk the whole chain, and keep what was found for the auditor's desk."""
    found = proof.check(now=timezone.now())
    if found.problem:
        logger.error("the ledger is broken: entry %s %s", found.broken_number, found.problem)


@shared_task(name="payments.make_files")
def make_files() -> int:
    """Make the files that wait, one after the other, and those a dead worker left; how many."""
    made = 0
    while run := export_jobs.claim(now=timezone.now()):
        _make(run)
        made += 1
    return made


@shared_task(name="payments.forget_files")
def forget_files() -> None:
    """Remove the files that were kept long enough."""
    export_jobs.forget(now=timezone.now())


def _make(run: export_jobs.Run) -> None:
    told = 0.0
    with export_jobs.Pieces(run) as pieces:

        def on_rows(rows: int) -> None:
            nonlocal told
            if time.monotonic() - told >= TELL_EVERY_S:
                told = time.monotonic()
                pieces.tell(rows, timezone.now())

        making = audit_files.Making(
            table=run.table, kind=run.format, covered=run.covered, on_rows=on_rows
        )
        try:
            for chunk in making.chunks():
                pieces.add(chunk)
            pieces.lay()
            export_jobs.finish(run=run, making=making, now=timezone.now())
        except export_jobs.Lost:
            logger.warning("file %s: another worker has taken it over", run.id)
        except exports.TooManyRows:
            why = "more rows than a workbook holds"
            export_jobs.fail(run=run, why=why, now=timezone.now())
        except DatabaseError as error:
            logger.exception("file %s: not made", run.id)
            export_jobs.give_back(run=run, why=type(error).__name__, now=timezone.now())


@shared_task(name="payments.send_mail")
def send_mail() -> None:
    """Send the letters that are owed, so many that the next run can follow."""
    has_begun(send_mail)
    mail.owe_for_free_stays(now=timezone.now())
    for _letter in range(MOST_LETTERS):
        if not mail.send_next(now=timezone.now()):
            break


@shared_task(name="payments.remind")
def remind() -> None:
    """Owe the letters that time owes, and send all that are owed."""
    reminders.owe(now=timezone.now())
    reminders.owe_for_closures(now=timezone.now())
    send_mail()


@shared_task(name="payments.forget_people")
def forget_people() -> int:
    """Forget the plates whose zone's term is over, and addresses of guests; return how many."""
    now, cases = timezone.now(), open_cases.among
    plates = [
        forgetting.forget_plates(zone=zone, open_cases=cases, now=now)
        for zone in Zone.objects.all()
    ]
    return sum(plates) + forgetting.forget_guests(open_cases=cases, now=now)


@shared_task(name="payments.release_no_shows")
def release_no_shows() -> int:
    """Look at the spots that wait for somebody; return how many were given to others."""
    looked = released = 0
    for booking_id in _spots_to_look_at():
        looked += 1
        released += _look_at(booking_id)
    if looked:
        nudge_once(send_mail)
    return released


@shared_task(name="payments.notice_late_lights")
def notice_late_lights() -> int:
    """Offer a choice to those whose light has not turned green; return how many are new."""
    found = dark.notice(now=timezone.now())
    if found:
        nudge_once(send_mail)
    return found


def _spots_to_look_at() -> Iterator[int]:
    """Yield the bookings whose spots wait, each once, batch after batch while there is time."""
    deadline, seen = time.monotonic() + LOOK_FOR_S, set[int]()
    while fresh := [one for one in no_show.due(now=timezone.now()) if one not in seen]:
        for booking_id in fresh:
            if time.monotonic() > deadline:
                return
            seen.add(booking_id)
            yield booking_id


def _look_at(booking_id: int) -> bool:
    try:
        done = no_shows.look(booking_id=booking_id, now=timezone.now())
    except refusals.Busy:
        return False
    except Exception:  # one booking's trouble must not keep the others waiting
        logger.exception("booking %s: not decided whether anybody came", booking_id)
        return False
    if done is None:
        return False
    for refund_id in done.refund_ids:
        nudge(submit_refund, str(refund_id))
    nudge_meter(done.meter_id)
    return True


def _nudge_what_follows(payment: Payment, now: datetime) -> None:
    """Have the letter and the light of a booking sent if it was paid at `now`, not before."""
    if payment.paid_at == now:
        nudge_once(send_mail)
        nudge_meter(payment.slot.spot.meter_id)
