"""What came in from the processor and what left as files, word for word."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from payments.admin.read_only import ReadOnly
from payments.models import ExportLog, WebhookEvent


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Events of the processor, word for word; for superusers."""

    list_display = ["received_at", "type", "event_id", "is_matched", "processed_at"]
    list_filter = ["type", "is_matched", "received_at"]
    search_fields = ["=event_id"]
    list_per_page = 50
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["event_id", "type", "received_at", "processed_at", "is_matched"]}),
        (_("Message"), {"fields": ["message"]}),
    ]
    readonly_fields = ["message"]

    @admin.display(description=_("payload"))
    def message(self, event: WebhookEvent) -> SafeString:
        """Show the message, indented."""
        text = json.dumps(event.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="desk-code" dir="ltr">{}</pre>', text)


@admin.register(ExportLog)
class ExportLogAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Every file that left the house."""

    list_display = ["at", "user", "name", "rows"]
    list_filter = ["at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__email"]
    fieldsets = [(None, {"fields": ["at", "user", "name", "rows", "parameters", "manifest"]})]
