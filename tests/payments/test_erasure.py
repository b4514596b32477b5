"""People read, take along and erase what is kept about them, by themselves."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from parking import corrections, languages, roles, vehicles
from parking.models import Booking, Forgetting, IdempotentAnswer, Spot, Vehicle
from payments import cancel, erasure, ledger, mail, proof, receipts, refunds, webhooks
from payments.models import ExportLog, LedgerEntry, Payment, PaymentState, Refund, WebhookEvent
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, act_on_events, fresh

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse"
# Nothing of it is in any other row of a test.
ADDRESS, SECOND, PLATE, OTHER_PLATE, NAME = (
    "zuleika.quux@example.org",
    "Zuleika.Second@example.org",
    "ZQX987",
    "QYZ654",
    "Zuleika",
)
TRACES = (ADDRESS, SECOND, PLATE, OTHER_PLATE, NAME, "quux")


def everywhere(needle: str) -> set[str]:
    """Return the table and column of every row of the database that holds the text.

    Every column that can hold text is read: also JSON, arrays, and bytes as PostgreSQL shows them;
    and sessions in the clear.
    """
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT table_name, column_name FROM information_schema.columns
            JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
              AND data_type NOT IN ('bigint', 'integer', 'smallint', 'boolean', 'date', 'uuid',
                'timestamp with time zone', 'time without time zone', 'double precision')""")
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" '
                f'WHERE position(upper(%s) in upper("{column}"::text)) > 0',
                [needle],
            )
            if cursor.fetchone()[0]:
                found.add(f"{table}.{column}")
    for session in Session.objects.all():
        if needle.upper() in json.dumps(session.get_decoded()).upper():
            found.add("django_session, decoded")
    return found


@pytest.fixture
def person() -> User:
    user = User.objects.create_user(
        username=NAME, email=ADDRESS, password=PASSWORD, first_name=NAME, last_name="Quux"
    )
    EmailAddress.objects.create(user=user, email=ADDRESS, verified=True, primary=True)
    EmailAddress.objects.create(user=user, email=SECOND, verified=False)
    return user


@pytest.fixture
def client(person: User) -> Client:
    """The browser of the person, signed in with the password: the session knows the address."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def a_past(person: User, spot: Spot, processor: Processor) -> list[Payment]:
    """Let the person live a day in March: book, pay, correct, cancel, as a guest too."""
    vehicles.add(owner=person, plate=PLATE, name=f"{NAME}s car", now=cast.NOW)
    kept = a_paid_booking(spot, processor, user=person, email=ADDRESS, plate=PLATE)
    gone = a_paid_booking(
        spot, processor, start=cast.at(120), user=person, email=ADDRESS, plate=OTHER_PLATE
    )
    corrections.correct_plate(
        booking_id=gone.slot.booking_id, plate=PLATE, now=cast.at(5), actor=f"user:{person.pk}"
    )
    cancel.cancel_booking(
        reference=gone.slot.booking.reference, now=cast.at(20), actor=f"user:{person.pk}"
    )
    guest = a_paid_booking(
        spot, processor, start=cast.at(240), email=ADDRESS.upper(), plate=OTHER_PLATE
    )
    for refund in Refund.objects.all():
        refunds.submit(refund_id=refund.pk, now=cast.at(21))
    act_on_events(timezone.now() + timedelta(hours=1))
    for owed in mail.due(now=cast.at(25)):
        mail.send(mail_id=owed, now=cast.at(25))
    mail.owe_about_account(to=ADDRESS, subject="Your code", text=f"{NAME}\n\n123456", now=cast.NOW)
    IdempotentAnswer.objects.create(
        caller="anon:1",
        key="1",
        request_sha256="",
        body={"reference": guest.slot.booking.reference, "vehicle": OTHER_PLATE},
        created_at=cast.NOW,
    )
    LogEntry.objects.create(
        user=cast.a_person("chief", is_superuser=True),
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(person.pk),
        object_repr=person.username,
        action_flag=CHANGE,
        action_time=cast.NOW,
    )
    languages.remember(person, "fa")
    SocialAccount.objects.create(
        user=person, provider="city", uid="1", extra_data={"email": ADDRESS, "name": NAME}
    )
    # What others keep open: a guest who proved the address, a form half filled in, a search.
    for said in ({"proven_address": ADDRESS.upper()}, {"draft": {"plate": OTHER_PLATE}}):
        left_open(said)
    ledger.seal()
    return [kept, gone, guest]


def left_open(said: dict[str, Any]) -> Client:
    """Leave a browser open whose session holds this."""
    client = Client()
    session = client.session
    session.update(said)
    session.save()
    client.cookies["sessionid"] = session.session_key
    return client


def erase(client: Client, password: str = PASSWORD) -> Any:
    return client.post("/my-data/erase/", {"password": password})


def test_after_erasing_no_column_of_the_database_knows_the_person(
    person: User,
    client: Client,
    spot: Spot,
    processor: Processor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    past = a_past(person, spot, processor)
    elsewhere = Client()
    elsewhere.force_login(person)
    known = {trace: everywhere(trace) for trace in TRACES}
    assert all(known.values()), f"the search is blind: {known}"
    assert "django_session, decoded" in known[ADDRESS]
    assert "payments_mail.message" in known[ADDRESS], "JSON is read too"
    keys = {payment.slot.booking.access_key for payment in past}
    books = list(LedgerEntry.objects.order_by("id").values_list("key", "hash"))

    answer = erase(client)

    assert answer["Location"] == "/privacy/?erased=1"
    assert "It is erased" in client.get(answer["Location"]).content.decode()
    assert {trace: everywhere(trace) for trace in TRACES} == {trace: set() for trace in TRACES}
    assert all(everywhere(key) == set() for key in keys), "an old link still opens a booking"
    assert elsewhere.get("/my-data/").status_code == 302, "another browser is still signed in"
    assert not [trace for trace in TRACES if trace.upper() in caplog.text.upper()]
    # Money stays, and ties.
    assert list(LedgerEntry.objects.order_by("id").values_list("key", "hash")) == books
    assert (proof.first_broken(), proof.first_missing_document()) == (None, None)
    assert [len(receipts.of(payment.slot.booking)) for payment in past] == [1, 2, 1]
    assert Payment.objects.filter(state=PaymentState.PAID).count() == 3
    [told] = Forgetting.objects.all()
    assert (told.reason, told.plates, told.addresses, told.vehicles) == ("asked", 3, 3, 1)


def test_what_belongs_to_others_stays(
    person: User, client: Client, spot: Spot, processor: Processor
) -> None:
    other = cast.a_person("other")
    vehicles.add(owner=other, plate=PLATE, now=cast.NOW)
    theirs = cast.a_hold(spot, cast.at(300), user=other, email=other.email, plate=PLATE)
    # Nobody has proven that this address is the person's own.
    unproven = cast.a_hold(spot, cast.at(400), email=SECOND, plate="ABC123")
    assert erase(client).status_code == 302
    assert not User.objects.filter(pk=person.pk).exists()
    assert fresh(theirs.booking).plate == PLATE
    assert fresh(unproven.booking).email == SECOND
    assert Vehicle.objects.get().owner == other


@pytest.mark.parametrize("password", ["", "wrong"])
def test_only_the_password_erases(person: User, client: Client, password: str) -> None:
    answer = erase(client, password)
    assert answer.status_code == 400
    assert User.objects.filter(pk=person.pk).exists()
    assert not Forgetting.objects.exists()


def test_passwords_cannot_be_tried_for_ever(person: User, client: Client) -> None:
    assert [erase(client, "wrong").status_code for _ in range(11)] == [400] * 10 + [429]
    assert erase(client).status_code == 429
    assert User.objects.filter(pk=person.pk).exists()


def test_who_has_no_password_proves_it_by_a_sign_in_of_just_now(person: User) -> None:
    left = left_open({"proven_address": "other@example.org"})
    person.set_unusable_password()
    person.save()
    client = Client()
    client.force_login(person)
    User.objects.filter(pk=person.pk).update(last_login=timezone.now() - timedelta(minutes=11))
    answer = client.post("/my-data/erase/")
    assert answer.status_code == 400
    assert "sign in again" in answer.content.decode()
    client.force_login(person)
    assert client.post("/my-data/erase/").status_code == 302
    assert left.get("/my-data/").status_code == 200, "a stranger's session was ended"
    assert not User.objects.filter(pk=person.pk).exists()


def test_it_is_refused_in_words_while_a_booking_runs_or_money_is_open(
    person: User, client: Client, spot: Spot, processor: Processor, now: datetime
) -> None:
    payment = a_paid_booking(
        spot, processor, start=cast.soon(), now=now, user=person, email=ADDRESS
    )
    reference = payment.slot.booking.reference

    answer = erase(client)
    assert answer.status_code == 409
    assert f"still to come: {reference}" in answer.content.decode()

    cancel.cancel_booking(reference=reference, now=timezone.now(), actor="citizen")
    answer = erase(client)
    assert answer.status_code == 409
    assert f"Money is on its way, or a case is open, for {reference}" in answer.content.decode()
    assert fresh(payment.slot.booking).email == ADDRESS
    assert not Forgetting.objects.exists()


@pytest.mark.parametrize("when", ["now", "once"])
def test_who_works_for_the_city_asks_the_office(person: User, client: Client, when: str) -> None:
    if when == "now":
        roles.give(user=person, role=roles.OPERATOR)
    else:
        ExportLog.objects.create(user=person, at=cast.NOW, name="lines.csv", parameters={})
    answer = erase(client)
    assert answer.status_code == 409
    assert "Ask the parking office" in answer.content.decode()
    assert User.objects.filter(pk=person.pk).exists()


def test_it_happens_whole_or_not_at_all(
    person: User, spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_past(person, spot, processor)

    def break_off(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(User, "delete", break_off)
    with pytest.raises(RuntimeError):
        erasure.erase_account(user=person, now=cast.at(2000))
    assert Booking.objects.filter(user=person, email=ADDRESS).count() == 2
    assert Vehicle.objects.filter(owner=person).exists()


def test_a_guest_erases_the_booking_of_a_link_and_needs_its_address(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor, email=ADDRESS, plate=PLATE)
    page, key = f"/bookings/{payment.slot.booking.reference}/", payment.slot.booking.access_key
    guest = Client()
    assert guest.get(f"{page}erase/").status_code == 404, "the link is wanted first"
    guest.get(page, {"key": key})
    assert guest.post(f"{page}erase/", {"email": "other@example.org"}).status_code == 400
    assert guest.post(f"{page}erase/", {"email": ADDRESS.upper()}).status_code == 302
    assert [everywhere(trace) for trace in (ADDRESS, PLATE, key)] == [set()] * 3
    assert guest.get(page).status_code == 404
    assert Client().get(page, {"key": key}).status_code == 404


def test_a_guest_with_a_proven_address_takes_along_and_erases_all_that_was_booked_with_it(
    spot: Spot, person: User
) -> None:
    first = cast.a_hold(spot, email=ADDRESS, plate=PLATE)
    second = cast.a_hold(spot, cast.at(90), email=ADDRESS.upper(), plate=OTHER_PLATE)
    of_an_account = cast.a_hold(spot, cast.at(180), email=ADDRESS, user=person)
    of_another = cast.a_hold(spot, cast.at(270), email="other@example.org")
    guest = left_open({"proven_address": ADDRESS})
    data = guest.get("/my-data/file.json").json()
    booked = {one["reference"] for one in data["bookings"]}
    assert booked == {first.booking.reference, second.booking.reference}
    assert data["account"] is None
    assert PLATE in guest.get("/my-data/").content.decode()

    assert guest.post("/my-data/erase/", {"email": "other@example.org"}).status_code == 400
    answer = guest.post("/my-data/erase/", {"email": ADDRESS})
    assert answer["Location"] == "/privacy/?erased=1"
    assert guest.get("/my-data/").status_code == 302
    assert [fresh(one.booking).email for one in (first, second)] == ["", ""]
    assert fresh(of_an_account.booking).email == ADDRESS
    assert fresh(of_another.booking).email == "other@example.org"
    assert [everywhere(trace) for trace in (PLATE, OTHER_PLATE)] == [set(), set()]
    [told] = Forgetting.objects.all()
    assert (told.plates, told.addresses) == (2, 2)


def test_all_that_is_known_can_be_taken_along_and_nothing_of_others(
    person: User, client: Client, spot: Spot, processor: Processor
) -> None:
    past = a_past(person, spot, processor)
    cast.a_hold(spot, cast.at(300), email="other@example.org", plate="ABC123")
    answer = client.get("/my-data/file.json")
    assert "attachment" in answer["Content-Disposition"]
    data = answer.json()
    assert data["account"]["email_addresses"] == [SECOND, ADDRESS]
    assert [vehicle["plate"] for vehicle in data["vehicles"]] == [PLATE]
    booked = {one["reference"]: one for one in data["bookings"]}
    assert set(booked) == {payment.slot.booking.reference for payment in past}
    cancelled = booked[past[1].slot.booking.reference]
    assert cancelled["plate"] == PLATE
    assert cancelled["stays"][0]["from"] == "2026-03-03T12:00:00+02:00"
    [payment] = cancelled["payments"]
    assert (payment["amount"], payment["currency"], payment["state"]) == (200, "EUR", "paid")
    assert len(payment["documents"]) == 2
    assert [refund["amount"] for refund in payment["refunds"]] == [200]
    assert "Number plate corrected" in [step["what"] for step in cancelled["history"]]
    assert {"confirmed", "cancelled"} <= {letter["about"] for letter in cancelled["letters"]}
    assert "ABC123" not in answer.content.decode()

    page = client.get("/my-data/").content.decode()
    assert all(text in page for text in (ADDRESS, SECOND, PLATE, OTHER_PLATE, *booked))
    assert all(number in page for number in payment["documents"])


def test_a_guest_takes_the_booking_of_a_link_along(spot: Spot) -> None:
    slot = cast.a_hold(spot)
    page = f"/bookings/{slot.booking.reference}/"
    guest = Client()
    assert guest.get(f"{page}data.json").status_code == 404
    guest.get(page, {"key": slot.booking.access_key})
    data = guest.get(f"{page}data.json").json()
    assert [one["reference"] for one in data["bookings"]] == [slot.booking.reference]
    assert (data["account"], data["vehicles"]) == (None, [])


def test_nobody_reads_or_erases_what_is_anothers(spot: Spot, person: User) -> None:
    slot = cast.a_hold(spot, user=person, email=ADDRESS)
    page = f"/bookings/{slot.booking.reference}/"
    stranger, officer = Client(), Client()
    stranger.force_login(cast.a_person("stranger"))
    officer.force_login(cast.a_person("chief", is_staff=True, is_superuser=True))
    for client in (Client(), stranger, officer):
        for path in (f"{page}data.json", f"{page}erase/"):
            assert client.get(path).status_code == 404, path
    for path in ("/my-data/", "/my-data/file.json", "/my-data/erase/"):
        assert Client().get(path)["Location"].startswith("/accounts/login/")


def test_what_payers_type_at_the_processor_is_never_kept(processor: Processor) -> None:
    said = {
        "id": "evt_1",
        "type": "checkout.session.completed",
        "created": 1,
        "livemode": False,
        "data": {
            "object": {
                "object": "checkout.session",
                "id": "cs_1",
                "customer_details": {"email": ADDRESS, "name": NAME},
                "items": [{"billing_details": {"name": NAME}, "kept": 1}],
            }
        },
    }
    kept = webhooks.without_people(said)
    assert NAME not in json.dumps(kept)
    assert ADDRESS not in json.dumps(kept)
    assert kept["data"]["object"]["items"] == [{"kept": 1}]
    assert not WebhookEvent.objects.exists()
