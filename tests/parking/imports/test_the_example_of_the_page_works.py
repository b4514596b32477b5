"""The whole example of docs/import.md is run as it is printed."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from parking.models import Feature, Meter, Spot, StayRules, TariffVersion

PAGE = Path(__file__).resolve().parents[3] / "docs/import.md"


@pytest.mark.django_db
def test_it_does_what_the_page_says(tmp_path: Path, settings: LazySettings) -> None:
    settings.CITY_CENTRE = (9.3072, 48.7406)
    example = PAGE.read_text(encoding="utf-8").partition("## A whole example")[2]
    table, mapping, session = re.findall(r"```(?:toml)?\n(.*?)```", example, re.DOTALL)
    (tmp_path / "kerb_2026.csv").write_text(table, encoding="cp1252")
    (tmp_path / "kerb.toml").write_text(mapping, encoding="utf-8")
    out = io.StringIO()
    call_command(
        "import_spots", tmp_path / "kerb_2026.csv", mapping=tmp_path / "kerb.toml", stdout=out
    )
    assert out.getvalue().splitlines()[1:] == session.splitlines()[2:]

    first, second = Spot.objects.order_by("number")
    assert (first.number, first.street) == ("12", "Marktstraße")
    assert first.location.coords == pytest.approx((9.3060, 48.7424), abs=0.0001)
    assert second.features == [Feature.ACCESSIBLE]
    assert (Meter.objects.get().serial, Meter.objects.get().spots.count()) == ("PSA-07", 2)
    assert StayRules.objects.get().longest_stay_min == 120
    assert [
        (band["days"], band["from"], band["to"], band["tiers"])
        for band in TariffVersion.objects.get().document["bands"]
    ] == [
        (["mon", "tue", "wed", "thu", "fri"], "08:00", "18:00", [{"per_hour": 200}]),
        (["sat"], "09:00", "14:00", [{"per_hour": 200}]),
    ]
