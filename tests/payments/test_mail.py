"""Letters leave once, whatever happens to the worker or the mail server."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.core import mail as outbox
from django.core.mail import EmailAlternative, EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parking.models import Spot
from payments import mail
from payments.cancel import cancel_booking
from payments.models import Mail
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking


def send_all(now: datetime | None = None) -> int:
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


def widest(body: str) -> int:
    """Return the length of the longest line, but for addresses: they stay whole."""
    return max(len(line) for line in body.splitlines() if not line.startswith("http"))


class Read(HTMLParser):
    """What a mail program shows, and whatever it would have to fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.direction = "", ""
        self.fetched: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.fetched += [named[name] for name in ("src", "srcset", "background") if name in named]
        self.fetched += [tag] if tag in {"link", "script", "img", "iframe"} else []
        self.direction = named.get("dir") or "" if tag == "html" else self.direction

    def handle_data(self, data: str) -> None:
        self.words += data


def html_of(letter: EmailMultiAlternatives) -> Read:
    [part] = letter.alternatives
    assert isinstance(part, EmailAlternative)
    assert part.mimetype == "text/html"
    return Read(str(part.content))


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fa", "rtl")])
def test_the_html_says_what_the_text_says_and_fetches_nothing(
    spot: Spot, processor: Processor, language: str, direction: str
) -> None:
    a_paid_booking(spot, processor, start=cast.at(60), language=language)
    send_all()
    [letter] = outbox.outbox
    shown = html_of(letter)
    assert shown.direction == direction
    assert shown.fetched == []
    assert "url(" not in str(letter.alternatives[0][0])
    words = set(re.findall(r"\w+", shown.words))
    said = set(re.findall(r"\w+", letter.body))
    assert said <= words, said - words


def test_a_confirmation_brings_its_calendar_file(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    send_all()
    [(name, file, kind)] = outbox.outbox[0].attachments
    assert (name, kind) == (f"parking-{payment.slot.booking.reference}.ics", "text/calendar")
    assert "DTSTART:20260303T090000Z" in str(file)


def test_what_people_typed_is_no_markup_in_a_letter(processor: Processor, db: None) -> None:
    zone = cast.a_zone()
    zone.name = "<b>Kamppi</b> & co"
    zone.save()
    a_paid_booking(cast.a_spot(zone), processor)
    send_all()
    [letter] = outbox.outbox
    assert isinstance(letter, EmailMultiAlternatives)
    assert "<b>Kamppi</b> & co" in letter.body
    assert "&lt;b&gt;Kamppi&lt;/b&gt; &amp; co" in str(letter.alternatives[0][0])


def test_a_letter_about_an_account_goes_through_the_outbox_and_leaves_no_trace(
    client: Client, db: None
) -> None:
    cast.a_person("citizen")
    client.post("/accounts/password/reset/", {"email": "citizen@example.org"})
    owed = Mail.objects.get()
    assert (outbox.outbox, owed.booking) == ([], None)
    assert send_all(owed.next_try_at) == 1
    [letter] = outbox.outbox
    assert letter.to == ["citizen@example.org"]
    assert re.search(r"^https?://\S+/accounts/password/reset/key/\S+$", letter.body, re.MULTILINE)
    assert widest(letter.body) <= 72
    assert "/accounts/password/reset/key/" in html_of(letter).words
    assert not Mail.objects.exists(), "a row with a key in it outlived its letter"


def test_a_letter_to_who_was_forgotten_is_not_sent(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    booking = payment.slot.booking
    booking.email = ""
    booking.save()
    assert send_all() == 0
    assert outbox.outbox == []
    assert Mail.objects.get().given_up_at is not None


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
    assert all(widest(letter.body) <= 72 for letter in outbox.outbox)
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
