"""Letters leave once, whatever happens to the worker or the mail server."""

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext

from parking.models import Spot
from payments import mail
from payments.cancel import cancel_booking
from payments.models import Mail
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking


def send_all(now=None) -> int:
    now = now or cast.at(5)
    return sum(mail.send(mail_id=mail_id, now=now) for mail_id in mail.due(now=now))


def test_a_confirmation_tells_what_and_how_to_reach_it(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    booking = payment.slot.booking
    assert send_all() == 1
    [letter] = outbox.outbox
    assert letter.to == ["guest@example.org"]
    assert booking.reference in letter.subject
    assert f"/bookings/{booking.reference}/?key={booking.access_key}" in letter.body
    assert "11:00–12:00" in letter.body
    assert "2.00" in letter.body
    assert booking.plate not in letter.body + letter.subject
    assert "&#" not in letter.body


def test_a_letter_is_sent_once(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor)
    assert [send_all(), send_all(), send_all(cast.at(600))] == [1, 0, 0]
    assert len(outbox.outbox) == 1


def test_a_worker_that_dies_while_sending_leaves_the_letter_to_the_next(
    spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_paid_booking(spot, processor)

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(EmailBackend, "send_messages", die)
        with pytest.raises(KeyboardInterrupt):
            send_all()
    assert send_all() == 0, "nobody else sends it while it is claimed"
    assert send_all(cast.at(11)) == 1
    assert len(outbox.outbox) == 1


def test_a_repeat_is_the_same_letter(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor)
    send_all()
    Mail.objects.update(sent_at=None)  # it left, but the worker died before noting it
    send_all(cast.at(11))
    first, second = outbox.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_a_mail_server_that_is_away_gets_it_later_and_not_for_ever(
    spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_paid_booking(spot, processor)

    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    now, tries = cast.at(5), 0
    while mail.due(now=now + timedelta(days=30)):
        tries += bool(mail.due(now=now))
        send_all(now)
        now += timedelta(minutes=5)
        assert now < cast.at(4 * 24 * 60)
    assert 10 < tries < 50, "it spaces its tries out"
    assert Mail.objects.get().given_up_at is not None
    assert outbox.outbox == []


def test_a_free_stay_gets_its_letter_too(db: None) -> None:
    slot = cast.a_hold(cast.a_spot(cast.a_zone(tariff=cast.FREE_OF_CHARGE)))
    for _ in range(2):
        mail.owe_for_free_stays(now=cast.at(1))
    assert Mail.objects.get().key == f"confirmed:{slot.pk}"


def test_a_paid_stay_is_not_written_to_by_the_search_for_free_ones(
    spot: Spot, processor: Processor
) -> None:
    cast.a_hold(spot)
    mail.owe_for_free_stays(now=cast.at(1))
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("language", "subject"), [("en", "cancelled"), ("fa", ""), ("ru", ""), ("vi", "")]
)
def test_every_kind_of_letter_can_be_written_in_every_language(
    spot: Spot, processor: Processor, language: str, subject: str
) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60), language=language)
    reference = payment.slot.booking.reference
    cancel_booking(reference=reference, now=cast.at(5), actor="citizen")
    mail.owe(kind="orphan", slot=payment.slot, amount=200, now=cast.at(5))
    assert send_all() == 3
    assert all(reference in letter.subject for letter in outbox.outbox)
    assert any(subject in letter.subject for letter in outbox.outbox)


def test_free_stays_are_found_by_an_index(spot: Spot) -> None:
    """Among many that were paid, as PostgreSQL plans it."""
    cast.a_stay(spot, 60)
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO parking_slot (booking_id, spot_id, period, state, held_until, amount,
              currency, tariff_id, quote, free_reason, created_at, confirmed_at)
            SELECT booking_id, spot_id, tstzrange(lower(period) - nth * interval '2 hours',
              upper(period) - nth * interval '2 hours'), state, held_until, amount, currency,
              tariff_id, quote, '', created_at, confirmed_at
            FROM parking_slot, generate_series(1, 3000) nth""")
        cursor.execute("ANALYZE parking_slot")
    with CaptureQueriesContext(connection) as asked:
        mail.owe_for_free_stays(now=cast.at(5))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "slot_free_by_confirmation" in plan
