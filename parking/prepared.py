"""Hand-written statements that PostgreSQL parses and plans once for each connection.

For the few statements that make a hold: planning them anew costs more than running them. The
ORM's own statements are not prepared; see Django's notes on `server_side_binding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor


def fetch_one(statement: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Run the statement and return its first row.

    Values travel beside the text, so a NULL may need a cast there. Queries are counted and errors
    are Django's, as with any cursor.
    """
    # As `connection.cursor()` does, which knows one kind of cursor only.
    own = connections[DEFAULT_DB_ALIAS]  # each look at `connection` would search for it again
    own.close_if_health_check_failed()
    own.ensure_connection()
    with own.wrap_database_errors:
        bare: Any = ServerBindingCursor(own.connection)  # type: ignore[call-arg]  # psycopg's own
    cursor = own.make_debug_cursor(bare) if own.queries_logged else own.make_cursor(bare)
    with cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
