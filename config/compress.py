"""Pages leave compressed: half of the bytes of a first visit, on a bad network, are its page."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressPages(GZipMiddleware):
    """Compress pages alone. Streams and files of auditors are long, and their network is good.

    Django's middleware adds random bytes, so that the length tells nothing of a form's secret.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress the answer where it is a page and the browser takes gzip."""
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
