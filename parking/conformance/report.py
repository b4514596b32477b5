"""Try the rules and say what came of it, in words and as JUnit XML."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree

from parking.conformance.bench import Bench, Broken, NotTried
from parking.conformance.rules import FIRST, RULES, Rule


class Verdict(StrEnum):
    """How it went with a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of one rule."""

    rule: Rule
    verdict: Verdict
    detail: str
    seconds: float


def check(
    bench: Bench,
    *,
    only: Collection[str] = (),
    tell: Callable[[Finding], None] = lambda _finding: None,
) -> list[Finding]:
    """Try the rules, or `only` some, in order; `tell` hears of each when it is done.

    A meter that takes no plan at all is judged by what it says alone.
    """
    findings: list[Finding] = []
    takes_plans = True
    for rule in RULES:
        if only and rule.name not in {*only, FIRST}:
            continue
        finding = _try(rule, bench, takes_plans=takes_plans)
        if rule.name == FIRST:
            takes_plans = finding.verdict is not Verdict.BROKEN
        findings.append(finding)
        tell(finding)
    return findings


# These need no plan: they judge what was heard, or what is refused.
_NEED_NO_PLAN = frozenset(
    {
        "heartbeat",
        "well-formed",
        "signs",
        "never-repeats-itself",
        "one-end",
        "counts-up",
        "stays-up",
        "clock-right",
        "sees-cars",
    }
)


def _try(rule: Rule, bench: Bench, *, takes_plans: bool) -> Finding:
    began = time.monotonic()
    verdict, detail = Verdict.KEPT, ""
    if not takes_plans and rule.name not in _NEED_NO_PLAN:
        verdict, detail = Verdict.NOT_TRIED, "it takes no plan"
    else:
        try:
            rule.check(bench)
        except Broken as error:
            verdict, detail = Verdict.BROKEN, str(error)
        except NotTried as error:
            verdict, detail = Verdict.NOT_TRIED, str(error)
    return Finding(rule=rule, verdict=verdict, detail=detail, seconds=time.monotonic() - began)


def line(finding: Finding) -> str:
    """Say it in a line or two."""
    said = f"{finding.verdict.value:<10} {finding.rule.name:<22} {finding.rule.says}"
    return f"{said}\n{'':<10} {'':<22} → {finding.detail}" if finding.detail else said


def summary(findings: Iterable[Finding]) -> str:
    """Count the verdicts."""
    counts = dict.fromkeys(Verdict, 0)
    for finding in findings:
        counts[finding.verdict] += 1
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())


def junit(findings: Collection[Finding], *, serial: str) -> bytes:
    """Write the findings as JUnit XML, which every build server reads."""
    broken = sum(finding.verdict is Verdict.BROKEN for finding in findings)
    skipped = sum(finding.verdict is Verdict.NOT_TRIED for finding in findings)
    suite = ElementTree.Element(
        "testsuite",
        name=f"meter {serial}",
        tests=str(len(findings)),
        failures=str(broken),
        errors="0",
        skipped=str(skipped),
        time=f"{sum(finding.seconds for finding in findings):.3f}",
    )
    for finding in findings:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname="meter_protocol",
            name=finding.rule.name,
            time=f"{finding.seconds:.3f}",
        )
        if finding.verdict is Verdict.BROKEN:
            failure = ElementTree.SubElement(case, "failure", message=finding.detail)
            failure.text = finding.rule.says
        elif finding.verdict is Verdict.NOT_TRIED:
            ElementTree.SubElement(case, "skipped", message=finding.detail)
    ElementTree.indent(suite)
    whole: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return whole
