"""Refunds by officers: a reason, a limit, a second person above it, and never one's own."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from parking import roles
from parking.models import Booking, BookingEvent, SlotState, Zone
from payments import expiry, officer_refunds, refunds
from payments.models import (
    LedgerEntry,
    MoneyException,
    Payment,
    Refund,
    RefundLimit,
    RefundRequest,
)
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, an_open_payment, books, fresh

LIMIT = 50


@pytest.fixture(autouse=True)
def _groups(db: None) -> None:
    roles.write_groups()
    operators = Group.objects.get(name=roles.OPERATOR)
    RefundLimit.objects.create(group=operators, amount=LIMIT)


@pytest.fixture
def payment(zone: Zone, processor: Processor) -> Payment:
    """Two euro, paid."""
    return a_paid_booking(cast.a_spot(zone), processor, start=cast.at(60))


@pytest.fixture
def operator(zone: Zone) -> User:
    return an_officer("operator", roles.OPERATOR, zone)


@pytest.fixture
def finance(db: None) -> User:
    return an_officer("finance", roles.FINANCE)


def an_officer(name: str, role: str, zone: Zone | None = None) -> User:
    person = cast.a_person(name)
    roles.give(user=person, role=role)
    if zone is not None:
        zone.operators.add(person)
    return User.objects.get(pk=person.pk)


def ask(payment: Payment, by: User, amount: int = LIMIT, note: str = "broken meter") -> Any:
    return officer_refunds.ask(
        payment_id=payment.id, amount=amount, note=note, by=by, now=cast.at(5)
    )


def trail(payment: Payment) -> list[tuple[str, str, str]]:
    events = BookingEvent.objects.filter(booking=payment.slot.booking, kind__startswith="refund")
    return list(events.values_list("kind", "actor", "reason"))


def test_within_the_limit_the_money_goes_back_at_once(payment: Payment, operator: User) -> None:
    refund = ask(payment, operator)
    assert isinstance(refund, Refund)
    assert (refund.amount, refund.reason, refund.note) == (LIMIT, "operator", "broken meter")
    refunds.submit(refund_id=refund.id, now=cast.at(6))
    entry = LedgerEntry.objects.get(kind="refund")
    assert entry.actor == f"officer:{operator.pk}"
    assert books()[-1][1]["psp_clearing"] == -LIMIT
    assert trail(payment) == [("refund", f"officer:{operator.pk}", "broken meter")]
    assert not MoneyException.objects.exists()
    assert fresh(payment.slot).state == SlotState.CONFIRMED


def test_above_the_limit_nothing_moves_before_a_second_person(
    payment: Payment, operator: User, finance: User
) -> None:
    asked = ask(payment, operator, LIMIT + 1)
    assert isinstance(asked, RefundRequest)
    assert not Refund.objects.exists()
    refund = officer_refunds.approve(request_id=asked.pk, by=finance, now=cast.at(9))
    refunds.submit(refund_id=refund.id, now=cast.at(10))
    entry = LedgerEntry.objects.get(kind="refund")
    assert entry.actor == f"officer:{operator.pk}"
    assert entry.approver == f"officer:{finance.pk}"
    assert Refund.objects.get().approver == f"officer:{finance.pk}"
    assert trail(payment) == [
        ("refund asked", f"officer:{operator.pk}", "broken meter"),
        ("refund", f"officer:{operator.pk}", "broken meter"),
        ("refund approved", f"officer:{finance.pk}", ""),
    ]
    row = MoneyException.objects.get()
    assert (row.kind, row.payment_id) == ("large_refund", payment.id)


def test_small_ones_of_a_booking_count_together(payment: Payment, operator: User) -> None:
    assert isinstance(ask(payment, operator, 30), Refund)
    assert isinstance(ask(payment, operator, 21), RefundRequest)
    assert isinstance(ask(payment, operator, 20), Refund)
    assert officer_refunds.left_alone(operator, payment.slot.booking) == 0


def test_a_group_without_a_limit_always_needs_two(payment: Payment, finance: User) -> None:
    assert isinstance(ask(payment, finance, 1), RefundRequest)


def test_the_highest_of_several_groups_counts(payment: Payment, operator: User) -> None:
    chiefs = Group.objects.create(name="chiefs")
    RefundLimit.objects.create(group=chiefs, amount=150)
    operator.groups.add(chiefs)
    assert isinstance(ask(payment, operator, 150), Refund)


@pytest.mark.parametrize("note", ["", "   "])
def test_a_refund_says_why(payment: Payment, operator: User, note: str) -> None:
    with pytest.raises(officer_refunds.ReasonMissing):
        ask(payment, operator, note=note)
    assert not Refund.objects.exists()


class TestOwnBooking:
    def test_by_account(self, payment: Payment, operator: User) -> None:
        Booking.objects.update(user=operator)
        self.refused(payment, operator)

    def test_by_address_in_any_spelling(self, payment: Payment, operator: User) -> None:
        Booking.objects.update(email="Operator@Example.org")
        self.refused(payment, operator)

    def test_by_another_address_of_theirs(self, payment: Payment, operator: User) -> None:
        EmailAddress.objects.create(user=operator, email="private@example.org")
        Booking.objects.update(email="private@example.org")
        self.refused(payment, operator)

    def test_nor_as_the_second_person(
        self, payment: Payment, operator: User, finance: User
    ) -> None:
        asked = ask(payment, operator, 100)
        Booking.objects.update(user=finance)
        for decide in (officer_refunds.approve, officer_refunds.refuse):
            with pytest.raises(officer_refunds.OwnBooking):
                decide(request_id=asked.pk, by=finance, now=cast.at(9))
        assert not Refund.objects.exists()

    def test_nor_a_superuser(self, payment: Payment, db: None) -> None:
        root = cast.a_person("root", is_superuser=True)
        Booking.objects.update(user=root)
        self.refused(payment, root)

    def refused(self, payment: Payment, by: User) -> None:
        with pytest.raises(officer_refunds.OwnBooking):
            ask(payment, by)
        assert not Refund.objects.exists()
        assert not RefundRequest.objects.exists()


class TestSecondPerson:
    @pytest.fixture
    def asked(self, payment: Payment, finance: User) -> RefundRequest:
        return ask(payment, finance, 100)

    def test_is_somebody_else(self, asked: RefundRequest, finance: User) -> None:
        with pytest.raises(officer_refunds.SamePerson):
            officer_refunds.approve(request_id=asked.pk, by=finance, now=cast.at(9))
        assert not Refund.objects.exists()
        with pytest.raises(DatabaseError, match="two_persons"), transaction.atomic():
            RefundRequest.objects.update(
                decision="refused", decided_by=finance, decided_at=cast.at(9)
            )

    def test_must_have_the_permission(self, asked: RefundRequest, operator: User) -> None:
        with pytest.raises(officer_refunds.NotAllowed):
            officer_refunds.approve(request_id=asked.pk, by=operator, now=cast.at(9))
        assert not Refund.objects.exists()

    def test_decides_once(self, asked: RefundRequest, processor: Processor) -> None:
        second = an_officer("second", roles.FINANCE)
        officer_refunds.approve(request_id=asked.pk, by=second, now=cast.at(9))
        for decide in (officer_refunds.approve, officer_refunds.refuse):
            with pytest.raises(officer_refunds.AlreadyDecided):
                decide(request_id=asked.pk, by=second, now=cast.at(9))
        assert Refund.objects.count() == 1

    def test_can_refuse(self, asked: RefundRequest, payment: Payment) -> None:
        second = an_officer("second", roles.FINANCE)
        officer_refunds.refuse(request_id=asked.pk, by=second, now=cast.at(9))
        assert not Refund.objects.exists()
        assert trail(payment)[-1][:2] == ("refund refused", f"officer:{second.pk}")

    def test_cannot_give_what_went_back_meanwhile(
        self, asked: RefundRequest, payment: Payment, operator: User
    ) -> None:
        RefundLimit.objects.update(amount=500)
        ask(payment, operator, 150)
        second = an_officer("second", roles.FINANCE)
        with pytest.raises(refunds.OverRefund):
            officer_refunds.approve(request_id=asked.pk, by=second, now=cast.at(9))
        assert RefundRequest.objects.get(pk=asked.pk).decision == "waiting"


@pytest.mark.parametrize("amount", [0, -5, 201])
def test_an_amount_that_is_not_there_is_refused(
    payment: Payment, operator: User, amount: int
) -> None:
    RefundLimit.objects.update(amount=500)
    with pytest.raises(refunds.OverRefund):
        ask(payment, operator, amount)


@pytest.mark.parametrize(
    ("who", "opens", "gives"),
    [
        ("stranger", 302, 302),
        ("citizen", 403, 403),
        ("warden", 403, 403),
        ("auditor", 403, 403),
        ("operator", 200, 302),
        ("operator elsewhere", 404, 404),
        ("finance", 200, 302),
    ],
)
def test_the_page_lets_in_exactly_who_refunds_here(
    payment: Payment, zone: Zone, who: str, opens: int, gives: int
) -> None:
    browser, name = Client(), who.split()[0]
    if name in roles.ROLES:
        where = cast.a_zone("punavuori") if "elsewhere" in who else zone
        browser.force_login(an_officer(name, name, where if name == "operator" else None))
    elif name == "citizen":
        browser.force_login(cast.a_person("citizen"))
    page = reverse("payments:refund", args=[payment.id])
    assert browser.get(page).status_code == opens
    answer = browser.post(page, {"amount": "0.50", "note": "broken meter"})
    assert answer.status_code == gives
    moved = Refund.objects.count() + RefundRequest.objects.count()
    assert moved == (1 if who in {"operator", "finance"} else 0)


def test_the_page_says_no_at_its_fields(payment: Payment, operator: User) -> None:
    browser = Client()
    browser.force_login(operator)
    page = reverse("payments:refund", args=[payment.id])
    for form, status in [
        ({}, 400),
        ({"amount": "one", "note": "x"}, 400),
        ({"amount": "0.505", "note": "x"}, 400),
        ({"amount": "0.50", "note": "  "}, 400),
        ({"amount": "99", "note": "x"}, 409),
    ]:
        assert browser.post(page, form).status_code == status, form
    assert not Refund.objects.exists()
    Booking.objects.update(user=operator)
    assert "your own booking" in browser.get(page).content.decode()
    assert browser.post(page, {"amount": "0.50", "note": "x"}).status_code == 409


def test_requests_are_decided_on_a_page(payment: Payment, operator: User, finance: User) -> None:
    asked = ask(payment, operator, 100)
    page = reverse("payments:refund-requests")
    browser = Client()
    browser.force_login(operator)
    assert browser.get(page).status_code == 403
    browser.force_login(finance)
    assert "broken meter" in browser.get(page).content.decode()
    assert browser.post(page, {"request": "x", "do": "approve"}).status_code == 404
    assert browser.post(page, {"request": asked.pk, "do": "x"}).status_code == 400
    assert browser.post(page, {"request": asked.pk, "do": "approve"}).status_code == 302
    assert Refund.objects.get().amount == 100


class TestForcedRelease:
    @pytest.fixture
    def stuck(self, zone: Zone, processor: Processor) -> Payment:
        """A payment whose page ended long ago, and nobody has said how."""
        payment = an_open_payment(cast.a_spot(zone), start=cast.at(60 * 24))
        expiry.sweep(now=cast.at(11))
        return payment

    def test_an_officer_gives_the_spot_back_with_a_reason(
        self, stuck: Payment, operator: User
    ) -> None:
        browser = Client()
        browser.force_login(operator)
        page = reverse("payments:release", args=[stuck.id])
        assert browser.get(page).status_code == 200
        assert browser.post(page, {"reason": " "}).status_code == 409
        assert fresh(stuck.slot).state == SlotState.EXPIRING
        assert browser.post(page, {"reason": "street festival"}).status_code == 302
        assert fresh(stuck.slot).state == SlotState.RELEASED
        event = BookingEvent.objects.get(kind="released")
        assert (event.actor, event.reason) == (f"officer:{operator.pk}", "street festival")
        assert MoneyException.objects.get().kind == "forced_release"
        assert browser.post(page, {"reason": "again"}).status_code == 409

    def test_not_while_the_page_may_be_alive(self, stuck: Payment, operator: User) -> None:
        Payment.objects.update(expires_at=timezone.now())
        browser = Client()
        browser.force_login(operator)
        page = reverse("payments:release", args=[stuck.id])
        assert browser.post(page, {"reason": "street festival"}).status_code == 409
        assert fresh(stuck.slot).state == SlotState.EXPIRING

    @pytest.mark.parametrize("role", [roles.WARDEN, roles.AUDITOR])
    def test_nobody_else(self, stuck: Payment, role: str) -> None:
        browser = Client()
        browser.force_login(an_officer("other", role))
        page = reverse("payments:release", args=[stuck.id])
        assert browser.get(page).status_code == 403
        assert browser.post(page, {"reason": "x"}).status_code == 403
        assert fresh(stuck.slot).state == SlotState.EXPIRING


@pytest.mark.parametrize(
    ("role", "leads"), [(roles.OPERATOR, True), (roles.FINANCE, True), (roles.AUDITOR, False)]
)
def test_a_payment_leads_who_may_to_the_page_of_refunds(
    payment: Payment, zone: Zone, role: str, leads: bool
) -> None:
    browser = Client()
    browser.force_login(an_officer("officer", role, zone))
    answer = browser.get(reverse("admin:payments_payment_change", args=[payment.id]))
    assert answer.status_code == 200
    assert (reverse("payments:refund", args=[payment.id]) in answer.content.decode()) is leads
