"""Answers that say what went wrong, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.views import set_rollback

from parking import refusals

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S: Final = 1


def problem(
    status_code: int,
    code: str,
    title: str,
    *,
    detail: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> HttpResponse:
    """Return a problem document; `code` is stable for programs, `title` is for people."""
    body = {
        "type": f"urn:curblight:problem:{code}",
        "title": title,
        "status": status_code,
        **({"detail": detail} if detail else {}),
        **members,
    }
    return JsonResponse(body, status=status_code, content_type=CONTENT_TYPE, headers=headers)


def invalid(errors: dict[str, list[str]]) -> HttpResponse:
    """Return 400 with what is wrong with each field."""
    return problem(400, "invalid-input", _("Some of the input is not valid."), errors=errors)


def busy() -> HttpResponse:
    """Say that others are at the same rows, as 409 with a time to try again."""
    title = _("Others want the same spot right now. Try again in a moment.")
    return problem(409, "busy", title, headers={"Retry-After": str(RETRY_AFTER_S)})


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn what REST framework raises into problem documents; leave bugs to the 500 page."""
    if refusals.is_busy(error):
        set_rollback()
        return busy()
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers: dict[str, str] = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(error, exceptions.ValidationError):
        return invalid(_field_errors(error.detail))
    code = str(error.default_code).replace("_", "-")
    return problem(error.status_code, code, str(error.detail), headers=headers)


def _field_errors(detail: Any) -> dict[str, list[str]]:
    if not isinstance(detail, dict):
        return {"non_field_errors": [str(message) for message in detail]}
    return {
        field: [str(message) for message in (value if isinstance(value, list) else [value])]
        for field, value in detail.items()
    }
