"""The mailbox of a demonstration: the letters that were written to files instead of being sent.

Whoever opens the site can read them, codes and keys to bookings among them. So it exists only
where `DEMO_MAILBOX` is set, and settings.py refuses that where real money or real mail moves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

SHOWN = 50  # files, newest first
_NAME = re.compile(r"^(?P<file>\d{8}-\d{6}-\d{1,20})-(?P<place>\d{1,4})$")
_BETWEEN_LETTERS = b"\n" + b"-" * 79 + b"\n"  # as Django's backend writes them


@dataclass(frozen=True)
class SentLetter:
    """A letter as it left."""

    name: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"] or "")

    @property
    def to(self) -> str:
        """Whom it was for."""
        return str(self.message["To"] or "")

    @property
    def sent_at(self) -> datetime | None:
        """When it left."""
        date = self.message["Date"]
        if date is None:
            return None
        moment: datetime = date.datetime
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # written as “-0000”

    @property
    def plain(self) -> str:
        """What a terminal shows."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """What other programs show; empty where it has no such part."""
        return self._body("html")

    @property
    def files(self) -> list[str]:
        """The names of what is attached."""
        return [part.get_filename() or "" for part in self.message.iter_attachments()]

    def _body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()) if part is not None else ""


def latest() -> list[SentLetter]:
    """Return the letters that left last, newest first."""
    files = sorted(_folder().glob("*.log"), key=lambda file: file.name, reverse=True)[:SHOWN]
    return [letter for file in files for letter in reversed(_letters_in(file))]


def find(name: str) -> SentLetter | None:
    """Return one of them, or None where there is no such letter."""
    known = _NAME.match(name)
    if known is None:
        return None
    letters = _letters_in(_folder() / f"{known['file']}.log")
    place = int(known["place"])
    return letters[place] if place < len(letters) else None


def _letters_in(file: Path) -> list[SentLetter]:
    try:
        written = file.read_bytes().split(_BETWEEN_LETTERS)
    except FileNotFoundError:
        return []
    return [
        SentLetter(f"{file.stem}-{place}", message_from_bytes(text, policy=policy.default))
        for place, text in enumerate(written)
        if text.strip()
    ]


def _folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)  # type: ignore[misc]  # EMAIL_URL brings it
