"""The table of API addresses, and what each does."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from payments.sandbox.errors import ApiError, Json
from payments.sandbox.kinds import (
    CHARGE,
    CUSTOMER,
    DISPUTE,
    ENDPOINT,
    EVENT,
    INTENT,
    PAYOUT,
    REFUND,
    SESSION,
    TRANSACTION,
    Kind,
)
from payments.sandbox.objects import checkout, directory, disputes, intents, refunds
from payments.sandbox.objects.balance import balance
from payments.sandbox.params import Params
from payments.sandbox.publish import line_items, page, publish
from payments.sandbox.world import World

PATHS: dict[str, Kind] = {
    "checkout/sessions": SESSION,
    "payment_intents": INTENT,
    "charges": CHARGE,
    "refunds": REFUND,
    "disputes": DISPUTE,
    "balance_transactions": TRANSACTION,
    "payouts": PAYOUT,
    "customers": CUSTOMER,
    "webhook_endpoints": ENDPOINT,
    "events": EVENT,
}
Create = Callable[[World, Params], Json]
Act = Callable[[World, Json, Params], Json]


def _update_metadata(kind: Kind) -> Act:
    def update(world: World, row: Json, params: Params) -> Json:
        return world.change(kind, row, {"metadata": params.metadata(row["metadata"])})

    return update


CREATE: dict[str, Create] = {
    SESSION.name: checkout.create_session,
    REFUND.name: refunds.create_refund,
    CUSTOMER.name: directory.create_customer,
    ENDPOINT.name: directory.create_endpoint,
}
UPDATE: dict[str, Act] = {
    **{
        kind.name: _update_metadata(kind)
        for kind in (SESSION, INTENT, CHARGE, REFUND, PAYOUT, CUSTOMER)
    },
    DISPUTE.name: disputes.update_dispute,
    ENDPOINT.name: directory.update_endpoint,
}
DELETE: dict[str, Act] = {
    ENDPOINT.name: lambda world, row, _: directory.delete_endpoint(world, row),
}
ACTIONS: dict[tuple[str, str], Act] = {
    (SESSION.name, "expire"): lambda world, row, _: checkout.expire_session(world, row),
    (INTENT.name, "capture"): intents.capture_intent,
    (INTENT.name, "cancel"): intents.cancel_intent,
    (REFUND.name, "cancel"): lambda world, row, _: refunds.cancel_refund(world, row),
    (DISPUTE.name, "close"): lambda world, row, _: disputes.accept_dispute(world, row),
}
_PATH = re.compile(
    rf"/v1/(?P<resource>{'|'.join(PATHS)})(?:/(?P<id>[A-Za-z0-9_]+)(?:/(?P<action>[a-z_]+))?)?"
)


@dataclass(frozen=True)
class _Address:
    kind: Kind
    object_id: str | None
    action: str | None


def answer(world: World, method: str, path: str, fields: Json) -> Json:
    """Execute one API request; return the JSON to answer with. Raises ApiError."""
    params = Params(fields)
    expand = params.texts("expand")
    shown = _answer(world, method, path, params, expand)
    params.refuse_unread()
    return shown


def _answer(world: World, method: str, path: str, params: Params, expand: list[str]) -> Json:
    if path == "/v1/balance" and method == "GET":
        return balance(world)
    match = _PATH.fullmatch(path)
    if match is None:
        raise _unknown(method, path)
    at = _Address(PATHS[match["resource"]], match["id"], match["action"])
    if at.object_id is None:
        if method == "GET":
            return page(world.store, at.kind, params, url=path, expand=expand, now=world.moment)
        if method == "POST" and at.kind.name in CREATE:
            return _shown(world, CREATE[at.kind.name](world, params), expand)
        raise _unknown(method, path)
    row = world.get(at.kind, at.object_id)
    if method == "GET" and at.action is None:
        return _shown(world, row, expand)
    if method == "GET" and (at.kind, at.action) == (SESSION, "line_items"):
        params.accept(["limit"])
        return line_items(row)
    act = _act(method, at)
    if act is None:
        raise _unknown(method, path)
    return _shown(world, act(world, row, params), expand)


def _act(method: str, at: _Address) -> Act | None:
    if method == "POST" and at.action is not None:
        return ACTIONS.get((at.kind.name, at.action))
    if at.action is not None:
        return None
    return {"POST": UPDATE, "DELETE": DELETE}.get(method, {}).get(at.kind.name)


def _shown(world: World, row: Json, expand: list[str]) -> Json:
    if row.get("deleted"):
        return row
    return publish(world.store, row, expand, now=world.moment)


def _unknown(method: str, path: str) -> ApiError:
    return ApiError(
        f"Unrecognized request URL ({method}: {path}). Either it does not exist or the sandbox"
        " does not have it; its README lists what it has.",
        status=404,
    )
