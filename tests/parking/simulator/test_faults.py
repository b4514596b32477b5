"""Misfortune comes when, where and as often as it was ordered, and the same way each time."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from parking.simulator.fault_files import FaultsRefused, parse_faults, read_faults
from parking.simulator.faults import CARELESS, KINDS, FaultBook


def book(*faults: dict[str, Any], seed: int = 1, at: float = 1000) -> FaultBook:
    return FaultBook(seed, parse_faults({"fault": list(faults)}), at=at)


def test_a_window_opens_and_closes() -> None:
    some = book({"kind": "offline", "from_s": 10, "to_s": 20})
    on = [second for second in range(30) if some.has("offline", "M", 1000 + second)]
    assert on == list(range(10, 20))
    assert some.edges() == [1010, 1020]


def test_only_the_named_meters_are_hit() -> None:
    some = book({"kind": "offline", "meters": "MTR-00*"})
    assert some.has("offline", "MTR-0012", 1000)
    assert not some.has("offline", "MTR-0112", 1000)
    assert not some.has("maintenance", "MTR-0012", 1000)


def test_a_share_of_meters_has_a_condition_and_keeps_it() -> None:
    some = book({"kind": "offline", "probability": 0.3})
    hit = {n for n in range(1000) if some.has("offline", f"M{n}", 1000)}
    assert 250 < len(hit) < 350
    assert hit == {n for n in range(1000) if some.has("offline", f"M{n}", 1500)}


def test_a_share_of_messages_is_struck() -> None:
    some = book({"kind": "drop", "probability": 0.2})
    struck = sum(some.strikes("drop", "M", 1000) is not None for _message in range(2000))
    assert 320 < struck < 480


def test_the_same_seed_strikes_the_same_messages_and_another_does_not() -> None:
    def history(seed: int) -> list[bool]:
        some = book({"kind": "drop", "probability": 0.5}, seed=seed)
        return [some.strikes("drop", "M", 1000) is not None for _message in range(100)]

    assert history(1) == history(1)
    assert history(1) != history(2)


def test_what_is_cleared_is_over() -> None:
    some = book({"kind": "offline"})
    some.clear()
    assert not some.has("offline", "M", 1000)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "the document must be"),
        ({"faults": []}, "faults: unknown"),
        ({"fault": {}}, "fault: must be a list"),
        ({"fault": [{"kind": "drop"}] * 201}, "fault: at most 200"),
        ({"fault": ["offline"]}, "fault[0]: must be a table"),
        ({"fault": [{"kind": "offline"}, {"kind": "ofline"}]}, "fault[1].kind: 'ofline'"),
        ({"fault": [{"kind": ["offline"]}]}, "fault[0].kind: ['offline']"),
        ({"fault": [{"kind": "offline", "color": 1}]}, "fault[0].color: offline knows no such"),
        ({"fault": [{"kind": "latency", "median_ms": "50"}]}, "fault[0].median_ms: must be like"),
        ({"fault": [{"kind": "latency", "median_ms": -1}]}, "fault[0].median_ms: must lie"),
        ({"fault": [{"kind": "latency", "sigma": float("nan")}]}, "fault[0].sigma: must lie"),
        ({"fault": [{"kind": "error", "status": True}]}, "fault[0].status: must be like 503"),
        ({"fault": [{"kind": "error", "status": 200}]}, "fault[0].status: must lie"),
        ({"fault": [{"kind": "stuck_light", "light": "blue"}]}, "fault[0].light: 'blue'"),
        ({"fault": [{"kind": "careless", "about": "tea"}]}, "fault[0].about: 'tea'"),
        ({"fault": [{"kind": "offline", "probability": 2}]}, "fault[0].probability: must lie"),
        ({"fault": [{"kind": "offline", "from_s": 5, "to_s": 5}]}, "fault[0].to_s: must lie after"),
        ({"fault": [{"kind": "offline", "meters": 7}]}, "fault[0].meters: must be like"),
    ],
)
def test_a_mistake_is_named_by_the_path_of_its_key(document: object, said: str) -> None:
    with pytest.raises(FaultsRefused, match="^" + re.escape(said)):
        parse_faults(document)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_written_as_it_is_read(kind: str) -> None:
    (fault,) = parse_faults({"fault": [{"kind": kind, "to_s": 60, "probability": 0.5}]})
    assert parse_faults({"fault": [fault.as_json()]}) == [fault]


def test_the_page_names_every_kind_and_every_parameter() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "simulator.md").read_text()
    for kind, parameters in KINDS.items():
        assert f"`{kind}`" in page
        for name in parameters:
            assert f"`{name}`" in page
    for about in CARELESS:
        assert f"`{about}`" in page


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "simulator.md").read_text()
    example = page.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "bad-day.toml").write_text(example)
    assert len(read_faults(tmp_path / "bad-day.toml")) >= 3


def test_errors_come_in_bursts() -> None:
    some = book({"kind": "error", "probability": 0.02, "length": 10})
    struck = "".join("x" if some.strikes("error", "M", 1000) else "." for _message in range(3000))
    assert "x" * 10 in struck
    assert "." * 20 in struck
    assert all(len(burst) % 10 == 0 for burst in struck.rstrip("x").split(".") if burst)


def test_a_cut_gateway_takes_all_its_meters_along() -> None:
    some = book({"kind": "gateway_cut", "probability": 0.5})
    cut = {
        gateway: {some.is_cut(f"M{meter}", f"g{gateway}", 1000) for meter in range(20)}
        for gateway in range(40)
    }
    assert all(len(answers) == 1 for answers in cut.values())
    assert 8 < sum(answers == {True} for answers in cut.values()) < 32


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml, json = tmp_path / "f.toml", tmp_path / "f.json"
    toml.write_text('[[fault]]\nkind = "latency"\nmedian_ms = 80\n')
    json.write_text('{"fault": [{"kind": "latency", "median_ms": 80}]}')
    assert read_faults(toml) == read_faults(json)
    (tmp_path / "bad.toml").write_text("[[fault")
    for name in ("bad.toml", "absent.toml"):
        with pytest.raises(FaultsRefused, match=name):
            read_faults(tmp_path / name)
