"""Misfortune comes when, where and as often as it was ordered, and the same way each time."""

from pathlib import Path
from typing import Any

import pytest

from parking.simulator.faults import FaultBook, FaultsRefused, parse_faults, read_faults


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
    ("document", "named"),
    [
        ([], "must be"),
        ({"faults": []}, "must be"),
        ({"fault": {}}, "list"),
        ({"fault": ["offline"]}, r"fault\[0\]"),
        ({"fault": [{"kind": "offline"}, {"kind": "ofline"}]}, r"fault\[1\].kind: 'ofline'"),
        ({"fault": [{"kind": "offline", "color": 1}]}, "knows no color"),
        ({"fault": [{"kind": "latency", "median_ms": "50"}]}, "median_ms must be like 50"),
        ({"fault": [{"kind": "error", "status": True}]}, "status must be like 503"),
        ({"fault": [{"kind": "offline", "probability": 2}]}, "probability"),
        ({"fault": [{"kind": "offline", "from_s": 5, "to_s": 5}]}, "to_s"),
        ({"fault": [{"kind": "offline", "meters": 7}]}, "pattern"),
    ],
)
def test_a_mistake_is_named(document: object, named: str) -> None:
    with pytest.raises(FaultsRefused, match=named):
        parse_faults(document)


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml, json = tmp_path / "f.toml", tmp_path / "f.json"
    toml.write_text('[[fault]]\nkind = "latency"\nmedian_ms = 80\n')
    json.write_text('{"fault": [{"kind": "latency", "median_ms": 80}]}')
    assert read_faults(toml) == read_faults(json)
    (tmp_path / "bad.toml").write_text("[[fault")
    for name in ("bad.toml", "absent.toml"):
        with pytest.raises(FaultsRefused, match=name):
            read_faults(tmp_path / name)
