"""The controls: JSON under ``/_control/`` for programs, the same by form for people."""

import re
import urllib.parse
from collections.abc import Callable
from dataclasses import replace

from payments.sandbox.cards import find_card
from payments.sandbox.delivery import deliver_events, deliver_now
from payments.sandbox.engine import Engine
from payments.sandbox.errors import ApiError, Json, no_such
from payments.sandbox.kinds import CHARGE, DISPUTE, EVENT, REFUND, SESSION
from payments.sandbox.money import read_currency
from payments.sandbox.objects.disputes import REASONS, close_dispute, open_dispute
from payments.sandbox.objects.paying import answer_challenge, pay
from payments.sandbox.objects.payouts import create_payouts
from payments.sandbox.objects.refunds import settle_refund
from payments.sandbox.params import Params
from payments.sandbox.publish import publish
from payments.sandbox.web import pages
from payments.sandbox.web.hosted import NOT_A_TEST_CARD, return_address
from payments.sandbox.web.messages import (
    FORM,
    Request,
    Response,
    error_response,
    json_response,
    see_other,
)
from payments.sandbox.web.shell import html_response
from payments.sandbox.world import DAY

PREFIX = "/_control/"
LATEST_YEAR_2100 = 4_102_444_800
_Handler = Callable[["Control", Params, str], object]


class Control:
    """Answers what lies under ``/_control/``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def respond(self, request: Request) -> Response:
        """Do what is asked; a form leads back to the control page."""
        try:
            _refuse_other_sites(request)
            result = self._do(request)
        except ApiError as error:
            if request.content_type == FORM:
                return html_response(pages.not_done(error.message), error.status)
            return error_response(error)
        if request.method == "POST" and request.content_type == FORM:
            return see_other("/")
        return json_response(result)

    def _do(self, request: Request) -> object:
        for method, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, request.path.removeprefix(PREFIX))
            if match and method == request.method:
                # An untouched field of a form is as good as none.
                fields = {name: value for name, value in request.fields().items() if value != ""}
                params = Params(fields)
                target = match["id"] if "id" in match.groupdict() else ""
                return handler(self, params, target)
        raise ApiError(f"Unknown control: {request.method} {request.path}.", status=404)

    # What goes on

    def health(self, params: Params, _: str) -> Json:
        """Answer that the sandbox is up."""
        params.refuse_unread()
        return {"ok": True}

    def state(self, params: Params, _: str) -> Json:
        """Return clock, webhook settings, faults and the number of objects."""
        params.refuse_unread()
        engine = self._engine
        engine.tick()
        clock, settings = engine.clock, engine.outbox.settings
        return {
            "clock": {
                "now": clock.now(),
                "offset": clock.offset,
                "frozen": clock.frozen_at is not None,
            },
            "webhooks": {**vars(settings), "deliveries": engine.outbox.counts()},
            "faults": engine.faults.rules(),
            "objects": engine.counts(),
            "public_url": engine.public_url,
        }

    def set_clock(self, params: Params, _: str) -> Json:
        """Set, advance, stop or reset the clock."""
        moment = params.number("now", minimum=0, maximum=LATEST_YEAR_2100)
        seconds = params.number("advance", minimum=-LATEST_YEAR_2100, maximum=LATEST_YEAR_2100)
        frozen, reset = params.flag("frozen"), params.flag("reset") or False
        params.refuse_unread()
        if sum((moment is not None, seconds is not None, reset)) > 1:
            raise ApiError("Send one of now, advance and reset.")
        if seconds is not None:
            moment = self._engine.clock.now() + seconds
            if not 0 <= moment <= LATEST_YEAR_2100:
                raise ApiError("The clock can stand between 1970 and 2100.", param="advance")
        self._engine.set_clock(now=moment, frozen=frozen, reset=reset)
        return {
            "now": self._engine.clock.now(),
            "offset": self._engine.clock.offset,
            "frozen": self._engine.clock.frozen_at is not None,
        }

    def reset(self, params: Params, _: str) -> Json:
        """Forget everything."""
        params.refuse_unread()
        self._engine.erase()
        self._engine.announce()
        return {"ok": True}

    # Faults

    def list_faults(self, params: Params, _: str) -> Json:
        """List the faults."""
        params.refuse_unread()
        return {"data": self._engine.faults.rules()}

    def add_fault(self, params: Params, _: str) -> Json:
        """Add a fault."""
        return self._engine.faults.add(params)

    def clear_faults(self, params: Params, _: str) -> Json:
        """Remove all faults."""
        params.refuse_unread()
        self._engine.faults.clear()
        return {"data": []}

    def remove_fault(self, params: Params, fault_id: str) -> Json:
        """Remove one fault."""
        params.refuse_unread()
        if not self._engine.faults.remove(fault_id):
            raise no_such("fault", fault_id)
        return {"data": self._engine.faults.rules()}

    # Webhooks

    def set_webhooks(self, params: Params, _: str) -> Json:
        """Change how deliveries behave; what is not mentioned stays."""
        changes = {
            "paused": params.flag("paused"),
            "discard": params.flag("discard"),
            "drop": params.number("drop", minimum=0, maximum=1),
            "duplicate": params.integer("duplicate", minimum=0),
            "delay": params.number("delay", minimum=0, maximum=30 * DAY),
            "reorder": params.number("reorder", minimum=0, maximum=30 * DAY),
        }
        params.refuse_unread()
        if (changes["duplicate"] or 0) > 10:
            raise ApiError("At most 10 duplicates.", param="duplicate")
        given = {name: value for name, value in changes.items() if value is not None}
        outbox = self._engine.outbox
        with self._engine.store.exclusively():
            outbox.configure(replace(outbox.settings, **given))  # type: ignore[arg-type]
        self._engine.announce()
        return dict(vars(outbox.settings))

    def clear_webhooks(self, params: Params, _: str) -> Json:
        """Drop everything that waits to be sent."""
        params.refuse_unread()
        return {"dropped": self._engine.outbox.clear()}

    def list_deliveries(self, params: Params, _: str) -> Json:
        """List the newest deliveries."""
        limit = params.integer("limit", minimum=1) or 100
        params.refuse_unread()
        return {"data": self._engine.outbox.latest(min(limit, 1000))}

    def deliver(self, params: Params, _: str) -> Json:
        """Send what is due now, or exactly the events that are named, in their order."""
        named, times = params.texts("events"), params.integer("times", minimum=1) or 1
        params.refuse_unread()
        if "events" not in params:
            return dict(deliver_now(self._engine))
        if len(named) * times > 1000:
            raise ApiError("At most 1,000 deliveries in one call.", param="events")
        for event_id in named:
            if self._engine.store.get(EVENT, event_id) is None:
                raise no_such("event", event_id, param="events")
        return {"data": deliver_events(self._engine, named * times)}

    def resend(self, params: Params, event_id: str) -> Json:
        """Queue one event again."""
        params.refuse_unread()
        with self._engine.turn() as world:
            event = world.get(EVENT, event_id)
            return {"queued": world.outbox.resend(event, now=world.clock.now())}

    # Things that happen at the processor or the bank

    def pay_session(self, params: Params, session_id: str) -> Json:
        """Pay a session as its page would, without the page."""
        card = find_card(params.text("card") or "4242424242424242")
        three_ds = params.choice("three_ds", ["ok", "fail"])
        params.refuse_unread()
        if card is None:
            raise ApiError(NOT_A_TEST_CARD, param="card")
        with self._engine.turn() as world:
            session = world.get(SESSION, session_id)
            outcome = pay(world, session, card, expiry=(2050, 12))
            if outcome.result == "challenge" and three_ds:
                outcome = answer_challenge(world, session, passed=three_ds == "ok") or outcome
            return {
                "result": outcome.result,
                "message": outcome.message,
                "return_url": return_address(session) if outcome.result == "paid" else None,
                "session": publish(world.store, session, now=world.moment),
            }

    def settle_refund(self, params: Params, refund_id: str) -> Json:
        """Decide what becomes of a refund."""
        params.required_text("status")
        status = params.choice("status", ["succeeded", "failed", "canceled"]) or ""
        params.refuse_unread()
        with self._engine.turn() as world:
            refund = settle_refund(world, world.get(REFUND, refund_id), status=status)
            return publish(world.store, refund, now=world.moment)

    def create_dispute(self, params: Params, _: str) -> Json:
        """Dispute a charge."""
        charge_id = params.required_text("charge")
        reason = params.choice("reason", REASONS, "fraudulent") or ""
        params.refuse_unread()
        with self._engine.turn() as world:
            charge = world.get(CHARGE, charge_id, param="charge")
            dispute = open_dispute(world, charge, reason=reason)
            return publish(world.store, dispute, now=world.moment)

    def close_dispute(self, params: Params, dispute_id: str) -> Json:
        """Win or lose a dispute."""
        params.required_text("status")
        status = params.choice("status", ["won", "lost"]) or ""
        params.refuse_unread()
        with self._engine.turn() as world:
            dispute = close_dispute(world, world.get(DISPUTE, dispute_id), status=status)
            return publish(world.store, dispute, now=world.moment)

    def create_payouts(self, params: Params, _: str) -> Json:
        """Pay out what is available."""
        word = params.text("currency")
        currency = read_currency(word, param="currency") if word else None
        arrives_in = params.integer("arrives_in", minimum=0)
        fails = params.flag("fails") or False
        params.refuse_unread()
        with self._engine.turn() as world:
            payouts = create_payouts(
                world,
                currency=currency,
                arrives_in=DAY if arrives_in is None else min(arrives_in, 30 * DAY),
                fails=fails,
            )
            return {"data": [publish(world.store, row, now=world.moment) for row in payouts]}


def _refuse_other_sites(request: Request) -> None:
    """Refuse a form that another site's page sends to this machine."""
    sender = request.header("Origin")
    if sender and urllib.parse.urlsplit(sender).netloc != request.header("Host"):
        raise ApiError(
            f"This control is not for pages of {sender[:100]}.", status=403, param="Origin"
        )


_ID = r"(?P<id>[A-Za-z0-9_]+)"
_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "health", Control.health),
    ("GET", "state", Control.state),
    ("POST", "clock", Control.set_clock),
    ("POST", "reset", Control.reset),
    ("GET", "faults", Control.list_faults),
    ("POST", "faults", Control.add_fault),
    ("DELETE", "faults", Control.clear_faults),
    ("POST", "faults/clear", Control.clear_faults),
    ("DELETE", f"faults/{_ID}", Control.remove_fault),
    ("POST", f"faults/{_ID}/remove", Control.remove_fault),
    ("POST", "webhooks", Control.set_webhooks),
    ("POST", "webhooks/clear", Control.clear_webhooks),
    ("GET", "deliveries", Control.list_deliveries),
    ("POST", "deliver", Control.deliver),
    ("POST", f"events/{_ID}/resend", Control.resend),
    ("POST", f"sessions/{_ID}/pay", Control.pay_session),
    ("POST", f"refunds/{_ID}/settle", Control.settle_refund),
    ("POST", "payouts", Control.create_payouts),
    ("POST", "disputes", Control.create_dispute),
    ("POST", f"disputes/{_ID}/close", Control.close_dispute),
)
