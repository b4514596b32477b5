"""`manage.py seed_demo`: what it makes, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Max, Min, Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from config.demo import build
from parking.models import (
    Booking,
    BookingEvent,
    Light,
    Meter,
    MeterKey,
    Slot,
    SlotState,
    Spot,
    TariffState,
    TariffVersion,
    Zone,
)
from payments.models import LedgerEntry, LedgerLine, Mail, Payment, PaymentState, Refund

pytestmark = pytest.mark.django_db(transaction=True)


def _seed(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    call_command("seed_demo", **{"city": "helsinki", "history_days": 0, **options})
    return capsys.readouterr().out


def test_a_city_without_a_past_stands_complete(capsys: pytest.CaptureFixture[str]) -> None:
    said = _seed(capsys)

    assert "6 zones, 60 meters, 480 spots" in said
    assert (Zone.objects.count(), Meter.objects.count()) == (6, 60)
    assert Spot.objects.count() == Light.objects.count() == 480
    assert set(Meter.objects.annotate(n=Count("spots")).values_list("n", flat=True)) == {8}
    assert MeterKey.objects.count() == 60
    assert not Spot.objects.exclude(meter__zone=F("zone")).exists()
    for feature in ("accessible", "ev", "motorcycle", "loading"):
        assert Spot.objects.filter(features__contains=[feature]).exists(), feature
    assert not Booking.objects.exists()


def test_prices_became_law_through_two_persons_and_are_in_force(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _seed(capsys)

    versions = TariffVersion.objects.all()
    assert {version.state for version in versions} == {TariffState.APPROVED}
    assert all(version.proposed_by != version.approved_by for version in versions)
    now = timezone.now()
    assert versions.filter(in_force__contains=now).count() == 6
    assert versions.filter(version=2, in_force__contains=now).count() == 2
    assert versions.filter(in_force__contains=now - timedelta(days=60)).count() == 6


def test_every_account_signs_in_and_has_its_role(capsys: pytest.CaptureFixture[str]) -> None:
    _seed(capsys)

    desks = {
        build.CITIZEN: 403,
        build.OPERATOR: 200,
        build.OPERATOR_OF_ONE: 200,
        build.WARDEN: 200,
        build.AUDITOR: 200,
        build.FINANCE: 200,
        build.ADMIN: 200,
    }
    for email, status in desks.items():
        browser = Client()
        answer = browser.post(
            reverse("account_login"), {"login": email, "password": build.PASSWORD}
        )
        assert answer.status_code == 302, email
        assert browser.get(reverse("admin:index"), follow=True).status_code == status, email
    assert User.objects.get(email=build.OPERATOR).operated_zones.count() == 6
    assert User.objects.get(email=build.OPERATOR_OF_ONE).operated_zones.count() == 1
    assert [user.email for user in User.objects.filter(is_superuser=True)] == [build.ADMIN]


def test_a_full_database_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    _seed(capsys)
    before = list(Zone.objects.values())

    with pytest.raises(CommandError, match="already holds a city"):
        _seed(capsys)
    assert "nothing to do" in _seed(capsys, if_empty=True)

    assert list(Zone.objects.values()) == before
    assert User.objects.count() == 7


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"city": "tehran"}, "CITY_CURRENCY is EUR and must be IRR"),
        ({"history_days": 61}, "0 to 60"),
        ({"history_days": -1}, "0 to 60"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    options: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=says):
        _seed(capsys, **options)

    assert not Zone.objects.exists()
    assert not User.objects.exists()


def test_without_a_sandbox_nothing_is_written(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match=r"No payment sandbox answers .*127\.0\.0\.1:9"):
        _seed(capsys, history_days=2)

    assert not Zone.objects.exists()


def test_with_stripe_itself_the_history_is_skipped_and_said_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STRIPE_API_BASE = "https://api.stripe.com"

    said = _seed(capsys, history_days=2)

    assert "No history" in said
    assert Zone.objects.count() == 6
    assert not Booking.objects.exists()


def test_tehran_stands_in_rial_and_persian(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CITY_CURRENCY, settings.CITY_TIME_ZONE = "IRR", "Asia/Tehran"

    assert "480 spots" in _seed(capsys, city="tehran")
    assert Zone.objects.filter(name="ونک").exists()
    assert Spot.objects.filter(street="خیابان ولیعصر").exists()


def test_a_past_is_lived_through_the_public_rules(
    sandbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _seed(capsys, history_days=4)

    assert "visits:" in said
    now = timezone.now()
    assert Booking.objects.count() > 100
    assert BookingEvent.objects.values("kind").distinct().count() >= 3
    # The map has something to show.
    assert Slot.objects.confirmed().covering(now).count() > 40
    assert Slot.objects.confirmed().filter(period__startswith__gt=now).count() > 10
    # Every confirmed slot is paid with its price, or free with a reason.
    for slot in Slot.objects.confirmed():
        paid = slot.payments.filter(state=PaymentState.PAID, amount=slot.amount).count()
        assert paid == 1 or slot.free_reason, slot.pk
    # Nothing hangs in the air but what is a few minutes old.
    hanging = Slot.objects.filter(state__in=[SlotState.HELD, SlotState.EXPIRING])
    assert not hanging.filter(created_at__lt=now - timedelta(minutes=15)).exists()
    assert not Payment.objects.filter(paid_at__gt=now).exists()
    # The books balance, are sealed, and lie in the past day by day.
    assert LedgerLine.objects.aggregate(sum=Sum("amount"))["sum"] == 0
    assert not LedgerEntry.objects.filter(number=None).exists()
    days = LedgerEntry.objects.aggregate(first=Min("business_on"), last=Max("business_on"))
    assert days["first"] < timezone.localdate() - timedelta(days=1)
    assert days["last"] <= timezone.localdate()
    numbered = list(LedgerEntry.objects.order_by("number").values_list("posted_at", flat=True))
    assert numbered == sorted(numbered)
    # They tie to the processor, which lives today again.
    clearing = LedgerLine.objects.filter(account="psp_clearing").aggregate(sum=Sum("amount"))
    balance = httpx.get(f"{sandbox}/v1/balance", auth=("sk_test_curblight", "")).json()
    held = sum(pot["amount"] for part in ("available", "pending") for pot in balance[part])
    assert clearing["sum"] == held
    clock = httpx.get(f"{sandbox}/_control/state").json()["clock"]
    assert abs(clock["now"] - now.timestamp()) < 120
    # Invented people get no letters.
    assert not Mail.objects.filter(sent_at=None, given_up_at=None).exists()


@pytest.mark.torture
def test_two_histories_of_one_day_are_the_same_but_for_what_must_not_be_guessed(
    sandbox: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    def lived() -> list[tuple[Any, ...]]:
        _seed(capsys, history_days=2)
        rows = Slot.objects.order_by("created_at", "spot__number").values_list(
            "spot__number", "booking__plate", "period", "state", "amount", "created_at"
        )
        return [tuple(row) for row in rows]

    first = lived()
    references = set(Booking.objects.values_list("reference", flat=True))
    refunds = Refund.objects.count()
    with connection.cursor() as cursor:
        tables = ", ".join(connection.introspection.table_names())
        cursor.execute("SET session_replication_role = replica")
        kept = {"django_migrations", "django_content_type", "auth_permission", "spatial_ref_sys"}
        for table in tables.split(", "):
            if table not in kept and not table.startswith(("auth_group", "payments_ledgerhead")):
                cursor.execute(f"DELETE FROM {table}")
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("UPDATE payments_ledgerhead SET number = 0")

    second = lived()

    assert first == second
    assert Refund.objects.count() == refunds
    assert not references & set(Booking.objects.values_list("reference", flat=True))
