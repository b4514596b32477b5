"""Tax is split off to the cent, by the tariff in force, whatever goes back in whatever parts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from hypothesis import given
from hypothesis import strategies as st

from parking.models import TariffState, TariffVersion
from parking.pricing import Tariff
from payments import ledger, refunds, tax_split
from payments.models import LedgerLine, RefundReason
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, books, check_books

rates = st.integers(0, 10_000)


@st.composite
def prices(draw: st.DrawFn) -> tuple[int, int]:
    """Return net and tax of a price, included or on top, as the tariff splits it."""
    amount, rate = draw(st.integers(1, 10**9)), draw(rates)
    if draw(st.booleans()):
        net = (2 * amount * 10_000 + 10_000 + rate) // (2 * (10_000 + rate))
        return net, amount - net
    return amount, (2 * amount * rate + 10_000) // 20_000


@given(prices())
def test_the_tax_of_a_price_paid_in_full_is_the_tax_that_was_quoted(price: tuple[int, int]) -> None:
    net, tax = price
    assert tax_split.of_capture(net + tax, net=net, tax=tax) == tax


@given(prices(), st.data())
def test_no_cent_of_tax_is_lost_or_made_by_refunds_in_parts(
    price: tuple[int, int], data: st.DataObject
) -> None:
    net, taxed = price
    captured = net + taxed
    left, tax_left = captured, taxed
    while left:
        amount = data.draw(st.integers(max(1, left // 20), left))
        tax = tax_split.of_refund(
            amount, captured=captured, taxed=taxed, left=left, tax_left=tax_left
        )
        left, tax_left = left - amount, tax_left - tax
        assert 0 <= tax_left <= left
        # What remains holds its share of the tax to half a cent.
        assert abs(2 * (tax_left * captured - taxed * left)) <= captured
        assert -1 <= tax <= amount + 1
    assert tax_left == 0


@given(prices(), st.integers(1, 10**9))
def test_tax_stays_between_nothing_and_the_whole(price: tuple[int, int], amount: int) -> None:
    net, taxed = price
    assert 0 <= tax_split.of_capture(amount, net=net, tax=taxed) <= amount


def with_tax(**tax: object) -> dict[str, object]:
    return {**cast.TWO_EURO_AN_HOUR, "tax": tax}


@pytest.mark.django_db
def test_each_zone_and_date_has_its_own_treatment(processor: Processor) -> None:
    zone = cast.a_zone(tariff=with_tax(code="standard", rate_bp=2500, included=True))
    change = cast.at(240)
    TariffVersion.objects.filter(zone=zone).update(
        in_force=DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), change)
    )
    document = with_tax(code="reduced", rate_bp=1000, included=False)
    TariffVersion.objects.create(
        zone=zone,
        version=2,
        document=document,
        sha256=Tariff.parse(document).sha256,
        state=TariffState.APPROVED,
        in_force=DateTimeTZRange(change, None),
    )
    spot = cast.a_spot(zone)
    elsewhere = cast.a_spot(cast.a_zone("toolo"), "T-1")

    a_paid_booking(spot, processor, minutes=60)
    a_paid_booking(spot, processor, start=cast.at(300), minutes=60)
    a_paid_booking(elsewhere, processor, minutes=60)

    captures = [moved for kind, moved in books() if kind == "capture"]
    assert captures == [
        {"psp_clearing": 200, "parking_revenue:kamppi": -160, "tax_payable:standard": -40},
        {"psp_clearing": 220, "parking_revenue:kamppi": -200, "tax_payable:reduced": -20},
        {"psp_clearing": 200, "parking_revenue:toolo": -200},
    ]


@pytest.mark.django_db
def test_refunds_in_three_parts_leave_nothing_on_any_account(processor: Processor) -> None:
    zone = cast.a_zone(tariff=with_tax(code="standard", rate_bp=2550, included=True))
    payment = a_paid_booking(cast.a_spot(zone), processor, minutes=60)
    for amount in (67, 66, 67):
        refund = refunds.request(
            payment=payment,
            amount=amount,
            reason=RefundReason.OPERATOR,
            actor="officer",
            now=cast.NOW,
        )
        refunds.submit(refund_id=refund.pk, now=cast.NOW)
        check_books()
    accounts = LedgerLine.objects.exclude(account__in=(ledger.FEES, ledger.CLEARING))
    sums: dict[str, int] = {}
    for line in accounts:
        sums[line.account] = sums.get(line.account, 0) + line.amount
    assert sums == {"parking_revenue:kamppi": 0, "tax_payable:standard": 0}
    parts = [moved["tax_payable:standard"] for kind, moved in books() if kind == "refund"]
    assert sum(parts) == 41
    assert sorted(parts) == [13, 14, 14]
