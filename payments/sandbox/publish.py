"""What a client sees of an object: no private fields, and links expanded where asked."""

from collections.abc import Sequence
from typing import Any

from payments.sandbox.errors import ApiError, Json
from payments.sandbox.kinds import CHARGE, EVENT, REFUND, SESSION, TRANSACTION, Kind, kind_of
from payments.sandbox.params import Params
from payments.sandbox.store import Store, field

MAX_EXPAND_DEPTH = 4
MAX_PAGE = 100
EVENTS_LAST = 30 * 86_400
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def publish(store: Store, row: Json, expand: Sequence[str] = (), *, now: int) -> Json:
    """Return the public form of an object, following the paths of `expand`.

    Raises ApiError 400 for a path that leads nowhere.
    """
    shown = {name: value for name, value in row.items() if not name.startswith("_")}
    if row["object"] == TRANSACTION.name:
        shown["status"] = "available" if row["available_on"] <= now else "pending"
    for head, deeper in _by_head(expand).items():
        shown[head] = _expanded(store, row, head, deeper, now)
    return shown


def _by_head(paths: Sequence[str]) -> dict[str, list[str]]:
    heads: dict[str, list[str]] = {}
    for path in paths:
        if path.count(".") >= MAX_EXPAND_DEPTH:
            raise ApiError(
                f"You cannot expand more than {MAX_EXPAND_DEPTH} levels: {path}", param="expand"
            )
        head, _, rest = path.partition(".")
        heads.setdefault(head, []).extend([rest] if rest else [])
    return heads


def _expanded(store: Store, row: Json, head: str, deeper: list[str], now: int) -> Json | None:
    if row["object"] == SESSION.name and head == "line_items":
        return line_items(row)
    if row["object"] == CHARGE.name and head == "refunds":
        refunds = store.select(REFUND, [f"{field('charge')} = ?"], [row["id"]])
        return as_list(
            [publish(store, refund, now=now) for refund in refunds],
            url=f"/v1/charges/{row['id']}/refunds",
        )
    if head in row and row[head] is None:
        return None
    linked_id = row.get(head)
    kind = kind_of(linked_id) if isinstance(linked_id, str) and head != "id" else None
    linked = store.get(kind, str(linked_id)) if kind else None
    if linked is None:
        raise ApiError(f"This property cannot be expanded ({head}).", param="expand")
    return publish(store, linked, deeper, now=now)


def line_items(session: Json) -> Json:
    """Return the line items of a Checkout Session as a list object."""
    return as_list(session["_line_items"], url=f"/v1/checkout/sessions/{session['id']}/line_items")


def as_list(rows: list[Json], *, url: str, has_more: bool = False) -> Json:
    """Return rows as Stripe's list object."""
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def page(
    store: Store, kind: Kind, params: Params, *, url: str, expand: Sequence[str], now: int
) -> Json:
    """Return one page of a list, newest first, as the cursors and filters of `params` ask."""
    limit = params.integer("limit", minimum=1) or 10
    if limit > MAX_PAGE:
        raise ApiError(f"This value must be less than or equal to {MAX_PAGE}.", param="limit")
    conditions, values = _conditions(kind.filters, params)
    if kind is EVENT:
        conditions.append("created > ?")
        values.append(now - EVENTS_LAST)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise ApiError("You cannot send both starting_after and ending_before.")
    cursor = after or before
    if cursor:
        place = store.place(kind, cursor)
        if place is None:
            name = "starting_after" if after else "ending_before"
            raise ApiError(f"No such {kind.label}: '{cursor}'", code="resource_missing", param=name)
        conditions.append(f"(created, seq) {'<' if after else '>'} (?, ?)")
        values.extend(place)
    rows = store.select(kind, conditions, values, oldest_first=before is not None, limit=limit + 1)
    has_more = len(rows) > limit
    rows = rows[:limit]
    if before:
        rows.reverse()
    paths = [path.removeprefix("data.") for path in expand if path.startswith("data.")]
    if len(paths) < len(expand):
        raise ApiError("On a list, expand paths must begin with `data.`.", param="expand")
    shown = [publish(store, row, paths, now=now) for row in rows]
    return as_list(shown, url=url, has_more=has_more)


def _conditions(filters: dict[str, str], params: Params) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for name, stored in filters.items():
        wanted = params.text(name)
        if wanted is not None:
            conditions.append(f"{field(stored)} = ?")
            values.append(wanted)
    if "type" in filters and (types := params.texts("types")):
        conditions.append(f"{field('type')} IN ({', '.join('?' * len(types))})")
        values.extend(types)
    if params.is_group("created"):
        bounds = params.group("created")
        for name, sign in _COMPARISONS.items():
            if (moment := bounds.integer(name)) is not None:
                conditions.append(f"created {sign} ?")
                values.append(moment)
    elif (moment := params.integer("created")) is not None:
        conditions.append("created = ?")
        values.append(moment)
    return conditions, values
