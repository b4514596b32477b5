"""Letters about accounts go through the outbox, like all others."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.utils import timezone

from parking.tasks.nudges import nudge_once
from payments import mail, tasks


class OutboxAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it has no types
    """Owe a letter where the library would send it itself while the visitor waits."""

    def send_mail(self, template_prefix: str, email: str, context_: dict[str, Any]) -> None:
        """Owe the letter; a worker sends it at once, in our design."""
        site = {"current_site": get_current_site(context.request), "request": context.request}
        message = self.render_mail(template_prefix, email, {"email": email, **site, **context_})
        text = str(message.body)
        mail.owe_about_account(to=email, subject=message.subject, text=text, now=timezone.now())
        transaction.on_commit(lambda: nudge_once(tasks.send_mail))
