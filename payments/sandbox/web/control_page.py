"""The control page: clock, webhooks, faults, money, events. Plain HTML; every button is a form."""

from datetime import UTC, datetime
from html import escape

from payments.sandbox.engine import Engine
from payments.sandbox.errors import Json
from payments.sandbox.faults import KINDS as FAULT_KINDS
from payments.sandbox.faults import METHODS
from payments.sandbox.kinds import CHARGE, DISPUTE, EVENT, REFUND
from payments.sandbox.money import format_amount
from payments.sandbox.objects.balance import balance
from payments.sandbox.objects.disputes import OPEN
from payments.sandbox.store import field
from payments.sandbox.web.messages import Response
from payments.sandbox.web.shell import document, html_response

EVENTS_SHOWN = 40
ENDPOINTS = (
    "/v1/*",
    "/v1/checkout/sessions",
    "/v1/checkout/sessions/*",
    "/v1/checkout/sessions/*/expire",
    "/v1/refunds",
    "/v1/events",
    "/v1/balance_transactions",
    "/c/pay/*",
)


def control_page(engine: Engine) -> Response:
    """Return the page."""
    with engine.turn() as world:
        money = balance(world)
        events = world.store.select(EVENT, limit=EVENTS_SHOWN)
        states = engine.outbox.of_events([event["id"] for event in events])
        charges = world.store.select(
            CHARGE,
            [f"{field('captured')} = 1", f"{field('disputed')} = 0", f"{field('refunded')} = 0"],
            limit=20,
        )
        marks = ", ".join("?" * len(OPEN))
        disputes = world.store.select(DISPUTE, [f"{field('status')} IN ({marks})"], OPEN, limit=20)
        pending = world.store.select(REFUND, [f"{field('status')} = 'pending'"], limit=20)
    main = (
        "<h1>Payment sandbox</h1>"
        f'<div class="panels">{_clock(engine)}{_webhooks(engine)}{_faults(engine)}'
        f"{_money(money)}{_disputes(charges, disputes)}{_refunds(pending)}{_memory(engine)}</div>"
        f"{_events(events, states)}"
    )
    return html_response(document("Controls", main, wide=True))


def _when(moment: float) -> str:
    written = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f'<time datetime="{written[:10]}T{written[11:19]}Z">{written}</time>'


def _panel(title: str, inner: str) -> str:
    name = title.lower().replace(" ", "-")
    return (
        f'<section class="card" aria-labelledby="{name}"><h2 id="{name}">{title}</h2>'
        f"{inner}</section>"
    )


def _form(action: str, inner: str, button: str) -> str:
    return (
        f'<form method="post" action="/_control/{action}">{inner}'
        f'<button class="second">{button}</button></form>'
    )


def _hidden(**fields: str) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )


def _number(name: str, label: str, value: float | None, *, most: float, step: str = "any") -> str:
    written = "" if value is None else f"{value:.10g}"
    return (
        f'<label>{label} <input type="number" name="{name}" value="{written}" min="0"'
        f' max="{most}" step="{step}"></label>'
    )


def _select(name: str, label: str, options: tuple[str, ...]) -> str:
    rows = "".join(f"<option>{escape(option)}</option>" for option in options)
    return f'<label>{label} <select name="{name}">{rows}</select></label>'


def _clock(engine: Engine) -> str:
    frozen = engine.clock.frozen_at is not None
    state = "stopped" if frozen else f"{engine.clock.offset:+,.0f} s from the machine's"
    steps = "".join(
        _form("clock", _hidden(advance=str(seconds)), label)
        for seconds, label in ((60, "+1 min"), (600, "+10 min"), (3600, "+1 h"), (86400, "+1 day"))
    )
    switch = _form(
        "clock",
        _hidden(frozen="false" if frozen else "true"),
        "Let it run" if frozen else "Stop it",
    )
    reset = _form("clock", _hidden(reset="true"), "Back to the real time")
    return _panel(
        "Clock",
        f'<p class="big">{_when(engine.clock.now())}</p><p>{state}</p>'
        f'<div class="row">{steps}</div><div class="row">{switch}{reset}</div>',
    )


def _webhooks(engine: Engine) -> str:
    now = engine.outbox.settings
    counts = ", ".join(f"{count} {state}" for state, count in engine.outbox.counts().items())
    fields = (
        _number("drop", "Lose (share)", now.drop, most=1)
        + _number("duplicate", "Extra copies", now.duplicate, most=10, step="1")
        + _number("delay", "Delay (s)", now.delay, most=2_592_000)
        + _number("reorder", "Shuffle within (s)", now.reorder, most=2_592_000)
    )
    pause = _form(
        "webhooks",
        _hidden(paused="false" if now.paused else "true"),
        "Resume" if now.paused else "Pause",
    )
    discard = _form(
        "webhooks",
        _hidden(discard="false" if now.discard else "true"),
        "Queue new events" if now.discard else "Queue nothing",
    )
    said = ", ".join(
        word for word, on in (("paused", now.paused), ("queueing nothing", now.discard)) if on
    )
    return _panel(
        "Webhooks",
        f"<p><strong>{said or 'sending'}</strong> · {counts or 'nothing sent yet'}</p>"
        f'<div class="row">{pause}{discard}{_form("deliver", "", "Send what is due")}'
        f"{_form('webhooks/clear', '', 'Drop what waits')}</div>{_form('webhooks', fields, 'Set')}",
    )


def _faults(engine: Engine) -> str:
    rules = "".join(
        f"<li><span>{escape(_fault(rule))}</span>"
        f"{_form('faults/' + rule['id'] + '/remove', '', 'Remove')}</li>"
        for rule in engine.faults.rules()
    )
    fields = (
        _select("kind", "What", FAULT_KINDS)
        + _select("method", "Method", METHODS)
        + _select("path", "Where", ENDPOINTS)
        + _number("probability", "Share", 1, most=1)
        + _number("times", "Times (empty: always)", None, most=1_000_000, step="1")
        + _number("seconds", "Seconds (latency)", 2, most=120)
        + _number("status", "Status (error)", 500, most=599, step="1")
    )
    listed = f"<ul>{rules}</ul>{_form('faults/clear', '', 'Remove all')}" if rules else ""
    return _panel("Faults", (listed or "<p>None.</p>") + _form("faults", fields, "Add fault"))


def _fault(rule: Json) -> str:
    detail = {"latency": f" {rule['seconds']:g} s", "error": f" {rule['status']}"}
    often = "" if rule["probability"] == 1 else f", {rule['probability']:.0%} of the time"
    times = "" if rule["times"] is None else f", {rule['times']} more"
    what = rule["kind"] + detail.get(rule["kind"], "")
    return f"{what}: {rule['method']} {rule['path']}{often}{times}"


def _money(money: Json) -> str:
    rows = "".join(
        f'<tr><th scope="row">{line["currency"].upper()}</th>'
        f"<td>{format_amount(line['amount'], line['currency'])}</td>"
        f"<td>{format_amount(waiting['amount'], waiting['currency'])}</td></tr>"
        for line, waiting in zip(money["available"], money["pending"], strict=True)
    )
    table = (
        '<table><thead><tr><th scope="col">Currency</th><th scope="col">Available</th>'
        f'<th scope="col">Pending</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else "<p>No money yet.</p>"
    )
    pay = _form("payouts", "", "Pay out what is available")
    fail = _form("payouts", _hidden(fails="true"), "Pay out, and let it fail")
    return _panel("Balance", f'{table}<div class="row">{pay}{fail}</div>')


def _disputes(charges: list[Json], disputes: list[Json]) -> str:
    options = "".join(
        f'<option value="{charge["id"]}">'
        f"{format_amount(charge['amount'], charge['currency'])} · {charge['id']}</option>"
        for charge in charges
    )
    opening = (
        _form(
            "disputes", f'<label>Charge <select name="charge">{options}</select></label>', "Dispute"
        )
        if options
        else "<p>No captured charge to dispute.</p>"
    )
    rows = "".join(
        f"<li><span>{format_amount(row['amount'], row['currency'])}"
        f" · {escape(row['reason'])}</span>"
        f"{_form('disputes/' + row['id'] + '/close', _hidden(status='won'), 'Won')}"
        f"{_form('disputes/' + row['id'] + '/close', _hidden(status='lost'), 'Lost')}</li>"
        for row in disputes
    )
    return _panel("Disputes", opening + (f"<ul>{rows}</ul>" if rows else ""))


def _refunds(pending: list[Json]) -> str:
    rows = "".join(
        f"<li><span>{format_amount(row['amount'], row['currency'])} · {row['id']}</span>"
        f"{_form('refunds/' + row['id'] + '/settle', _hidden(status='succeeded'), 'Succeed')}"
        f"{_form('refunds/' + row['id'] + '/settle', _hidden(status='failed'), 'Fail')}</li>"
        for row in pending
    )
    return _panel("Pending refunds", f"<ul>{rows}</ul>" if rows else "<p>None.</p>")


def _memory(engine: Engine) -> str:
    counts = "".join(
        f'<tr><th scope="row">{name.replace("_", " ")}</th><td>{count:,}</td></tr>'
        for name, count in engine.counts().items()
        if count
    )
    table = f"<table><tbody>{counts}</tbody></table>" if counts else "<p>Nothing.</p>"
    forget = _form("reset", "", "Forget everything")
    return _panel("Memory", f'{table}<div class="row">{forget}</div>')


def _events(events: list[Json], states: dict[str, list[str]]) -> str:
    rows = "".join(
        f'<tr><td>{_when(event["created"])}</td><th scope="row">{escape(event["type"])}</th>'
        f"<td><code>{event['data']['object']['id']}</code></td>"
        f"<td>{', '.join(states.get(event['id'], [])) or 'not queued'}</td>"
        f"<td>{_form('events/' + event['id'] + '/resend', '', 'Send again')}</td></tr>"
        for event in events
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("Time", "Event", "Object", "Delivery", "")
    )
    heads = heads.replace('<th scope="col"></th>', "<td></td>")
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="events"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>None yet. Events appear here as payments happen.</p>"
    )
    return f'<section><h2 id="events">Latest events</h2>{table}</section>'
