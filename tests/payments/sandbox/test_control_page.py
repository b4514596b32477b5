"""The control page: everything a person can set with a form."""

import re

import requests

from tests.payments.sandbox.box import Box
from tests.payments.sandbox.receiver import Receiver


def send(box: Box, action: str, **fields: str) -> requests.Response:
    """Send one of the page's forms, as a browser does."""
    page = box.browse(f"{box.base}/")
    assert f'action="/_control/{action}"' in page.text
    return box.http.post(
        f"{box.base}/_control/{action}",
        data=fields,
        headers={"Origin": box.base, "Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
        timeout=10,
    )


def test_an_empty_sandbox_says_so(box: Box) -> None:
    page = box.browse(f"{box.base}/")
    assert page.status_code == 200
    for text in ("TEST MODE", "No money yet", "None yet", "No captured charge"):
        assert text in page.text


def test_it_shows_money_events_and_what_can_be_disputed(box: Box) -> None:
    intent = box.a_paid_intent(250)
    page = box.browse(f"{box.base}/").text
    for text in ("€2.22", "checkout.session.completed", intent.latest_charge.id, intent.id):
        assert text in page, text


def test_a_form_does_its_work_and_leads_back(box: Box) -> None:
    before = box.now()
    answer = send(box, "clock", advance="3600")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert box.now() - before >= 3600


def test_an_empty_field_of_a_form_is_none(box: Box) -> None:
    fault = {"kind": "error", "method": "*", "path": "/v1/refunds", "times": "", "status": "503"}
    assert send(box, "faults", **fault).status_code == 303
    [rule] = box.control("faults", "GET")["data"]
    assert (rule["times"], rule["status"]) == (None, 503)
    assert "error 503: * /v1/refunds" in box.browse(f"{box.base}/").text
    assert send(box, f"faults/{rule['id']}/remove").status_code == 303
    assert box.control("faults", "GET") == {"data": []}


def test_an_event_is_sent_again_by_its_button(box: Box, receiver: Receiver) -> None:
    box.client().customers.create({})
    box.control("deliver")
    [event] = box.all("events")
    assert send(box, f"events/{event['id']}/resend").status_code == 303
    assert send(box, "deliver").status_code == 303
    assert [came.id for came in receiver.events()] == [event["id"]] * 2


def test_disputes_and_payouts_have_buttons(box: Box) -> None:
    charge = box.a_paid_intent(250, "4000000000000077").latest_charge
    assert send(box, "payouts").status_code == 303
    assert [row["amount"] for row in box.all("payouts")] == [222]
    assert send(box, "disputes", charge=charge.id).status_code == 303
    [dispute] = box.all("disputes")
    assert send(box, f"disputes/{dispute['id']}/close", status="won").status_code == 303
    assert box.all("disputes")[0]["status"] == "won"


def test_a_pending_refund_is_decided_by_its_buttons(box: Box) -> None:
    intent = box.a_paid_intent(card="4000000000007726")
    refund = box.client().refunds.create({"payment_intent": intent.id})
    assert send(box, f"refunds/{refund.id}/settle", status="failed").status_code == 303
    assert box.client().refunds.retrieve(refund.id).status == "failed"


def test_what_cannot_be_done_is_said_on_a_page(box: Box) -> None:
    answer = send(box, "payouts")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Nothing is available to pay out" in answer.text
    assert 'href="/"' in answer.text


def test_everything_can_be_forgotten(box: Box) -> None:
    box.a_paid_intent()
    assert send(box, "reset").status_code == 303
    assert set(box.control("state", "GET")["objects"].values()) <= {0, 1}
    assert [row["id"] for row in box.all("webhook_endpoints")] == ["we_command_line"]


def test_what_payers_send_is_shown_as_text(box: Box) -> None:
    box.control("faults", kind="error", path="/v1/<script>alert(1)</script>")
    page = box.browse(f"{box.base}/").text
    assert "<script" not in page
    assert re.search(r"&lt;script&gt;", page)
