"""How the hosted payment page looks, in each of its states."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape

from payments.sandbox.cards import TEST_CARDS, Card
from payments.sandbox.errors import Json
from payments.sandbox.money import format_amount
from payments.sandbox.web.shell import document


@dataclass(frozen=True)
class Filled:
    """What stands in the form, and what is wrong with it, by field."""

    card: str = ""
    expiry: str = ""
    cvc: str = ""
    declined: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    def with_problems(self, problems: dict[str, str]) -> "Filled":
        """Return the same with these problems."""
        return replace(self, problems=problems)


def filled_with(card: Card | None, now: int) -> Filled:
    """Return a form that is filled in with a test card."""
    if card is None:
        return Filled()
    year = datetime.fromtimestamp(now, UTC).year + 5
    return Filled(card=card.spaced, expiry=f"12 / {year % 100:02d}", cvc="1234"[: card.cvc_length])


def pay(session: Json, filled: Filled) -> str:
    """Return the page with the card form."""
    return document(
        f"Pay {_amount(session)}",
        f'<div class="columns">{_order(session)}<section class="card" aria-label="Payment">'
        f"{_alert(filled)}{_form(session, filled)}</section></div>{_test_cards(session)}",
    )


def _amount(session: Json) -> str:
    return format_amount(session["amount_total"], session["currency"])


def _order(session: Json) -> str:
    lines = "".join(
        f'<li><span><span class="name" dir="auto">{escape(line["description"])}</span>'
        f"{_note(line)}{_quantity(line)}</span>"
        f'<span class="amount">{format_amount(line["amount_total"], line["currency"])}</span></li>'
        for line in session["_line_items"]
    )
    back = (
        f'<p><a class="back" href="{escape(session["cancel_url"])}">Cancel and go back</a></p>'
        if session["cancel_url"]
        else ""
    )
    return (
        f'<section class="order" aria-labelledby="total">{back}<h1 id="total">'
        f'<small>Amount to pay</small> <span class="total">{_amount(session)}</span></h1>'
        f"<ul>{lines}</ul></section>"
    )


def _note(line: Json) -> str:
    return f'<small dir="auto">{escape(line["_note"])}</small>' if line["_note"] else ""


def _quantity(line: Json) -> str:
    return f"<small>Quantity {line['quantity']}</small>" if line["quantity"] > 1 else ""


def _alert(filled: Filled) -> str:
    if filled.declined:
        return (
            f'<div class="alert" role="alert"><strong>Payment declined.</strong>'
            f" {escape(filled.declined)} You have not been charged; you can try another card.</div>"
        )
    if filled.problems:
        return (
            '<div class="alert" role="alert"><strong>Please check the card details.</strong></div>'
        )
    return ""


def _form(session: Json, filled: Filled) -> str:
    action = f"/c/pay/{session['id']}"
    card = _input("card", "Card number", filled.card, filled, hint="4242 4242 4242 4242", length=25)
    expiry = _input("expiry", "Expiry (MM / YY)", filled.expiry, filled, hint="12 / 34", length=9)
    cvc = _input("cvc", "Security code", filled.cvc, filled, hint="123", length=4)
    return (
        f'<form method="post" action="{action}" novalidate><h2>Pay by card</h2>{card}'
        f'<div class="pair">{expiry}{cvc}</div>'
        f'<button class="pay">Pay {_amount(session)}</button></form>'
    )


def _input(name: str, label: str, value: str, filled: Filled, *, hint: str, length: int) -> str:
    problem = filled.problems.get(name)
    note = f'<p class="problem" id="{name}-problem">{escape(problem)}</p>' if problem else ""
    marks = f' aria-invalid="true" aria-describedby="{name}-problem"' if problem else ""
    return (
        f'<div class="field"><label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" value="{escape(value)}" inputmode="numeric" dir="ltr"'
        f' autocomplete="off" maxlength="{length}" placeholder="{hint}" required{marks}>'
        f"{note}</div>"
    )


def _test_cards(session: Json) -> str:
    rows = "".join(
        f'<li><a href="/c/pay/{session["id"]}?card={card.number}">'
        f'<span class="number">{card.spaced}</span> <span>{escape(card.does)}</span></a></li>'
        for card in TEST_CARDS
    )
    return (
        '<section class="cards" aria-labelledby="cards"><h2 id="cards">Test cards</h2>'
        "<p>Choose one to fill in the form. Any future date and any security code will do.</p>"
        f"<ul>{rows}</ul></section>"
    )


def challenge(session: Json) -> str:
    """Return the 3-D Secure page of the payer's bank."""
    name = escape(session["_line_items"][0]["description"])
    return document(
        "3-D Secure",
        '<section class="card single"><h1>3-D Secure</h1>'
        "<p>Your bank asks whether it is you who pays"
        f" <strong>{_amount(session)}</strong> for <bdi>{name}</bdi>. This is a test: choose how it"
        " ends.</p>"
        f'<form method="post" action="/c/pay/{session["id"]}" class="choices">'
        '<button class="pay" name="three_ds" value="ok">Complete authentication</button>'
        '<button class="second" name="three_ds" value="fail">Fail authentication</button>'
        "</form></section>",
    )


def _notice(title: str, text: str, link: str = "") -> str:
    return document(
        title, f'<section class="card single"><h1>{title}</h1><p>{text}</p>{link}</section>'
    )


def _link(url: str | None, label: str) -> str:
    return f'<p><a class="pay" href="{escape(url)}">{label}</a></p>' if url else ""


def expired(session: Json) -> str:
    """Return the page of an expired session."""
    return _notice(
        "This payment page has expired",
        "You have not been charged. Go back and start again.",
        _link(session["cancel_url"], "Go back"),
    )


def already_paid(session: Json, address: str) -> str:
    """Return the page of a session that is complete."""
    return _notice(
        "This has already been paid",
        f"{_amount(session)} was paid. There is nothing more to do here.",
        _link(address, "Continue"),
    )


def unknown() -> str:
    """Return the page for an address that leads nowhere."""
    return _notice("No such payment page", "Check the address, or go back and start again.")


def trouble() -> str:
    """Return the page of an injected fault."""
    return _notice("Something went wrong", "This fault was asked for. Try again.")


def not_done(message: str) -> str:
    """Return the page for a control that could not do what was asked."""
    return _notice("This was not done", escape(message), _link("/", "Back to the controls"))


def refused(message: str) -> str:
    """Return the page for a request that cannot be read."""
    return _notice("This request cannot be read", escape(message))
