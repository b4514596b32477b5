"""The frame of every HTML page: one stylesheet, no script, a strict policy."""

import urllib.parse
from html import escape

from payments.sandbox.web.messages import Response

STYLE = "/assets/sandbox.css"
HTML = "text/html; charset=utf-8"


def document(title: str, main: str, *, wide: bool = False) -> str:
    """Return a page; `main` is HTML already."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} · Payment sandbox</title>\n"
        f'<link rel="stylesheet" href="{STYLE}">\n<link rel="icon" href="data:,">\n</head>\n'
        f'<body class="{"wide" if wide else "narrow"}">\n'
        '<header class="banner"><strong>TEST MODE</strong>'
        " <span>No money moves. Never type a real card here.</span></header>\n"
        f"<main>\n{main}\n</main>\n</body>\n</html>\n"
    )


def html_response(text: str, status: int = 200, *, form_targets: tuple[str, ...] = ()) -> Response:
    """Return a page under a strict policy.

    `form_targets` are addresses to which a form may lead in the end: browsers apply
    `form-action` to redirects too.
    """
    return Response(status, text.encode(), HTML, page_headers(form_targets))


def page_headers(form_targets: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the headers that guard a page."""
    origins = " ".join(["'self'", *sorted({origin(url) for url in form_targets})])
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
            f" frame-ancestors 'none'; form-action {origins}"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def origin(url: str) -> str:
    """Return the origin of an address."""
    parts = urllib.parse.urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
