"""The pages that end a booking and that prove what was paid."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from parking.models import Slot, SlotState, Spot
from payments import gateway, refunds
from payments.cancel import cancel_booking
from payments.models import Refund
from tests import cast
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor
from tests.payments.situations import fresh


class TestCancelling:
    """The amount is told first, and kept."""

    def test_it_shows_what_goes_back_and_then_does_it(
        self, guest: Client, slot: Slot, processor: Processor
    ) -> None:
        pay(slot, processor)
        said = text(guest, slot, "cancel/")
        assert "You get back" in said
        assert "<strong>2.00" in said
        assert fresh(slot).state == SlotState.CONFIRMED
        said = guest.post(page(slot, "cancel/"), {"told": "200"}, follow=True).content.decode()
        assert "This booking is cancelled" in said
        assert "on its way back" in said
        assert fresh(slot).state == SlotState.CANCELLED

        refund = Refund.objects.get()
        refunds.submit(refund_id=refund.id, now=timezone.now())
        assert "is returned to your card" in text(guest, slot)
        processor.control(f"refunds/{fresh(refund).refund_id}/settle", status="failed")
        refunds.adopt(said=gateway.retrieve_refund(fresh(refund).refund_id), now=timezone.now())
        assert "could not be returned" in text(guest, slot)

    def test_an_amount_that_has_become_less_is_shown_again(
        self, guest: Client, slot: Slot, processor: Processor
    ) -> None:
        pay(slot, processor)
        answer = guest.post(page(slot, "cancel/"), {"told": "300"})
        assert answer.status_code == 409
        assert "Nothing is cancelled yet" in answer.content.decode()
        assert fresh(slot).state == SlotState.CONFIRMED

    @pytest.mark.parametrize("told", ["", "x", "1e3"])
    def test_a_broken_form_cancels_nothing(
        self, guest: Client, slot: Slot, processor: Processor, told: str
    ) -> None:
        pay(slot, processor)
        answer = guest.post(page(slot, "cancel/"), {"told": told})
        assert answer["Location"] == page(slot, "cancel/")
        assert fresh(slot).state == SlotState.CONFIRMED

    def test_there_is_nothing_to_cancel_before_and_after(
        self, guest: Client, slot: Slot, processor: Processor
    ) -> None:
        for _ in range(2):
            said = guest.get(page(slot, "cancel/"), follow=True).content.decode()
            assert "nothing left to cancel" in said
            said = guest.post(page(slot, "cancel/"), {"told": "0"}, follow=True).content.decode()
            assert "nothing left to cancel" in said
            if slot.payments.exists():
                break
            pay(slot, processor)
            cancel_booking(reference=slot.booking.reference, now=timezone.now(), actor="citizen")

    def test_a_running_stay_is_ended_and_the_rest_goes_back(
        self, client: Client, spot: Spot, processor: Processor
    ) -> None:
        now = timezone.now()
        processor.stand_at(now)
        start = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
        slot = cast.a_hold(spot, start=start, now=now)
        pay(slot, processor)
        Slot.objects.update(confirmed_at=now - timedelta(hours=1))  # the grace is over
        client.get(page(slot), {"key": slot.booking.access_key})
        assert "End now (" in text(client, slot)
        said = text(client, slot, "cancel/")
        assert "End your stay now?" in said
        assert "unused time is refunded to the minute" in said
        told = next(iter(re.findall(r'name="told" value="(\d+)"', said)))
        assert 170 <= int(told) < 200

        client.post(page(slot, "cancel/"), {"told": told})
        assert fresh(slot).state == SlotState.CANCELLED
        assert cast.a_hold(spot, start=slot.end - timedelta(minutes=30), minutes=15, now=now)


class TestReceipt:
    """Numbered, dated, and only for what was paid."""

    def test_a_payment_has_a_receipt_at_once(
        self, guest: Client, slot: Slot, processor: Processor
    ) -> None:
        pay(slot, processor)
        said = text(guest, slot, "receipt/")
        assert f"R-{timezone.localdate().year}-000001" in said
        assert "2.00" in said
        assert "visa •••• 4242" in said
        assert slot.booking.plate not in said

    def test_a_refund_has_a_credit_note(
        self, guest: Client, slot: Slot, processor: Processor
    ) -> None:
        pay(slot, processor)
        text(guest, slot, "receipt/")
        done = cancel_booking(reference=slot.booking.reference, now=timezone.now(), actor="citizen")
        refunds.submit(refund_id=done.refund_ids[0], now=timezone.now())
        said = text(guest, slot, "receipt/")
        assert f"C-{timezone.localdate().year}-000001" in said
        assert "−2.00" in said

    def test_nothing_paid_has_none(self, guest: Client, slot: Slot) -> None:
        assert guest.get(page(slot, "receipt/")).status_code == 404
