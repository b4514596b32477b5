"""The errors that the API answers with."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An error answer of the API, in Stripe's shape.

    `began` says that the request was well formed and had begun to execute: only such answers are
    kept under an idempotency key, so that a corrected request may use the same key again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the field's own name
        code: str | None = None,
        param: str | None = None,
        began: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.began = began

    def body(self) -> Json:
        """Return the JSON body of the answer."""
        error: Json = {"type": self.type, "message": self.message}
        if self.code is not None:
            error["code"] = self.code
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def no_such(label: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """Return the error for an object that does not exist."""
    return ApiError(
        f"No such {label}: '{object_id}'", status=status, code="resource_missing", param=param
    )


def unexpected_state(message: str, *, code: str | None = None) -> ApiError:
    """Return the error for a request that the object's state does not allow."""
    return ApiError(message, code=code, began=True)
