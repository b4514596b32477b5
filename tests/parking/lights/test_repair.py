"""What differs is sent again; what cannot be mended is asked less and less often."""

from datetime import timedelta
from itertools import pairwise

import pytest

from parking import lights
from parking.lights import commands, outcomes, reported
from parking.meter_client import Answer, MeterError
from parking.meter_messages import LampState, State
from parking.meter_protocol import Show
from parking.models import Meter, MeterCommand
from tests import cast
from tests.cast import NOW, at
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db

OFF = Show("off", "none")
RED = Show("red", "steady")


@pytest.fixture
def meter(db: None) -> Meter:
    """A meter of two lamps that has its first plan and has said so."""
    meter = a_street_meter(cast.a_zone())
    lights.look(now=NOW)
    (delivery,) = commands.claim(now=NOW)
    outcomes.settle(delivery=delivery, outcome=Answer.APPLIED, now=NOW)
    said(meter)
    return meter


def said(
    meter: Meter, *, seq: int = 1, boot: str = "b1", revision: int = 1, shows: Show = OFF, now=NOW
) -> reported.Heard:
    """Let the meter report that both its lamps show this."""
    return reported.take_state(
        meter_id=meter.pk,
        state=State(
            seq=seq,
            at=now,
            boot_id=boot,
            revision=revision,
            firmware="1.0",
            battery_pct=90,
            clock_offset_ms=0,
            faults=[],
            lamps=[LampState(lamp=number, show=shows, occupied=False) for number in (1, 2)],
        ),
        skew_ms=0,
        now=now,
    )


def open_commands(meter: Meter) -> list[int]:
    return list(
        MeterCommand.objects.filter(meter=meter, ended_at=None).values_list("revision", flat=True)
    )


def test_a_meter_that_shows_what_it_should_is_left_alone(meter: Meter) -> None:
    assert lights.reconcile(now=at(10)) == []
    assert open_commands(meter) == []


def test_a_differing_lamp_gets_its_plan_again_under_the_same_revision(meter: Meter) -> None:
    said(meter, seq=2, shows=RED, now=at(1))
    assert lamp(meter, 1).light.reported_light == "red"
    assert lights.reconcile(now=at(2)) == [meter.pk]
    assert open_commands(meter) == [1]
    meter.refresh_from_db()
    assert meter.plan_revision == 1


def test_an_open_command_is_not_written_twice(meter: Meter) -> None:
    said(meter, seq=2, shows=RED, now=at(1))
    lights.reconcile(now=at(2))
    assert lights.reconcile(now=at(3)) == []


def test_a_stuck_lamp_is_asked_less_and_less_often(meter: Meter) -> None:
    asked, now = [], at(1)
    said(meter, seq=2, shows=RED, now=now)
    while now < at(180):
        if lights.reconcile(now=now):
            asked.append(now)
            for delivery in commands.claim(now=now):
                outcomes.settle(delivery=delivery, outcome=Answer.APPLIED, now=now)
        now += timedelta(seconds=30)
    gaps = [(b - a).total_seconds() for a, b in pairwise(asked)]
    assert gaps[0] <= 120
    assert max(gaps) <= 900 + 30
    assert len(asked) < 25


def test_a_meter_that_forgot_its_plan_gets_it_when_it_says_so(meter: Meter) -> None:
    heard = said(meter, boot="b2", seq=1, revision=0, shows=Show("amber", "double_blink"))
    assert heard.should_send
    assert open_commands(meter) == [1]


def test_a_meter_that_is_heard_again_is_not_kept_waiting(meter: Meter) -> None:
    said(meter, boot="b2", seq=1, revision=0)
    for _attempt in range(12):
        MeterCommand.objects.filter(ended_at=None).update(next_attempt_at=at(1))
        (delivery,) = commands.claim(now=at(1))
        outcomes.settle(
            delivery=delivery,
            outcome=MeterError("unavailable", "", retryable=True, retry_after=300),
            now=at(1),
        )
    assert commands.claim(now=at(2)) == []
    assert said(meter, boot="b2", seq=2, revision=0, now=at(2)).should_send
    assert len(commands.claim(now=at(2))) == 1


def test_a_meter_with_a_later_plan_than_ours_is_overtaken(meter: Meter) -> None:
    said(meter, seq=2, revision=7, now=at(1))
    assert lights.reconcile(now=at(3)) == [meter.pk]
    assert open_commands(meter) == [8]


def test_a_state_that_is_not_newer_is_dropped(meter: Meter) -> None:
    assert said(meter, seq=5, now=at(1)).is_news
    assert not said(meter, seq=5, shows=RED, now=at(1)).is_news
    assert not said(meter, seq=4, shows=RED, now=at(1)).is_news
    assert lamp(meter, 1).light.reported_light == "off"


def test_a_late_message_of_an_old_boot_is_no_new_boot(meter: Meter) -> None:
    assert said(meter, boot="b2", seq=1, now=at(1)).is_news
    assert not said(meter, boot="b1", seq=99, shows=RED, now=at(2)).is_news
    meter.refresh_from_db()
    assert (meter.boot_id, meter.state_seq) == ("b2", 1)
    assert lamp(meter, 1).light.reported_light == "off"


def test_a_report_never_changes_what_a_lamp_should_show(meter: Meter) -> None:
    said(meter, seq=2, shows=RED, now=at(1))
    seen = lamp(meter, 1).light
    assert (seen.desired_light, seen.reported_light, seen.reported_at) == ("off", "red", at(1))
    assert not seen.converged


def test_a_fault_is_over_when_the_lamp_shows_what_it_should(meter: Meter) -> None:
    lamp_1 = lamp(meter, 1).light
    lamp_1.fault = "light_fault"
    lamp_1.save()
    said(meter, seq=2, shows=RED)
    assert lamp(meter, 1).light.fault == "light_fault"
    said(meter, seq=3, shows=OFF)
    assert lamp(meter, 1).light.fault == ""
