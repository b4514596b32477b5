"""A worker that is killed (kill -9) while it sends a letter: none is lost, and none is new.

No protocol lets a sender know that the mail server took a letter and note it in one step. So a
letter leaves at least once; where the worker dies between the two, it leaves again under the same
Message-ID, by which mailboxes keep one of it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, connections

from payments import mail
from payments.models import Mail, MailKind
from tests import cast
from tests.racing import race, wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
AT = cast.at(5)
LEASE_OVER = cast.at(11)
_context = multiprocessing.get_context("fork")


class Mailbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.letters: list[Message] = []

    async def handle_DATA(  # noqa: N802 (the server calls it so)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a letter."""
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content))
        return "250 Taken"

    @property
    def ids(self) -> list[str]:
        return [str(letter["Message-ID"]) for letter in self.letters]


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A mail server on a port of its own, and the site set up to use it."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        host, port = free.getsockname()
    server = Controller(box, hostname=host, port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    yield box
    server.stop()


@pytest.fixture
def letter(db: None) -> Mail:
    [slot] = cast.a_stay(cast.a_spot(cast.a_zone()), 60)
    mail.owe(kind=MailKind.CONFIRMED, slot=slot, now=cast.NOW)
    return Mail.objects.get()


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after_claiming() -> None:
    """The letter is claimed, and not even read."""

    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        answer = execute(sql, *more)
        return die() if sql.lstrip().startswith("UPDATE") else answer

    connection.execute_wrappers.append(watch)


def before_sending() -> None:
    EmailBackend.open = die


def after_the_server_took_it() -> None:
    send = EmailBackend.send_messages

    def send_and_die(*args: Any) -> None:
        assert send(*args) == 1
        die()

    EmailBackend.send_messages = send_and_die


def after_noting_it() -> None:
    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        answer = execute(sql, *more)
        return die() if '"sent_at" =' in sql and sql.startswith("UPDATE") else answer

    connection.execute_wrappers.append(watch)


def killed(letter: Mail, moment: Callable[[], None]) -> None:
    """Send the letter in a process that dies at the moment."""

    def run() -> None:
        moment()
        mail.send(mail_id=letter.pk, now=AT)

    connections.close_all()  # a child must not inherit a live connection
    process = _context.Process(target=run, daemon=True)
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    wait_until(lambda: not _others())


def _others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("moment", "taken", "in_all"),
    [
        (after_claiming, 0, 1),
        (before_sending, 0, 1),
        (after_the_server_took_it, 1, 2),
        (after_noting_it, 1, 1),
    ],
)
def test_a_killed_worker_leaves_the_letter_to_the_next(
    mailbox: Mailbox,
    letter: Mail,
    moment: Callable[[], None],
    taken: int,
    in_all: int,
) -> None:
    killed(letter, moment)
    assert len(mailbox.letters) == taken
    assert not mail.send(mail_id=letter.pk, now=AT), "what is claimed waits for its lease"
    mail.send(mail_id=letter.pk, now=LEASE_OVER)
    mail.send(mail_id=letter.pk, now=LEASE_OVER)
    assert len(mailbox.letters) == in_all
    assert len(set(mailbox.ids)) == 1, "a repeat is the same letter"
    letter.refresh_from_db()
    assert letter.sent_at is not None


def test_workers_that_send_at_once_send_one(mailbox: Mailbox, letter: Mail) -> None:
    race(*[partial(mail.send, mail_id=letter.pk, now=AT)] * 4)
    assert len(mailbox.letters) == 1


def test_a_reminder_that_was_left_by_the_dead_is_not_sent_too_late(
    mailbox: Mailbox, letter: Mail
) -> None:
    """Its lease is as long as the reminder of the last five minutes is worth anything."""
    Mail.objects.update(
        kind=MailKind.ENDS_NOW, slot=letter.booking.slots.get(), not_after=cast.at(9)
    )
    killed(letter, before_sending)
    assert mail.send(mail_id=letter.pk, now=LEASE_OVER) is False
    assert mailbox.letters == []
