"""The API's rules for every request: keys, idempotency, faults."""

import base64
import binascii
import secrets
import time

from payments.sandbox.engine import Engine
from payments.sandbox.errors import ApiError, Json
from payments.sandbox.faults import Plan
from payments.sandbox.idempotency import Answer, IdempotencyKeys, fingerprint
from payments.sandbox.web.messages import LOST, Request, Response, error_response, json_response
from payments.sandbox.web.routes import answer
from payments.sandbox.world import API_VERSION

TEST_KEYS = ("sk_test_", "rk_test_")


class Api:
    """Answers what lies under ``/v1/``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = IdempotencyKeys(engine.store)

    def respond(self, request: Request, plan: Plan) -> Response:
        """Answer one request, or fail as the plan says."""
        request_id = "req_" + secrets.token_hex(7)
        headers = {
            "Request-Id": request_id,
            "Stripe-Version": request.header("Stripe-Version") or API_VERSION,
        }
        try:
            check_key(request)
            fields = request.form()
            key = request.header("Idempotency-Key") or None
            if request.method != "POST":
                key = None
            with self._keys.held(key):
                if plan.delay:  # sleeping for nothing still gives the processor away
                    time.sleep(plan.delay)
                if plan.lose_request:
                    return LOST
                if plan.status is not None:
                    raise _injected(plan.status)
                given, replayed = self._execute(request, fields, key, request_id)
        except ApiError as error:
            return LOST if plan.lose_answer else error_response(error, headers)
        if plan.lose_answer:
            return LOST
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        if key:
            headers["Idempotency-Key"] = key
        return json_response(given.body, given.status, headers)

    def _execute(
        self, request: Request, fields: Json, key: str | None, request_id: str
    ) -> tuple[Answer, bool]:
        """Return the answer, and whether it is an earlier one."""
        print_ = fingerprint(request.method, request.path, fields)
        try:
            with self._engine.turn(request_id=request_id, idempotency_key=key) as world:
                if key and (kept := self._keys.find(key, print_, now=world.moment)):
                    return kept, True
                given = Answer(200, answer(world, request.method, request.path, fields))
                if key:
                    self._keys.keep(key, print_, given, now=world.moment)
                return given, False
        except ApiError as error:
            if key and error.began:
                # Nothing was changed, but the answer is final for this key.
                with self._engine.turn() as world:
                    self._keys.keep(
                        key, print_, Answer(error.status, error.body()), now=world.moment
                    )
            raise


def check_key(request: Request) -> None:
    """Refuse a request without a test key. The key itself is never repeated."""
    scheme, _, rest = request.header("Authorization").partition(" ")
    key = rest.strip() if scheme.lower() == "bearer" else ""
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key:
        raise ApiError(
            "You did not provide an API key. Send it as `Authorization: Bearer sk_test_…`.",
            status=401,
        )
    if not key.startswith(TEST_KEYS):
        raise ApiError(
            "Invalid API Key provided. The sandbox accepts keys that begin with sk_test_ or"
            " rk_test_ only; never send it a live key.",
            status=401,
        )


def _injected(status: int) -> ApiError:
    if status == 429:
        return ApiError("Too many requests (injected fault).", status=429, code="rate_limit")
    return ApiError(
        "An unknown error occurred (injected fault).",
        status=status,
        type="api_error" if status >= 500 else "invalid_request_error",
    )
