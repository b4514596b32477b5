"""REST framework's views without its wrapping of the request, for the one call that is hot."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

_JSON = "application/json"


class TooLarge(APIException):
    """The body is longer than any that makes sense."""

    status_code = 413
    default_code = "too_large"
    default_detail = gettext_lazy("The body is too large.")


class JsonOnly(BaseContentNegotiation):
    """JSON comes in and goes out, whatever else somebody would accept."""

    def select_parser(self, request: Any, parsers: Any) -> None:
        """Leave the body to `LeanView.read`."""

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: str | None = None
    ) -> tuple[JSONRenderer, str]:
        """Return the only one there is."""
        return JSONRenderer(), _JSON


class LeanView(APIView):
    """A view whose methods get Django's own request, and read its JSON by `read`.

    Schema, throttles, permissions and problem documents are as everywhere. A session counts only
    with its CSRF token, as with REST framework's own class. Wrapping the request, weighing Accept
    and choosing a parser cost a sixth of a hold.
    """

    content_negotiation_class = JsonOnly

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the request as it is."""
        return request

    def perform_authentication(self, request: Any) -> None:
        """Refuse the request of a signed-in person's browser that another site made."""
        if request.user.is_authenticated:
            SessionAuthentication().enforce_csrf(request)

    @staticmethod
    def read(request: HttpRequest) -> Any:
        """Return what the body says.

        Raises:
            ParseError, UnsupportedMediaType: it is no JSON.
            TooLarge: see there.
        """
        try:
            body = request.body
        except RequestDataTooBig as error:
            raise TooLarge from error
        if body and request.content_type != _JSON:
            raise UnsupportedMediaType(request.content_type or "")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(_("This is not JSON: %(error)s.") % {"error": error}) from error
