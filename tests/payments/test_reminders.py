"""People are reminded once, in time, of what is true then."""

from typing import Any

import pytest
from django.core import mail as outbox

from parking import booking, extension, locking
from parking.models import Closure, Slot, Spot
from payments import mail, reminders
from payments.models import Mail, MailKind
from tests import cast

pytestmark = pytest.mark.django_db


def remind(minutes: float) -> list[str]:
    """Do what the worker does at that minute; return the subjects of the letters that leave."""
    before = len(outbox.outbox)
    reminders.owe(now=cast.at(minutes))
    reminders.owe_for_closures(now=cast.at(minutes))
    for mail_id in mail.due(now=cast.at(minutes)):
        mail.send(mail_id=mail_id, now=cast.at(minutes))
    return [letter.subject for letter in outbox.outbox[before:]]


def subjects(minutes: float) -> list[str]:
    return [subject.rpartition(":")[0] for subject in remind(minutes)]


def test_before_the_start_and_twice_before_the_end(spot: Spot) -> None:
    cast.a_stay(spot, 180, start=120)  # 12:00 to 13:00
    said = {minutes: subjects(minutes) for minutes in (59, 60, 61, 164, 165, 166, 175, 176, 180)}
    assert {minutes: words for minutes, words in said.items() if words} == {
        60: ["Your parking begins at 12:00"],
        165: ["Your parking ends at 13:00"],
        175: ["5 minutes left, your parking ends at 13:00"],
    }


def test_the_letter_before_the_end_extends_without_a_login(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    remind(45)
    [letter] = outbox.outbox
    key = f"{slot.booking.reference}/extend/?key={slot.booking.access_key}"
    assert key in letter.body
    assert "until Tue 3 March 2026, 14:00 at the latest" in " ".join(letter.body.split())
    assert slot.booking.plate not in letter.body


def test_it_says_what_stops_an_extension(spot: Spot) -> None:
    cast.a_stay(spot, 60)
    cast.a_hold(spot, cast.at(60), minutes=30)
    remind(45)
    [letter] = outbox.outbox
    assert "cannot be made longer" in letter.body
    assert "Somebody else" in letter.body
    assert "/extend/" not in letter.body


def test_whoever_has_just_booked_is_not_reminded(spot: Spot) -> None:
    cast.a_stay(spot, 25)
    assert [remind(minutes) for minutes in (10, 14)] == [[], []]
    assert subjects(21) == ["5 minutes left, your parking ends at 10:25"]


def test_an_extension_is_reminded_of_anew_and_the_old_end_is_forgotten(spot: Spot) -> None:
    first, _longer = cast.a_stay(spot, 60, 120)  # extended at 10:59
    assert subjects(59.5) == []
    assert subjects(105) == ["Your parking ends at 12:00"]
    assert not Mail.objects.filter(slot=first).exists()


def test_a_reminder_that_is_owed_but_wrong_by_then_is_not_sent(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    reminders.owe(now=cast.at(45))
    [letter_id] = mail.due(now=cast.at(45))
    extension.extend(booking_id=slot.booking_id, to=cast.at(90), now=cast.at(45), actor="citizen")
    held = locking.lock_slot(Slot.objects.latest("id").pk)
    booking.confirm(slot=held, now=cast.at(46), actor="processor")

    assert mail.send(mail_id=letter_id, now=cast.at(46)) is False
    assert Mail.objects.get().given_up_at == cast.at(46)
    assert outbox.outbox == []


@pytest.mark.parametrize("minutes", [60, 300])
def test_a_reminder_that_comes_too_late_is_not_sent(spot: Spot, minutes: float) -> None:
    cast.a_stay(spot, 60)
    reminders.owe(now=cast.at(55))
    [letter_id] = mail.due(now=cast.at(55))
    assert mail.send(mail_id=letter_id, now=cast.at(minutes)) is False
    assert outbox.outbox == []


def test_a_cancelled_stay_is_not_reminded_of(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    reminders.owe(now=cast.at(45))
    booking.cancel(slot=locking.lock_slot(slot.pk), now=cast.at(45), actor="citizen")
    assert remind(46) == []
    assert outbox.outbox == []


def test_after_an_outage_only_what_is_still_of_use_is_owed(spot: Spot) -> None:
    cast.a_stay(spot, 180, start=120)
    reminders.owe(now=cast.at(178))
    assert list(Mail.objects.values_list("kind", flat=True)) == [MailKind.ENDS_NOW]


def test_owing_again_owes_nothing(spot: Spot) -> None:
    cast.a_stay(spot, 60)
    for minutes in (45, 45, 46):
        reminders.owe(now=cast.at(minutes))
    assert Mail.objects.count() == 1


def close(place: Spot, start: float, end: float, **fields: Any) -> Closure:
    return Closure.objects.create(
        zone=place.zone,
        period=(cast.at(start), cast.at(end)),
        **{"spot": place, "reason": "New pole", **fields},
    )


def test_whose_spot_is_closed_is_written_to_once_for_each_closure(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 180, start=120)  # 12:00 to 13:00
    close(spot, 150, 300)
    assert subjects(10) == ["The city closes your spot"]
    [letter] = outbox.outbox
    assert "New pole" in letter.body
    assert "12:30–15:00" in letter.body
    assert f"{slot.booking.reference}/closed/?key={slot.booking.access_key}" in letter.body
    assert subjects(11) == []
    close(spot, 120, 140, reason="Market")
    assert subjects(12) == ["The city closes your spot"]


@pytest.mark.parametrize(
    "closure",
    [
        {"start": 180, "end": 300},
        {"street": "Elsewhere"},
        {"longest_stay_min": 30, "kind": "event"},
    ],
    ids=["after the stay", "another street", "shorter stays only"],
)
def test_what_does_not_close_the_stay_is_no_news(spot: Spot, closure: dict[str, Any]) -> None:
    cast.a_stay(spot, 180, start=120)
    close(spot, **{"start": 150, "end": 300, "spot": None, **closure})
    assert subjects(10) == []


def test_of_a_closure_that_is_gone_nobody_is_told(spot: Spot) -> None:
    cast.a_stay(spot, 180, start=120)
    closure = close(spot, 150, 300, spot=None, street=spot.street)
    reminders.owe_for_closures(now=cast.at(10))
    assert Mail.objects.filter(kind=MailKind.CLOSED, sent_at=None).count() == 1
    closure.delete()
    assert remind(11) == []


def test_a_stay_that_is_over_is_not_told(spot: Spot) -> None:
    cast.a_stay(spot, 60)
    close(spot, 30, 300)
    assert subjects(61) == []
