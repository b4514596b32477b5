"""Programs are told what a change means, and change a booking on those terms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from parking.models import Slot, SlotState, Spot, TariffVersion
from payments.models import Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.test_api import paid


class Booked:
    """A paid hour on K-1 with K-2 and K-3 beside it, as a program sees it."""

    def __init__(self, client: Client, spot: Spot, processor: Processor) -> None:
        self.client = client
        self.beside = cast.a_spot(spot.zone, "K-2", metres_east=6)
        self.next = cast.a_spot(spot.zone, "K-3", metres_east=12)
        path, self.key = paid(client, spot, processor)
        self.path = f"{path}change/"
        self.slot = Slot.objects.get()

    def asked(self, **wish: object) -> tuple[int, dict[str, object]]:
        answer = self.client.get(self.path, wish, headers=self.key)
        return answer.status_code, answer.json()

    def changed(self, **wish: object) -> tuple[int, dict[str, object]]:
        answer = self.client.post(
            self.path, wish, content_type="application/json", headers=self.key
        )
        return answer.status_code, answer.json()

    def end(self, minutes: int) -> str:
        """Return the end of the stay, so many minutes later."""
        return (self.slot.end + timedelta(minutes=minutes)).isoformat()

    def is_as_it_was(self) -> bool:
        return list(Slot.objects.filter(booking=self.slot.booking_id)) == [self.slot]


@pytest.fixture
def booked(client: Client, spot: Spot, processor: Processor) -> Booked:
    return Booked(client, spot, processor)


def test_a_longer_stay_waits_for_the_difference(booked: Booked) -> None:
    status, terms = booked.asked(to=booked.end(30))
    assert (status, terms["due"], terms["back"]) == (200, 100, 0)
    assert booked.is_as_it_was()
    status, body = booked.changed(to=booked.end(30), due=100, back=0)
    assert status == 200, body
    assert (body["state"], body["waiting"]["state"], body["waiting"]["amount"]) == (
        *("confirmed", "held"),
        100,
    )


def test_a_shorter_stay_gives_money_back(booked: Booked) -> None:
    status, terms = booked.asked(to=booked.end(-30))
    assert (status, terms["due"], terms["back"]) == (200, 0, 100)
    status, body = booked.changed(to=booked.end(-30), due=0, back=100)
    assert (status, body["refunded"], body["amount"]) == (200, 100, 100)
    assert Refund.objects.get().amount == 100


def test_other_terms_than_those_that_were_told_change_nothing(booked: Booked) -> None:
    status, body = booked.changed(to=booked.end(30), due=50, back=0)
    assert (status, body["type"]) == (409, "urn:curblight:problem:other-terms")
    assert (body["terms"]["due"], body["terms"]["spot"]) == (100, booked.slot.spot_id)
    assert booked.is_as_it_was()


def test_a_taken_spot_comes_with_others_and_what_a_change_to_each_means(booked: Booked) -> None:
    cast.a_hold(booked.beside, booked.slot.start, now=booked.slot.created_at)
    wish = {"spot": booked.beside.pk, "to": booked.end(60)}
    for status, body in (booked.asked(**wish), booked.changed(**wish, due=200, back=0)):
        assert (status, body["type"]) == (409, "urn:curblight:problem:spot-taken")
        (other,) = body["alternatives"]
        assert (other["spot"], other["number"], other["distance_m"]) == (booked.next.pk, "K-3", 6)
        assert (other["due"], other["back"], other["currency"]) == (200, 0, "EUR")
    assert booked.is_as_it_was()
    terms = {name: other[name] for name in ("spot", "from", "to", "due", "back")}
    status, body = booked.changed(**terms)
    assert (status, body["waiting"]["spot"]) == (200, booked.next.pk), body


def test_nothing_is_offered_at_a_time_that_is_not_on_sale(booked: Booked) -> None:
    later = booked.slot.end + timedelta(hours=2)
    cast.a_hold(booked.beside, later, now=booked.slot.created_at)
    ends = DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), booked.slot.end)
    TariffVersion.objects.update(in_force=ends)
    period = {"from": later.isoformat(), "to": (later + timedelta(hours=1)).isoformat()}
    status, body = booked.asked(spot=booked.beside.pk, **period)
    assert (status, body["type"]) == (409, "urn:curblight:problem:spot-taken")
    assert body["alternatives"] == []


def test_another_spot_at_the_same_time_is_had_at_once(booked: Booked) -> None:
    status, body = booked.changed(spot=booked.beside.pk, due=0, back=0)
    assert (status, body["spot"]["number"], body["waiting"]) == (200, "K-2", None)
    states = Slot.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [SlotState.REPLACED, SlotState.CONFIRMED]


@pytest.mark.parametrize(
    ("wish", "status", "kind"),
    [
        ({"spot": 999_999, "due": 0, "back": 0}, 404, "not-found"),
        ({"due": 0, "back": 0}, 422, "stay-refused"),
        ({"spot": "K-2", "due": 0, "back": 0}, 400, "invalid-input"),
        ({"to": "2026-13-01", "due": 0, "back": 0}, 400, "invalid-input"),
        ({"spot": 1}, 400, "invalid-input"),
    ],
)
def test_a_bad_wish_is_a_problem_document(
    booked: Booked, wish: dict[str, object], status: int, kind: str
) -> None:
    code, body = booked.changed(**wish)
    assert (code, body["type"]) == (status, f"urn:curblight:problem:{kind}")
    assert booked.is_as_it_was()


def test_strangers_learn_and_change_nothing(booked: Booked) -> None:
    booked.key = {}
    booked.client.cookies.clear()
    assert booked.asked(to=booked.end(30))[0] == 404
    assert booked.changed(spot=booked.beside.pk, due=0, back=0)[0] == 404
    assert booked.is_as_it_was()
