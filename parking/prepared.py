"""Hand-written statements that PostgreSQL parses and plans once for each connection.

For the few statements that every hold and payment needs: writing and planning them anew costs
more than running them. The ORM's own statements are not prepared; see Django's notes on
`server_side_binding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.postgresql.base import DatabaseWrapper, ServerBindingCursor

Row = tuple[Any, ...] | None


def fetch_all(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run the statement and return its rows.

    Values travel beside the text, so a NULL may need a cast there. Queries are counted and errors
    are Django's, as with any cursor.
    """
    own = _connection()
    own.close_if_health_check_failed()
    return _run(own, statement, parameters)


def fetch_one(statement: str, parameters: Mapping[str, Any]) -> Row:
    """Run the statement and return its first row."""
    return _first(fetch_all(statement, parameters))


def read_one(statement: str, parameters: Mapping[str, Any]) -> Row:
    """Do the same with a statement that only reads, and can be asked again.

    It is itself the question whether a connection kept from the last request still works, which
    Django would ask first: one way to the database and back less.
    """
    own = _connection()
    try:
        rows = _run(own, statement, parameters)
    except (OperationalError, InterfaceError):
        own.close_if_health_check_failed()
        if own.connection is not None:  # it works: the statement is to blame
            raise
        rows = _run(own, statement, parameters)
    own.health_check_done = True  # type: ignore[attr-defined]  # its stubs do not know it
    return _first(rows)


def _first(rows: list[tuple[Any, ...]]) -> Row:
    return rows[0] if rows else None


def _connection() -> DatabaseWrapper:
    # Each look at `django.db.connection` would search for it again.
    return connections[DEFAULT_DB_ALIAS]  # type: ignore[return-value]


def _run(
    own: DatabaseWrapper, statement: str, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    # As `connection.cursor()` does, which knows one kind of cursor only.
    own.ensure_connection()
    with own.wrap_database_errors:
        bare: Any = ServerBindingCursor(own.connection)  # type: ignore[call-arg]  # psycopg's own
    cursor = own.make_debug_cursor(bare) if own.queries_logged else own.make_cursor(bare)
    with cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
