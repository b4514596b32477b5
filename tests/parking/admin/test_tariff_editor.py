"""The pages around a tariff: fields, preview, comparison and files, for whom they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from parking import tariff_versions
from parking.models import TariffVersion, Zone
from parking.pricing import Tariff
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.html_form import fields_of

SIX_EURO: dict[str, Any] = {
    **cast.TWO_EURO_AN_HOUR,
    "bands": [{**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 600}]}],
}
PRICE = "document:bands[0].tiers[0].per_hour"


def _page(name: str, *args: object) -> str:
    return reverse(f"admin:parking_tariffversion_{name}", args=args)


@pytest.fixture
def draft(zone: Zone) -> TariffVersion:
    """Three euro instead of two, from the day after tomorrow."""
    start = timezone.now().replace(microsecond=0, second=0) + timedelta(days=2)
    return tariff_versions.draft(
        zone_id=zone.pk, document=SIX_EURO, in_force=DateTimeTZRange(start, None)
    )


def _fields(browser: Client, page: str) -> QueryDict:
    return fields_of(browser.get(page).content.decode())


def test_a_draft_is_edited_in_fields_without_a_script(
    draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser, page = enter(operator), _page("change", draft.pk)
    data = _fields(browser, page)
    assert data[PRICE] == "6.00"
    data[PRICE], data["document:max_charge"] = "4.50", "20"

    assert browser.post(page, dict(data.lists())).status_code == 302

    before = draft.in_force
    draft.refresh_from_db()
    assert draft.document["bands"][0]["tiers"] == [{"per_hour": 450}]
    assert draft.document["max_charge"] == 2000
    assert "min_charge" not in draft.document
    assert draft.sha256 == Tariff.parse(draft.document).sha256
    assert draft.in_force == before


def test_saving_what_nobody_touched_changes_nothing(
    draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser, page = enter(operator), _page("change", draft.pk)

    assert browser.post(page, dict(_fields(browser, page).lists())).status_code == 302

    hashed = draft.sha256
    draft.refresh_from_db()
    assert draft.document == SIX_EURO
    assert draft.sha256 == hashed


def test_what_is_wrong_stands_at_its_field_and_is_not_stored(
    draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser, page = enter(operator), _page("change", draft.pk)
    data = _fields(browser, page)
    data[PRICE] = "four"

    answer = browser.post(page, dict(data.lists())).content.decode()

    assert 'value="four"' in answer
    at = answer.index('data-path="bands[0].tiers[0].per_hour"')
    assert "Write an amount such as 4.50." in answer[at : at + 1500]
    draft.refresh_from_db()
    assert draft.document == SIX_EURO


def test_the_preview_button_looks_and_does_not_save(
    draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser, page = enter(operator), _page("change", draft.pk)
    data = _fields(browser, page)
    data[PRICE] = "4.50"
    data["_preview"] = "1"

    answer = browser.post(page, dict(data.lists()))

    words = answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert answer.status_code == 200
    assert "every day 00:00–24:00: 2.00 € → 4.50 € an hour" in words
    assert "<b>9.00 €</b>" in words
    assert "errornote" not in words
    draft.refresh_from_db()
    assert draft.document == SIX_EURO


@pytest.mark.parametrize(
    ("add", "new"),
    [
        ("bands", "document:bands[1].from"),
        ("bands[0].tiers", "document:bands[0].tiers[1].per_hour"),
        ("ladder", "document:ladder[0].total"),
        ("vehicle_classes", "document:vehicle_classes[0].name"),
    ],
)
def test_a_row_is_added_without_a_script(
    add: str, new: str, draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser, page = enter(operator), _page("change", draft.pk)
    data = _fields(browser, page)
    assert new not in data
    data["document:add"] = add

    answer = browser.post(page, dict(data.lists()))

    assert new in fields_of(answer.content.decode())
    assert "errornote" not in answer.content.decode()


def test_the_script_is_answered_with_words_week_and_problems_by_path(
    draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    data = _fields(browser, _page("change", draft.pk))
    data["ask-clock"], data["ask-minutes"] = "23:00", "90"
    good = browser.post(_page("preview", draft.pk), dict(data.lists())).json()
    assert good["problems"] == []
    assert "9.00" in good["preview"]
    assert 'class="week__block' in good["week"]

    data["document:bands[0].to"] = "25:00"
    bad = browser.post(_page("preview", draft.pk), dict(data.lists())).json()

    assert [problem["path"] for problem in bad["problems"]] == ["bands[0].to"]
    assert "9.00" not in bad["preview"]


@pytest.mark.parametrize(
    "asked",
    [
        {"ask-minutes": "many"},
        {"ask-minutes": "9" * 30},
        {"ask-day": "7"},
        {"ask-day": "x"},
        {"ask-on": "0000-00-00"},
        {"ask-on": "9999-12-31"},
        {"ask-clock": "25:61"},
        {"ask-vehicle_class": "tram"},
    ],
)
def test_a_question_without_sense_gets_a_sentence(
    asked: dict[str, str], draft: TariffVersion, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    data = _fields(browser, _page("change", draft.pk))
    data.update(asked)

    answer = browser.post(_page("preview", draft.pk), dict(data.lists()))

    assert answer.status_code == 200
    assert "<b>" not in answer.json()["preview"]


def test_an_approver_reads_what_changes(
    draft: TariffVersion, operator: User, second_operator: User, enter: Enter
) -> None:
    tariff_versions.propose(version_id=draft.pk, by=operator, now=timezone.now())

    page = enter(second_operator).get(_page("change", draft.pk)).content.decode()

    words = page.replace("\N{NO-BREAK SPACE}", " ")
    assert "every day 00:00–24:00: 2.00 € → 6.00 € an hour" in words
    assert 'class="week__block' in page
    assert "data-tariff-editor" not in page


def test_two_versions_are_compared_the_older_first(
    draft: TariffVersion, zone: Zone, other_zone: Zone, auditor: User, enter: Enter
) -> None:
    browser, law = enter(auditor), zone.tariffs.get(version=1)

    pages = [
        browser.get(_page("compare", one.pk), {"with": two.pk}).content.decode()
        for one, two in ((draft, law), (law, draft))
    ]

    for page in pages:
        assert "2.00\N{NO-BREAK SPACE}€ → 6.00\N{NO-BREAK SPACE}€ an hour" in page
    elsewhere = other_zone.tariffs.get().pk
    assert browser.get(_page("compare", law.pk), {"with": elsewhere}).status_code == 404
    assert browser.get(_page("compare", law.pk), {"with": "x"}).status_code == 404
    assert browser.get(_page("compare", law.pk)).status_code == 200


def test_a_version_is_downloaded_as_it_was_hashed(
    draft: TariffVersion, auditor: User, enter: Enter
) -> None:
    answer = enter(auditor).get(_page("download", draft.pk))

    assert answer["Content-Disposition"] == 'attachment; filename="kamppi-v2.json"'
    assert json.loads(answer.content) == SIX_EURO
    assert answer.content.decode() == Tariff.parse(SIX_EURO).canonical


def _upload(browser: Client, zone: Zone, content: bytes) -> Any:
    file = SimpleUploadedFile("tariff.json", content, "application/json")
    return browser.post(_page("upload"), {"zone": zone.pk, "file": file})


def test_a_file_becomes_a_draft(zone: Zone, operator: User, enter: Enter) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(SIX_EURO).encode()

    answer = _upload(enter(operator), zone, content)

    made = zone.tariffs.get(version=2)
    assert answer["Location"] == _page("change", made.pk)
    assert (made.document, made.state, made.in_force) == (SIX_EURO, "draft", None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not valid JSON: line 1"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"currency": "EUR", "currency": "USD"}', "“currency” stands there twice"),
        (b'{"min_charge": NaN}', "NaN is not a number"),
        (b'{"\\ud800": 1}', "half a character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"min_charge": 1' + b"0" * 5000 + b"}", "number is too long"),
        (b"[]", "must be one JSON object"),
        (json.dumps({**SIX_EURO, "fee": 1}).encode(), "fee: is not a known key"),
        (json.dumps({**SIX_EURO, "currency": "USD"}).encode(), "currency: this city has EUR"),
        (json.dumps(SIX_EURO).encode() + b" " * 1024 * 1024, "at most 1"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_no_tariff_is_refused_in_words(
    content: bytes, says: str, zone: Zone, operator: User, enter: Enter
) -> None:
    answer = _upload(enter(operator), zone, content)

    assert answer.status_code == 200
    assert says in str(answer.context["form"].errors["file"])
    assert zone.tariffs.count() == 1


def _get(page: str) -> Callable[[Client, TariffVersion], int]:
    return lambda browser, draft: browser.get(_page(page, draft.pk)).status_code


def _preview(browser: Client, draft: TariffVersion) -> int:
    return browser.post(_page("preview", draft.pk), {"document": "{}"}).status_code


def _preview_new(browser: Client, draft: TariffVersion) -> int:
    data = {"document": "{}", "zone": draft.zone_id}
    return browser.post(_page("preview_new"), data).status_code


def _upload_page(browser: Client, _draft: TariffVersion) -> int:
    return browser.get(_page("upload")).status_code


@pytest.mark.parametrize(
    ("ask", "codes"),
    [
        (_get("compare"), (200, 200, 403, 200, 404)),
        (_get("download"), (200, 200, 403, 200, 404)),
        (_preview, (200, 200, 403, 403, 404)),
        (_preview_new, (200, 200, 403, 403, 200)),
        (_upload_page, (200, 200, 403, 403, 200)),
    ],
)
def test_each_page_opens_for_whom_it_is(
    ask: Callable[[Client, TariffVersion], int],
    codes: tuple[int, ...],
    draft: TariffVersion,
    other_zone: Zone,
    superuser: User,
    operator: User,
    warden: User,
    auditor: User,
    enter: Enter,
) -> None:
    from parking import roles

    stranger = cast.a_person("stranger")
    roles.give(user=stranger, role=roles.OPERATOR)
    other_zone.operators.add(stranger)

    people = (superuser, operator, warden, auditor, stranger)
    assert tuple(ask(enter(person), draft) for person in people) == codes


def test_a_stranger_learns_nothing_of_a_zone_and_uploads_nothing_into_it(
    draft: TariffVersion, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    from parking import roles

    stranger = cast.a_person("stranger")
    roles.give(user=stranger, role=roles.OPERATOR)
    other_zone.operators.add(stranger)
    browser = enter(stranger)

    data = {"document": json.dumps(SIX_EURO), "zone": zone.pk}
    assert "Kamppi" not in browser.post(_page("preview_new"), data).json()["preview"]
    refused = _upload(browser, zone, json.dumps(SIX_EURO).encode())
    assert "zone" in refused.context["form"].errors
    assert zone.tariffs.count() == 2
