"""The rules, in the order in which they are tried. Each is named, and says what a meter does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parking.conformance import refusals, reports, switching
from parking.conformance.bench import Bench


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: its name, what a meter does that keeps it, and how that is tried."""

    name: str
    says: str
    check: Callable[[Bench], None]


RULES = (
    Rule(
        name="takes-plans",
        says="A signed plan with a higher revision is answered 200 or 202 within 4 s.",
        check=refusals.takes_plans,
    ),
    Rule(
        name="acknowledges",
        says="A plan answered 202 is acknowledged as applied, with its command id and revision.",
        check=reports.acknowledges,
    ),
    Rule(
        name="reports-changes",
        says="A new plan is followed by a report of its revision and of what each lamp shows.",
        check=reports.reports_changes,
    ),
    Rule(
        name="shows-all-lights",
        says="Every light and pattern of the table is shown, and reported as it was asked.",
        check=reports.shows_all_lights,
    ),
    Rule(
        name="wrong-signature",
        says="A plan signed with another secret is refused with 401 bad_signature.",
        check=refusals.wrong_signature,
    ),
    Rule(
        name="no-signature",
        says="A plan without one of the four headers is refused with 401 bad_signature.",
        check=refusals.no_signature,
    ),
    Rule(
        name="unknown-key",
        says="A plan signed with a key that the meter does not have is refused alike.",
        check=refusals.unknown_key,
    ),
    Rule(
        name="changed-body",
        says="A plan whose body is not the one that was signed is refused with 401 bad_signature.",
        check=refusals.changed_body,
    ),
    Rule(
        name="both-keys",
        says="While a key is rotated, plans signed with either key are taken.",
        check=refusals.both_keys,
    ),
    Rule(
        name="clock-skew",
        says="A signature more than 300 s off is refused with 401 clock_skew; one of 200 s is not.",
        check=refusals.clock_skew,
    ),
    Rule(
        name="says-its-time",
        says='The body of a 401 clock_skew has the meter\'s time as "time".',
        check=refusals.says_its_time,
    ),
    Rule(
        name="replay",
        says="A message whose nonce was used before is refused with 401 replay.",
        check=refusals.replay,
    ),
    Rule(
        name="malformed",
        says="What is no JSON object is refused with 400, what breaks the format with 400 or 422.",
        check=refusals.malformed,
    ),
    Rule(
        name="unknown-light",
        says="A light, a pattern or a spot that does not exist is refused with 422.",
        check=refusals.unknown_light,
    ),
    Rule(
        name="not-yours",
        says="A plan for another meter is refused with 403 not_yours, another address with 404.",
        check=refusals.not_yours,
    ),
    Rule(
        name="problem-documents",
        says="Refusals are application/problem+json with status, code and detail.",
        check=refusals.problem_documents,
    ),
    Rule(
        name="same-revision",
        says="The same revision again is answered 200 and changes nothing.",
        check=refusals.same_revision,
    ),
    Rule(
        name="stale-revision",
        says="A lower revision is refused with 409 stale_revision and changes nothing.",
        check=refusals.stale_revision,
    ),
    Rule(
        name="expired",
        says="A plan that arrives after its not_after is refused with 410 and changes nothing.",
        check=refusals.expired,
    ),
    Rule(
        name="supersedes",
        says="Of two plans in a row the second is shown, and the first never again.",
        check=reports.supersedes,
    ),
    Rule(
        name="own-clock",
        says="Lamps change by the meter's own clock, within 2 s, without a call.",
        check=switching.own_clock,
    ),
    Rule(
        name="keeps-its-plan",
        says="With the site out of reach the plan goes on; later reports and acks are made up for.",
        check=switching.keeps_its_plan,
    ),
    Rule(
        name="neutral-after-the-end",
        says="When the plan has ended the lamps are off: neither green nor red.",
        check=switching.neutral_after_the_end,
    ),
    Rule(
        name="heartbeat",
        says="Without any change it reports every 60 s.",
        check=reports.heartbeat,
    ),
    Rule(
        name="well-formed",
        says="All that it says has the protocol's form, and every report names all its lamps.",
        check=reports.well_formed,
    ),
    Rule(
        name="signs",
        says="All that it says is signed with its key.",
        check=reports.signs,
    ),
    Rule(
        name="never-repeats-itself",
        says="It never uses a nonce twice.",
        check=reports.never_repeats_itself,
    ),
    Rule(
        name="one-end",
        says="A command is said to be applied or rejected, never both.",
        check=reports.one_end,
    ),
    Rule(
        name="counts-up",
        says="Within a boot each report has a number of its own.",
        check=reports.counts_up,
    ),
    Rule(
        name="stays-up",
        says="It does not restart while it is checked.",
        check=reports.stays_up,
    ),
    Rule(
        name="clock-right",
        says="Its clock is right to 30 s, at the latest after it was told so.",
        check=reports.clock_right,
    ),
    Rule(
        name="tells-the-truth",
        says="The lamps really show what it reports. (Wants somebody who looks: --eye.)",
        check=reports.tells_the_truth,
    ),
    Rule(
        name="sees-cars",
        says="The sensors say of every bay what is there. (Wants --eye, too.)",
        check=reports.sees_cars,
    ),
)
# What every other rule rests on.
FIRST = RULES[0].name
