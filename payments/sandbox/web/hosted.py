"""The hosted payment page: what its addresses do. `pages.py` says how it looks."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime

from payments.sandbox.cards import Card, find_card
from payments.sandbox.engine import Engine
from payments.sandbox.errors import ApiError, Json
from payments.sandbox.faults import Plan
from payments.sandbox.kinds import INTENT, SESSION
from payments.sandbox.objects.paying import Outcome, answer_challenge, pay
from payments.sandbox.params import Params
from payments.sandbox.web import pages
from payments.sandbox.web.messages import LOST, Request, Response, see_other
from payments.sandbox.web.shell import html_response, page_headers
from payments.sandbox.world import World

PREFIX = "/c/pay/"
NOT_A_TEST_CARD = (
    "This is not one of the test cards listed below. Real cards must never be entered here."
)


class Hosted:
    """Answers what lies under ``/c/pay/``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def respond(self, request: Request, plan: Plan) -> Response:
        """Answer one request of a payer's browser, or fail as the plan says."""
        if plan.delay:  # sleeping for nothing still gives the processor away
            time.sleep(plan.delay)
        if plan.lose_request:
            return LOST
        if plan.status is not None:
            return html_response(pages.trouble(), plan.status)
        try:
            response = self._respond(request)
        except ApiError as error:
            response = html_response(pages.refused(error.message), error.status)
        return LOST if plan.lose_answer else response

    def _respond(self, request: Request) -> Response:
        fields = request.form()
        with self._engine.turn() as world:
            session = world.store.get(SESSION, request.path.removeprefix(PREFIX))
            if session is None:
                return html_response(pages.unknown(), 404)
            if session["status"] != "open":
                return _closed(session)
            if request.method == "POST":
                return _submitted(world, session, fields)
            if _challenge_is_open(world, session) and "card" not in fields:
                return _page(session, pages.challenge(session))
            chosen = find_card(str(fields.get("card", "")))
            return _page(session, pages.pay(session, pages.filled_with(chosen, world.moment)))


def _page(session: Json, text: str, status: int = 200) -> Response:
    return html_response(text, status, form_targets=(session["success_url"],))


def _closed(session: Json) -> Response:
    return html_response(
        pages.already_paid(session, return_address(session))
        if session["status"] == "complete"
        else pages.expired(session),
        410,
    )


def return_address(session: Json) -> str:
    """Return where the payer goes after paying."""
    url: str = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return url


def _challenge_is_open(world: World, session: Json) -> bool:
    intent = world.store.get(INTENT, session["payment_intent"] or "")
    return intent is not None and intent["status"] == "requires_action"


def _submitted(world: World, session: Json, fields: Json) -> Response:
    answered = Params(fields).choice("three_ds", ["ok", "fail"])
    if answered is not None:
        outcome = answer_challenge(world, session, passed=answered == "ok")
        if outcome is None:
            problems = {"card": "The authentication has ended already. Please pay again."}
            return _page(session, pages.pay(session, pages.Filled(problems=problems)), 409)
        return _after(world, session, outcome, pages.Filled())
    filled = pages.Filled(
        card=_text(fields, "card"), expiry=_text(fields, "expiry"), cvc=_text(fields, "cvc")
    )
    card, expiry, problems = check_details(filled, now=world.moment)
    if card is None or expiry is None or problems:
        if card is None:
            # It may be a real number: it is not sent back, let alone kept.
            filled = replace(filled, card="")
        return _page(session, pages.pay(session, filled.with_problems(problems)), 422)
    return _after(world, session, pay(world, session, card, expiry=expiry), filled)


def _after(world: World, session: Json, outcome: Outcome, filled: pages.Filled) -> Response:
    if outcome.result == "paid":
        address = return_address(session)
        return see_other(address, page_headers((address,)))
    if outcome.result == "challenge":
        return _page(session, pages.challenge(session))
    kept = pages.Filled(card=filled.card, expiry=filled.expiry, declined=outcome.message)
    return _page(session, pages.pay(session, kept), 402)


def _text(fields: Json, name: str) -> str:
    value = fields.get(name, "")
    return value.strip()[:40] if isinstance(value, str) else ""


def check_details(
    filled: pages.Filled, *, now: int
) -> tuple[Card | None, tuple[int, int] | None, dict[str, str]]:
    """Return the card, its expiry (year, month), and what is wrong with each field."""
    problems: dict[str, str] = {}
    card = find_card(filled.card)
    if card is None:
        problems["card"] = NOT_A_TEST_CARD if filled.card else "Enter a card number."
    expiry = _read_expiry(filled.expiry)
    today = datetime.fromtimestamp(now, UTC)
    if expiry is None:
        problems["expiry"] = "Enter the expiry date as MM / YY."
    elif expiry < (today.year, today.month):
        problems["expiry"] = "This date is in the past. Any future date will do."
    length = card.cvc_length if card else 3
    if not re.fullmatch(rf"[0-9]{{{length}}}", filled.cvc):
        problems["cvc"] = f"Enter {length} digits. Any will do."
    return card, expiry, problems


def _read_expiry(written: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(0?[1-9]|1[0-2])\s*[/ -]?\s*(?:20)?([0-9]{2})", written)
    return (2000 + int(match[2]), int(match[1])) if match else None
