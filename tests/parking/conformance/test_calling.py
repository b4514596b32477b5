"""A meter that only calls out is held to the same rules, by what it does with wrong plans."""

from __future__ import annotations

from typing import Any

import pytest

from parking.conformance.calling import CallingBench
from parking.conformance.report import Verdict, check
from tests.parking.conformance.test_check import broken, name
from tests.parking.street import RunningStreet

REFUSALS = [
    *("wrong-signature", "no-signature", "unknown-key", "changed-body", "clock-skew", "replay"),
    *("malformed", "unknown-light", "not-yours", "same-revision", "stale-revision", "expired"),
]
ANSWERS_NOTHING = ["says-its-time", "problem-documents"]
FAULTS: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": "careless", "about": "revision"}, {"stale-revision"}),
    ({"kind": "careless", "about": "signature"}, {"wrong-signature", "no-signature"}),
    ({"kind": "careless", "about": "signature"}, {"unknown-key", "changed-body"}),
    ({"kind": "careless", "about": "skew"}, {"clock-skew"}),
    ({"kind": "careless", "about": "nonce"}, {"replay"}),
    ({"kind": "careless", "about": "second_key"}, {"both-keys"}),
    ({"kind": "careless", "about": "malformed"}, {"malformed", "unknown-light"}),
    ({"kind": "careless", "about": "owner"}, {"not-yours"}),
    ({"kind": "careless", "about": "repeat"}, {"same-revision"}),
    ({"kind": "ignores_not_after"}, {"expired"}),
    ({"kind": "careless", "about": "silence"}, {"acknowledges"}),
    ({"kind": "careless", "about": "switching"}, {"own-clock"}),
    ({"kind": "careless", "about": "contact"}, {"keeps-its-plan"}),
    ({"kind": "maintenance"}, {"takes-plans"}),
    ({"kind": "offline"}, {"takes-plans"}),
]


def slowly(bench: CallingBench) -> None:
    """Let a machine that is busy with other things be slow."""
    bench.patience_s, bench.heartbeat_s = 20, 5


def test_a_sound_meter_that_nobody_calls_takes_no_wrong_plan(calling_bench: CallingBench) -> None:
    slowly(calling_bench)
    findings = check(calling_bench, only=[*REFUSALS, *ANSWERS_NOTHING])
    assert broken(findings) == {}
    skipped = [one.rule.name for one in findings if one.verdict is Verdict.NOT_TRIED]
    assert skipped == ANSWERS_NOTHING


def tried() -> list[Any]:
    return [
        pytest.param(fault, rules, id=name(fault), marks=[pytest.mark.torture] if number else [])
        for number, (fault, rules) in enumerate(FAULTS)
    ]


@pytest.mark.parametrize(("fault", "rules"), tried())
def test_a_fault_of_a_meter_that_nobody_calls_is_found_by_the_rule_that_it_breaks(
    calling: RunningStreet, calling_bench: CallingBench, fault: dict[str, Any], rules: set[str]
) -> None:
    calling.faults(fault)
    found = broken(check(calling_bench, only=rules))
    assert rules <= found.keys()


@pytest.mark.torture
def test_a_sound_meter_that_nobody_calls_keeps_every_rule(calling_bench: CallingBench) -> None:
    slowly(calling_bench)
    findings = check(calling_bench)
    assert broken(findings) == {}
    skipped = [one.rule.name for one in findings if one.verdict is Verdict.NOT_TRIED]
    assert skipped == ANSWERS_NOTHING
