"""The auditor's files: small ones at once, large ones by a worker, each with its manifest."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from parking import formatting
from parking.tasks.nudges import nudge
from payments import audit_files, export_jobs, tasks
from payments.audit_tables import FILES, TABLES
from payments.exports import CONTENT_TYPES
from payments.models import OPEN_EXPORT_STATES, ExportJob, ExportLog, ExportState
from payments.views.audit_nav import LinesForm, asked, auditors_only, reading, show

_MOST_SHOWN = 200


@reading
def files(request: HttpRequest) -> HttpResponse:
    """Show which files left, and those that are being made."""
    form = asked(request)
    if not form.is_valid():
        return show(request, "payments/audit/files.html", {}, form=form, status=400)
    rows = FILES.rows(form.covered(), limit=_MOST_SHOWN + 1)
    context = {
        "table": FILES,
        "rows": rows[:_MOST_SHOWN],
        "has_more": len(rows) > _MOST_SHOWN,
        "jobs": ExportJob.objects.filter(state__in=OPEN_EXPORT_STATES).select_related("log__user"),
    }
    return show(request, "payments/audit/files.html", context, form=form)


@auditors_only
@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, key: str, kind: str) -> HttpResponseBase:
    """Send a table as a file; a large one is made by a worker, when the person asks for it."""
    table = TABLES.get(key)
    if table is None or kind not in CONTENT_TYPES:
        raise Http404
    form = asked(request, LinesForm)
    if not form.is_valid():
        return show(request, "payments/audit/large.html", {}, form=form, status=400)
    covered, user = form.covered(), cast(User, request.user)
    rows = table.count(covered)
    if request.method == "POST":
        job = export_jobs.ask(
            table=table, kind=kind, covered=covered, rows=rows, user=user, now=timezone.now()
        )
        nudge(tasks.make_files)
        return redirect("payments:export-job", job.pk)
    if audit_files.is_large(rows=rows, kind=kind):
        context = {"table": table, "kind": kind, "rows": rows}
        return show(request, "payments/audit/large.html", context, form=form)
    body = audit_files.send(table=table, kind=kind, covered=covered, user=user, now=timezone.now())
    response = StreamingHttpResponse(body, content_type=CONTENT_TYPES[kind])
    return _named(response, audit_files.file_name(table, covered, kind))


@reading
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show how far a file is, and where to fetch it."""
    found = get_object_or_404(ExportJob.objects.select_related("log__user"), id=job_id)
    context = {"job": found, "table": TABLES[found.table], "progress": _progress(found)}
    return show(request, "payments/audit/job.html", context)


@reading
def job_status(request: HttpRequest, job_id: int) -> HttpResponse:
    """Say how far a file is, for the page's script."""
    return JsonResponse(_progress(get_object_or_404(ExportJob, id=job_id)))


@reading
def job_file(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """Send a file that a worker has made."""
    found = get_object_or_404(
        ExportJob.objects.select_related("log"), id=job_id, state=ExportState.DONE
    )
    response = StreamingHttpResponse(
        export_jobs.pieces(found), content_type=CONTENT_TYPES[found.format]
    )
    return _named(response, found.log.name)


@reading
def manifest(request: HttpRequest, export_id: int) -> HttpResponse:
    """Send the manifest of a file."""
    log = get_object_or_404(ExportLog, id=export_id, manifest__isnull=False)
    response = JsonResponse(log.manifest, json_dumps_params={"indent": 2, "sort_keys": True})
    return cast(HttpResponse, _named(response, f"{log.name}.manifest.json"))


def _named(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _progress(found: ExportJob) -> dict[str, Any]:
    """Return how far a file is, for the page and for its script."""
    text = ""
    match found.state:
        case ExportState.QUEUED:
            ahead = export_jobs.ahead_of(found)
            text = ngettext(
                "It starts when %(n)s other file is done.",
                "It starts when %(n)s other files are done.",
                ahead,
            ) % {"n": formatting.number(ahead)}
            text = text if ahead else _("It starts in a moment.")
        case ExportState.RUNNING:
            text = ngettext(
                "%(done)s of %(total)s row written.",
                "%(done)s of %(total)s rows written.",
                found.total,
            ) % {
                "done": formatting.number(found.done),
                "total": formatting.number(found.total),
            }
    return {
        "state": found.state,
        "is_open": found.state in OPEN_EXPORT_STATES,
        "done": found.done,
        "total": found.total,
        "text": text,
    }
