"""The exceptions list: auditors read it, officers work on it, and every step is kept."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from parking import roles
from parking.models import Zone
from payments import exception_list, reconciliation
from payments.models import ClosedPeriod, ExceptionStep, MoneyException
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, an_open_payment

LIST = "/audit/exceptions/"
PERIODS = "/audit/periods/"
ROLES = {"operator": roles.OPERATOR, "warden": roles.WARDEN, "auditor": roles.AUDITOR}
ROLES |= {"finance": roles.FINANCE}


@pytest.fixture(autouse=True)
def _groups(db: None) -> None:
    roles.write_groups()


def a_desk(name: str, zone: Zone | None = None) -> Client:
    """Sign a person of the role in; operators get the zone."""
    if name in ROLES:
        person = cast.a_person(name)
        roles.give(user=person, role=ROLES[name])
    else:
        person = cast.a_person(name, is_superuser=name == "superuser")
    if name == "operator" and zone is not None:
        zone.operators.add(person)
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def two_rows(zone: Zone, processor: Processor) -> tuple[MoneyException, MoneyException]:
    """One about a payment of the zone, one about the whole city."""
    payment = an_open_payment(cast.a_spot(zone))
    put, kinds = exception_list.put, MoneyException.Kind
    put(kind=kinds.ORPHAN, key="zone", detail="of the zone", payment=payment, now=cast.NOW)
    put(kind=kinds.DIFFERENCE, key="city", detail="of the city", now=cast.at(24 * 60))
    return MoneyException.objects.get(key="zone"), MoneyException.objects.get(key="city")


Rows = tuple[MoneyException, MoneyException]


@pytest.mark.parametrize(
    ("who", "sees", "works_on"),
    [
        ("citizen", None, ""),
        ("warden", None, ""),
        ("operator", "zone", "zone"),
        ("operator elsewhere", "", ""),
        ("auditor", "zone city", ""),
        ("finance", "zone city", "zone city"),
        ("superuser", "zone city", "zone city"),
    ],
)
def test_each_role_sees_and_works_on_exactly_its_own(
    two_rows: Rows, zone: Zone, who: str, sees: str | None, works_on: str
) -> None:
    elsewhere = who == "operator elsewhere"
    desk = a_desk(who.split()[0], cast.a_zone("punavuori") if elsewhere else zone)
    answer = desk.get(LIST)
    if sees is None:
        assert answer.status_code == 403
    else:
        assert {row.key for row in answer.context["page"]} == set(sees.split())
    for row in two_rows:
        page = reverse("payments:exception", args=[row.pk])
        expected = 403 if sees is None else 200 if row.key in sees.split() else 404
        assert desk.get(page).status_code == expected
        posted = desk.post(page, {"do": "take"}).status_code
        may = row.key in works_on.split()
        assert posted == (302 if may else 403 if expected == 200 else expected)
        assert MoneyException.objects.filter(pk=row.pk, owner=None).exists() is not may


def test_strangers_are_sent_to_the_sign_in(client: Client, two_rows: Rows) -> None:
    for page in (LIST, PERIODS, reverse("payments:exception", args=[two_rows[0].pk])):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_a_row_is_taken_noted_and_closed_and_its_history_stays(two_rows: Rows) -> None:
    desk = a_desk("finance")
    row, _other = two_rows
    page = reverse("payments:exception", args=[row.pk])
    desk.post(page, {"do": "close"})
    assert not MoneyException.objects.get(pk=row.pk).closed_at, "first say what was found"
    desk.post(page, {"do": "take"})
    desk.post(page, {"do": "note", "note": "paid a minute late"})
    desk.post(page, {"do": "note", "note": "and refunded"})
    desk.post(page, {"do": "close"})
    closed = MoneyException.objects.get(pk=row.pk)
    assert closed.closed_at
    assert (closed.owner.username, closed.note) == ("finance", "and refunded")
    steps = list(ExceptionStep.objects.values_list("by__username", "what", "note"))
    assert steps == [
        ("finance", "taken", ""),
        ("finance", "noted", "paid a minute late"),
        ("finance", "noted", "and refunded"),
        ("finance", "closed", ""),
    ]
    desk.post(page, {"do": "note", "note": "second thoughts"})
    assert MoneyException.objects.get(pk=row.pk).note == "and refunded"
    text = desk.get(page).content.decode()
    assert "paid a minute late" in text
    assert 'name="do"' not in text, "nothing is left to do"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExceptionStep.objects.update(note="")


@pytest.mark.parametrize("do", [{}, {"do": "delete"}, {"do": "note", "note": "   "}])
def test_nonsense_changes_nothing(two_rows: Rows, do: dict[str, str]) -> None:
    desk = a_desk("finance")
    answer = desk.post(reverse("payments:exception", args=[two_rows[0].pk]), do)
    assert answer.status_code in {302, 400}
    assert not ExceptionStep.objects.exists()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", {"zone", "city"}),
        ("state=open", {"zone", "city"}),
        ("state=closed", set()),
        ("state=all&kind=orphan", {"zone"}),
        ("owner=me", set()),
        ("owner=nobody", {"zone", "city"}),
        ("first_on=2026-03-04", {"city"}),
        ("last_on=2026-03-03", {"zone"}),
        ("reference=nonsense", set()),
    ],
)
def test_filters_live_in_the_address(two_rows: Rows, query: str, keys: set[str]) -> None:
    answer = a_desk("auditor").get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert {row.key for row in answer.context["page"]} == keys


@pytest.mark.parametrize("query", ["kind=nonsense", "first_on=31.3.2026", "state=half"])
def test_a_filter_that_makes_no_sense_is_said_at_its_field(two_rows: Rows, query: str) -> None:
    answer = a_desk("auditor").get(f"{LIST}?{query}")
    assert answer.status_code == 400
    assert b"field__error" in answer.content


def test_a_long_list_has_pages_and_a_fixed_number_of_queries(
    zone: Zone, processor: Processor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    payment = an_open_payment(cast.a_spot(zone))
    MoneyException.objects.bulk_create(
        MoneyException(
            kind="unmatched", key=f"row {n}", detail="row", payment=payment if n % 2 else None,
            opened_at=cast.NOW + timedelta(minutes=n), concerns_on=cast.NOW.date(),
        )
        for n in range(60)
    )  # fmt: skip
    desk = a_desk("auditor")
    desk.get(LIST)
    with django_assert_num_queries(8):
        first = desk.get(LIST)
    assert len(first.context["page"]) == 50
    assert len(desk.get(f"{LIST}?page=2").context["page"]) == 10


def test_free_stays_and_unmatched_notices_are_shown_to_who_sees_the_city(
    zone: Zone, processor: Processor
) -> None:
    spot = cast.a_spot(cast.a_zone("free", tariff=cast.FREE_OF_CHARGE))
    now = timezone.now()
    cast.a_hold(spot, start=cast.soon(), now=now)
    assert "no charge by the tariff" in a_desk("auditor").get(LIST).content.decode()
    assert "no charge by the tariff" not in a_desk("operator", zone).get(LIST).content.decode()


@pytest.fixture
def yesterday(zone: Zone, processor: Processor) -> str:
    """The day before today, with a payment, compared since; its ISO date."""
    now = timezone.now()
    then = (now - timedelta(days=1)).replace(second=0, microsecond=0)
    then -= timedelta(minutes=then.minute % 15)
    processor.stand_at(then)
    a_paid_booking(cast.a_spot(zone), processor, start=then + timedelta(hours=1), now=then)
    processor.stand_at(now)
    assert reconciliation.compare_balance(now=now).agrees
    return timezone.localdate(then).isoformat()


@pytest.mark.parametrize(
    ("who", "reads", "closes"),
    [
        ("citizen", False, False),
        ("operator", False, False),
        ("warden", False, False),
        ("auditor", True, False),
        ("finance", True, True),
        ("superuser", True, True),
    ],
)
def test_each_role_closes_exactly_what_it_may(
    yesterday: str, zone: Zone, who: str, reads: bool, closes: bool
) -> None:
    desk = a_desk(who, zone)
    assert desk.get(PERIODS).status_code == (200 if reads else 403)
    answer = desk.post(PERIODS, {"kind": "day", "day": yesterday})
    assert answer.status_code == (302 if closes else 403)
    assert ClosedPeriod.objects.exists() is closes
    if closes:
        period = ClosedPeriod.objects.get()
        assert period.closed_by.username == who
        assert who in desk.get(PERIODS).content.decode()


def test_the_page_names_what_is_open_and_takes_each_acceptance(yesterday: str) -> None:
    day = date.fromisoformat(yesterday)
    row = MoneyException.objects.create(
        kind="difference", key="x", detail="one euro", opened_at=timezone.now(), concerns_on=day
    )
    desk = a_desk("finance")
    asked = {"kind": "day", "day": yesterday}
    assert "one euro" in desk.get(PERIODS, asked).content.decode()
    refused = desk.post(PERIODS, {**asked, "reason": "known", "accept": ["x"]})
    assert refused.status_code == 409
    assert "one euro" in refused.content.decode()
    assert not ClosedPeriod.objects.exists()
    desk.post(PERIODS, {**asked, "reason": "known", "accept": [str(row.pk)]})
    assert ClosedPeriod.objects.get().accepted.get().reason == "known"


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 200), ({"day": "tomorrow"}, 400), ({"kind": "year", "day": "2026-03-03"}, 400)],
)
def test_a_period_that_makes_no_sense_is_refused(
    db: None, query: dict[str, str], status: int
) -> None:
    desk = a_desk("finance")
    assert desk.get(PERIODS, query).status_code == status
    if query:
        assert desk.post(PERIODS, query).status_code == 400


def test_today_cannot_be_closed(yesterday: str) -> None:
    today = timezone.localdate().isoformat()
    assert a_desk("finance").post(PERIODS, {"kind": "day", "day": today}).status_code == 409
    assert not ClosedPeriod.objects.exists()


def test_the_desk_takes_and_closes_by_the_same_rule(two_rows: Rows, zone: Zone) -> None:
    person = cast.a_person("root", is_staff=True, is_superuser=True)
    desk = Client()
    desk.force_login(person)
    row, _other = two_rows
    address = reverse("admin:payments_moneyexception_changelist")
    chosen = {"_selected_action": [row.pk]}
    desk.post(address, {"action": "close", **chosen})
    assert not MoneyException.objects.get(pk=row.pk).closed_at
    desk.post(reverse("admin:payments_moneyexception_change", args=[row.pk]), {"note": "seen"})
    desk.post(address, {"action": "close", **chosen})
    assert MoneyException.objects.get(pk=row.pk).closed_at
    assert list(ExceptionStep.objects.values_list("what", "note")) == [
        ("noted", "seen"),
        ("closed", ""),
    ]
    assert isinstance(ExceptionStep.objects.first().by, User)


def test_auditors_take_the_exceptions_and_the_closed_periods_along(two_rows: Rows) -> None:
    auditor = a_desk("auditor")
    exception_list.put(
        kind=MoneyException.Kind.DIFFERENCE, key="formula", detail="=1+1", now=cast.NOW
    )
    ClosedPeriod.objects.create(
        kind="day",
        first_on="2026-03-02",
        last_on="2026-03-02",
        closed_at=cast.NOW,
        closed_by=cast.a_person("closer"),
        entries=0,
        last_number=0,
        head_hash=b"",
    )
    days = "first_on=2026-03-01&last_on=2026-03-31"
    body = auditor.get(f"/audit/files/exceptions.csv?{days}").getvalue().decode()
    assert [line.split(",")[2] for line in body.splitlines()[1:]] == [
        "orphan",
        "difference",
        "difference",
    ]
    assert "'=1+1" in body
    closed = auditor.get(f"/audit/files/periods.csv?{days}").getvalue().decode()
    assert 'day,2026-03-02,2026-03-02,0,0,"",' in closed
    for page, name in ((LIST, "exceptions.csv"), (PERIODS, "periods.xlsx")):
        assert f"/audit/files/{name}?" in auditor.get(page).content.decode()


def test_who_only_works_on_exceptions_gets_no_file(zone: Zone, two_rows: Rows) -> None:
    operator = a_desk("operator", zone)
    assert "/audit/files/" not in operator.get(LIST).content.decode()
    assert operator.get("/audit/files/exceptions.csv").status_code == 403
