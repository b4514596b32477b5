"""Hand-written statements that PostgreSQL parses and plans once for each connection.

For the few statements that every hold and payment needs: writing and planning them anew costs
more than running them. The ORM's own statements are not prepared; see Django's notes on
`server_side_binding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from select import POLLIN, poll
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor

Row = tuple[Any, ...] | None


def fetch_all(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run the statement and return its rows.

    Values travel beside the text, so a NULL may need a cast there. Queries are counted and errors
    are Django's, as with any cursor.
    """
    # Each look at `django.db.connection` would search for it again.
    own: Any = connections[DEFAULT_DB_ALIAS]
    if not _is_silent(own):
        own.close_if_health_check_failed()
    own.ensure_connection()
    with own.wrap_database_errors:  # as `connection.cursor()`, which knows one kind of cursor only
        bare: Any = ServerBindingCursor(own.connection)  # type: ignore[call-arg]  # psycopg's own
    cursor = own.make_debug_cursor(bare) if own.queries_logged else own.make_cursor(bare)
    with cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    own.health_check_done = True
    return rows


def fetch_one(statement: str, parameters: Mapping[str, Any]) -> Row:
    """Run the statement and return its first row."""
    rows = fetch_all(statement, parameters)
    return rows[0] if rows else None


def _is_silent(own: Any) -> bool:
    """Tell whether a connection kept from the last request still stands, without asking there.

    A server says nothing on its own account but that it goes, or something for all to know. To ask
    it, as Django does, is one way there and back for every request.
    """
    if own.connection is None or own.connection.closed:
        return False
    heard = poll()
    heard.register(own.connection.fileno(), POLLIN)
    return not heard.poll(0)
