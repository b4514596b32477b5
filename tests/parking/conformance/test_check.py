"""The kit finds nothing on a sound meter, and every fault by the rule that it breaks."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from parking.conformance.bench import Bench
from parking.conformance.report import Finding, Verdict, check, junit, line, summary
from parking.conformance.rules import RULES
from parking.simulator.faults import CARELESS, KINDS
from tests.parking.conformance.faulty import FAULTS, NO_FAULTS
from tests.parking.street import RunningStreet, eventually

# These judge what was heard, so something must be heard before.
HEARD = {
    *("signs", "never-repeats-itself", "stays-up", "counts-up"),
    *("well-formed", "one-end", "clock-right", "sees-cars"),
}


def broken(findings: list[Finding]) -> dict[str, str]:
    return {
        finding.rule.name: finding.detail
        for finding in findings
        if finding.verdict is Verdict.BROKEN
    }


def name(fault: dict[str, Any]) -> str:
    return "-".join(str(word) for word in fault.values())


def let(street: RunningStreet, bench: Bench, fault: dict[str, Any]) -> None:
    eventually(lambda: bench.listener.states())  # it had one good moment
    street.faults(fault)


def at_leisure(bench: Bench) -> None:
    """Let a machine that is busy with other things be slow."""
    bench.answer_s, bench.patience_s, bench.heartbeat_s = 12, 20, 5


def test_a_sound_meter_keeps_every_rule(bench: Bench) -> None:
    at_leisure(bench)
    findings = check(bench)
    assert broken(findings) == {}
    assert [finding.rule.name for finding in findings] == [rule.name for rule in RULES]
    assert {finding.verdict for finding in findings} == {Verdict.KEPT}


def cases() -> list[Any]:
    """Return every fault; those that break the same rules as one before are tried in torture."""
    known: list[set[str]] = []
    found = []
    for fault, rules in FAULTS:
        marks = [pytest.mark.torture] if rules in known else []
        found.append(pytest.param(fault, rules, id=name(fault), marks=marks))
        known.append(rules)
    return found


@pytest.mark.parametrize(("fault", "rules"), cases())
def test_a_fault_is_found_by_the_rule_that_it_breaks(
    street: RunningStreet, bench: Bench, fault: dict[str, Any], rules: set[str]
) -> None:
    let(street, bench, fault)
    bench.answer_s = 1.0 if fault["kind"] in {"drop", "latency"} else 4.0
    heard = {"acknowledges", "heartbeat"} if rules & HEARD else set()
    found = broken(check(bench, only=rules | heard))
    assert rules <= found.keys()
    assert all(found.values())


@pytest.mark.parametrize("fault", NO_FAULTS, ids=name)
def test_what_is_not_the_meters_fault_is_not_held_against_it(
    street: RunningStreet, bench: Bench, fault: dict[str, Any]
) -> None:
    let(street, bench, fault)
    judged = ["reports-changes", "supersedes", "same-revision", "expired", "heartbeat"]
    at_leisure(bench)
    judged += ["well-formed", "signs", "never-repeats-itself", "counts-up", "clock-right"]
    assert broken(check(bench, only=judged)) == {}


@pytest.mark.torture
@pytest.mark.parametrize("fault", NO_FAULTS, ids=name)
def test_the_whole_kit_forgives_what_is_not_the_meters_fault(
    street: RunningStreet, bench: Bench, fault: dict[str, Any]
) -> None:
    let(street, bench, fault)
    at_leisure(bench)
    assert broken(check(bench)) == {}


@pytest.mark.torture
@pytest.mark.parametrize(
    ("fault", "rules"), FAULTS, ids=lambda value: name(value) if isinstance(value, dict) else ""
)
def test_the_whole_kit_finds_every_fault(
    street: RunningStreet, bench: Bench, fault: dict[str, Any], rules: set[str]
) -> None:
    let(street, bench, fault)
    assert rules <= broken(check(bench)).keys()


def test_every_kind_of_fault_is_either_found_or_forgiven() -> None:
    tried = [*(fault for fault, _rules in FAULTS), *NO_FAULTS]
    assert {fault["kind"] for fault in tried} == set(KINDS)
    assert {fault["about"] for fault in tried if "about" in fault} == set(CARELESS)


def test_every_rule_is_broken_by_some_fault() -> None:
    assert set().union(*(rules for _fault, rules in FAULTS)) == {rule.name for rule in RULES}


def test_without_an_eye_and_a_second_key_some_rules_are_not_tried(bench: Bench) -> None:
    bench.eye, bench.keys = "", bench.keys[:1]
    findings = check(bench, only=["tells-the-truth", "sees-cars", "both-keys"])
    assert [finding.verdict for finding in findings] == [Verdict.KEPT, *[Verdict.NOT_TRIED] * 3]


def test_a_meter_that_takes_no_plan_is_judged_by_what_it_says(
    street: RunningStreet, bench: Bench
) -> None:
    let(street, bench, {"kind": "maintenance"})
    findings = check(bench, only=["own-clock", "stale-revision", "signs", "heartbeat"])
    assert [finding.verdict.value for finding in findings] == [
        "broken",
        "not tried",
        "not tried",
        "kept",
        "kept",
    ]


def test_the_report_says_it_in_words_and_for_build_servers(
    street: RunningStreet, bench: Bench
) -> None:
    street.faults({"kind": "ignores_not_after"})
    bench.keys = bench.keys[:1]
    findings = check(bench, only=["expired", "both-keys"])
    words = "\n".join(line(finding) for finding in findings)
    assert "broken     expired" in words
    assert "→ answered 202 (no code) instead of 410 expired" in words
    assert summary(findings) == "1 kept, 1 broken, 1 not tried"
    suite = ElementTree.fromstring(junit(findings, serial="MTR-1"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    (failure,) = suite.iter("failure")
    assert "410 expired" in failure.get("message", "")
    assert b"n" * 32 not in junit(findings, serial="MTR-1")
