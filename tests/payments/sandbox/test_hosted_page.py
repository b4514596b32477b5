"""The hosted page: what a payer sees and what each card does."""

import pytest

from payments.sandbox.cards import TEST_CARDS, Card
from tests.payments.sandbox.box import CANCEL_URL, CHALLENGED, VISA, Box

DECLINED = [card for card in TEST_CARDS if card.decline and not card.challenge]
ACCEPTED = [card for card in TEST_CARDS if not card.decline and not card.challenge]


def named(card: Card) -> str:
    return card.does


def status_of(box: Box, session_id: str) -> tuple[str | None, str]:
    session = box.client().checkout.sessions.retrieve(session_id)
    return session.status, session.payment_status


def test_it_says_what_is_paid_and_that_it_is_a_test(box: Box) -> None:
    page = box.browse(box.a_session().url)
    assert page.status_code == 200
    for text in ("TEST MODE", "Spot A12", "€2.50", CANCEL_URL, *(c.spaced for c in TEST_CARDS)):
        assert text in page.text, text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(500, "jpy", "¥500"), (150_000, "irr", "IRR\u00a0150,000"), (1250, "kwd", "KWD\u00a01.250")],
)
def test_amounts_follow_their_currency(box: Box, amount: int, currency: str, shown: str) -> None:
    assert shown in box.browse(box.a_session(amount, currency).url).text


def test_it_runs_no_script_and_loads_nothing_from_elsewhere(box: Box) -> None:
    page = box.browse(box.a_session().url)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "form-action 'self' http://127.0.0.1:1;" in policy + ";"
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert box.browse(f"{box.base}/assets/sandbox.css").headers["Content-Type"].startswith("text/")


def test_what_a_site_sends_is_shown_as_text(box: Box) -> None:
    order = box.order()
    order["line_items"][0]["price_data"]["product_data"]["name"] = '<b>A12</b> & "co"'
    session = box.client().checkout.sessions.create(order)
    assert "<b>A12</b>" not in box.browse(session.url).text
    assert "&lt;b&gt;A12&lt;/b&gt; &amp;" in box.browse(session.url).text


@pytest.mark.parametrize("card", ACCEPTED, ids=named)
def test_a_good_card_pays_and_leads_back_to_the_site(box: Box, card: Card) -> None:
    session = box.a_session()
    answer = box.pay(session.url, card.number)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:1/ok?session={session.id}"
    assert status_of(box, session.id) == ("complete", "paid")


@pytest.mark.parametrize("card", DECLINED, ids=named)
def test_a_declined_card_stays_on_the_page_with_the_reason(box: Box, card: Card) -> None:
    assert card.decline is not None
    session = box.a_session()
    answer = box.pay(session.url, card.number)
    assert answer.status_code == 402
    assert card.decline.message.replace("'", "&#x27;") in answer.text
    assert status_of(box, session.id) == ("open", "unpaid")
    [charge] = box.all("charges")
    assert (charge["status"], charge["outcome"]["reason"]) == ("failed", card.decline.decline_code)
    assert box.all("balance_transactions") == []


def test_after_a_decline_another_card_can_pay(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url, "4000000000000002")
    assert box.pay(session.url).status_code == 303
    [intent] = box.all("payment_intents")
    assert (intent["status"], intent["last_payment_error"]) == ("succeeded", None)
    assert len(box.all("balance_transactions")) == 1


@pytest.mark.parametrize("number", ["4111111111111111", "5500005555555559", "1", "", "4242x"])
def test_any_other_number_is_refused_and_not_repeated(box: Box, number: str) -> None:
    session = box.a_session()
    answer = box.pay(session.url, number)
    assert answer.status_code == 422
    if number:
        assert "Real cards must never be entered" in answer.text
        assert f'value="{number}"' not in answer.text
    assert box.all("payment_intents") == []


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"expiry": "13 / 40"}, "Enter the expiry date"),
        ({"expiry": "01 / 20"}, "in the past"),
        ({"expiry": ""}, "Enter the expiry date"),
        ({"cvc": "12"}, "Enter 3 digits"),
        ({"cvc": "1234"}, "Enter 3 digits"),
        ({"cvc": "١٢٣"}, "Enter 3 digits"),
    ],
)
def test_wrong_details_are_named_at_their_field(
    box: Box, details: dict[str, str], said: str
) -> None:
    session = box.a_session()
    answer = box.pay(session.url, VISA, **details)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert status_of(box, session.id) == ("open", "unpaid")


def test_the_bank_may_ask_and_a_pass_pays(box: Box) -> None:
    session = box.a_session()
    asked = box.pay(session.url, CHALLENGED)
    assert (asked.status_code, "3-D Secure" in asked.text) == (200, True)
    assert status_of(box, session.id) == ("open", "unpaid")
    assert "3-D Secure" in box.browse(session.url).text
    assert box.browse(session.url, {"three_ds": "ok"}).status_code == 303
    [charge] = box.all("charges")
    assert charge["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"


def test_a_failed_challenge_is_a_decline(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url, CHALLENGED)
    answer = box.browse(session.url, {"three_ds": "fail"})
    assert (answer.status_code, "unable to authenticate" in answer.text) == (402, True)
    assert status_of(box, session.id) == ("open", "unpaid")
    assert box.all("charges") == []


def test_a_passed_challenge_may_still_be_declined(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url, "4000008400001629")
    assert box.browse(session.url, {"three_ds": "ok"}).status_code == 402
    assert status_of(box, session.id) == ("open", "unpaid")


def test_an_answer_without_a_challenge_pays_nothing(box: Box) -> None:
    session = box.a_session()
    assert box.browse(session.url, {"three_ds": "ok"}).status_code == 409
    assert box.all("charges") == []


def test_a_paid_page_cannot_be_paid_again(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url)
    answer = box.pay(session.url)
    assert (answer.status_code, "already been paid" in answer.text) == (410, True)
    assert len(box.all("charges")) == 1


def test_an_expired_page_leads_back_to_the_site(box: Box) -> None:
    session = box.a_session()
    box.client().checkout.sessions.expire(session.id)
    answer = box.pay(session.url)
    assert answer.status_code == 410
    assert "has expired" in answer.text
    assert f'href="{CANCEL_URL}"' in answer.text
    assert box.all("charges") == []


def test_an_unknown_page_is_not_found(box: Box) -> None:
    assert box.browse(f"{box.base}/c/pay/cs_test_nobody").status_code == 404


def test_choosing_a_listed_card_fills_in_the_form(box: Box) -> None:
    page = box.browse(f"{box.a_session().url}?card=4000000000000002").text
    assert 'value="4000 0000 0000 0002"' in page
    assert box.all("charges") == []
