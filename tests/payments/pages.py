"""Walking through the pages of one booking."""

import re

from django.test import Client
from django.utils import timezone

from parking.models import Slot
from payments import checkout
from payments.models import Payment, PaymentState
from tests.payments.processor import Processor


def page(slot: Slot, name: str = "") -> str:
    return f"/bookings/{slot.booking.reference}/{name}"


def text(client: Client, slot: Slot, name: str = "", **query: str) -> str:
    answer = client.get(page(slot, name), query)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return without_bdi(answer.content.decode())


def without_bdi(markup: str) -> str:
    """Let a spot's number, which stays in one piece, stand in its sentence."""
    return re.sub("</?bdi[^>]*>", "", markup)


def pay(slot: Slot, processor: Processor, *, sync: bool = True) -> Payment:
    checkout.start(slot_id=slot.pk, now=timezone.now())
    payment = slot.payments.get(state=PaymentState.OPEN)
    processor.pay(payment.session_id)
    if sync:
        checkout.sync_payment(payment_id=payment.id, now=timezone.now())
    return payment
