"""Customers and webhook endpoints: kept, changed and listed, with no life of their own."""

import secrets

from payments.sandbox.errors import Json
from payments.sandbox.kinds import CUSTOMER, ENDPOINT
from payments.sandbox.params import Params
from payments.sandbox.store import Store
from payments.sandbox.world import World

FIXED_ENDPOINT = "we_command_line"


def create_customer(world: World, params: Params) -> Json:
    """Create a customer."""
    customer = world.new(
        CUSTOMER,
        {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": params.text("description"),
            "email": params.text("email", max_length=512),
            "metadata": params.metadata(),
            "name": params.text("name", max_length=256),
            "phone": params.text("phone", max_length=20),
            "preferred_locales": [],
            "shipping": None,
        },
    )
    world.emit("customer.created", customer)
    return customer


def create_endpoint(world: World, params: Params) -> Json:
    """Create a webhook endpoint. Only this answer shows its secret."""
    params.required_text("url")
    secret = "whsec_" + secrets.token_hex(16)
    endpoint = world.new(
        ENDPOINT,
        {
            "api_version": params.text("api_version"),
            "application": None,
            "description": params.text("description"),
            "enabled_events": _event_types(params),
            "metadata": params.metadata(),
            "status": "enabled",
            "url": params.url("url"),
            "_secrets": [secret],
        },
    )
    return {**endpoint, "secret": secret}


def update_endpoint(world: World, endpoint: Json, params: Params) -> Json:
    """Change where an endpoint is, what it wants, or whether it is enabled."""
    changes: Json = {"metadata": params.metadata(endpoint["metadata"])}
    if "url" in params:
        changes["url"] = params.url("url")
    if "enabled_events" in params:
        changes["enabled_events"] = _event_types(params)
    if (disabled := params.flag("disabled")) is not None:
        changes["status"] = "disabled" if disabled else "enabled"
    return world.change(ENDPOINT, endpoint, changes)


def delete_endpoint(world: World, endpoint: Json) -> Json:
    """Remove an endpoint; what still waits for it is never sent."""
    world.store.delete(ENDPOINT, endpoint["id"])
    return {"id": endpoint["id"], "object": ENDPOINT.name, "deleted": True}


def _event_types(params: Params) -> list[str]:
    return params.texts("enabled_events", required=True)


def fix_endpoint(
    store: Store, *, url: str | None, secrets: list[str], events: list[str], now: int
) -> None:
    """Make the endpoint of the command line true; without an address there is none."""
    with store.transaction():
        store.delete(ENDPOINT, FIXED_ENDPOINT)
        if url is None:
            return
        store.insert(
            ENDPOINT,
            {
                "id": FIXED_ENDPOINT,
                "object": ENDPOINT.name,
                "created": now,
                "livemode": False,
                "api_version": None,
                "application": None,
                "description": "From the command line",
                "enabled_events": events or ["*"],
                "metadata": {},
                "status": "enabled",
                "url": url,
                "_secrets": secrets,
            },
        )
