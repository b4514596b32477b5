"""A request as it was received, and the response to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from payments.sandbox.errors import ApiError, Json
from payments.sandbox.params import decode_form, from_json

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """One HTTP request, wholly read. Header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name.lower(), "")

    @property
    def content_type(self) -> str:
        """Return the media type of the body."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def form(self) -> Json:
        """Return the nested fields of the body (of the query, where there is no body)."""
        if self.method in ("GET", "HEAD", "DELETE") and not self.body:
            return decode_form(self.query)
        if self.body and self.content_type != FORM:
            raise ApiError(f"Send the body as {FORM}.", status=400)
        try:
            return decode_form(self.body.decode())
        except UnicodeDecodeError as error:
            raise ApiError("The body is not a form: it is not UTF-8.") from error

    def fields(self) -> Json:
        """Return the body's fields, sent as JSON or as a form."""
        if self.content_type != JSON:
            return self.form()
        try:
            value = json.loads(self.body or b"{}")
            # Half a surrogate pair is valid JSON, but no text that could be stored or sent.
            json.dumps(value, ensure_ascii=False).encode()
            if not isinstance(value, dict):
                raise ApiError("The body must be a JSON object.")
            fields: Json = from_json(value)
        except (ValueError, RecursionError) as error:
            raise ApiError("The body is not valid JSON.") from error
        return fields


@dataclass(frozen=True)
class Response:
    """One HTTP response. `lost` closes the connection instead of answering."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Response(0, lost=True)


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response."""
    return Response(status, json.dumps(body, indent=2).encode() + b"\n", JSON, headers or {})


def error_response(error: ApiError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the JSON response of an error."""
    return json_response(error.body(), error.status, headers)


def see_other(location: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a redirect that is followed with GET."""
    address = "".join(sign if sign.isascii() else quote(sign) for sign in location)
    return Response(303, b"", "text/plain", {"Location": address, **(headers or {})})
