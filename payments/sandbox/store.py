"""What the sandbox remembers: JSON objects in one SQLite file.

SQLite is the only copy, so a killed process loses nothing that it answered for, and a request
that fails half-way leaves nothing behind.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from payments.sandbox.errors import Json
from payments.sandbox.kinds import KINDS, Kind

APPLICATION_ID = 0x43424C53
SCHEMA_VERSION = 1
_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, due INTEGER NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL
);
CREATE INDEX jobs_by_due ON jobs (due);
CREATE TABLE idempotency_keys (
    name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, created INTEGER NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, due REAL NOT NULL,
    first_due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_by_due ON deliveries (due) WHERE state = 'queued';
CREATE INDEX deliveries_by_event ON deliveries (event);
"""


class StateFileError(Exception):
    """The state file cannot be used; the text says why, for a person."""


class Store:
    """The objects, and the small tables beside them. One transaction at a time."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._connection = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None, timeout=0.2
            )
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StateFileError(_explain(path, error)) from error

    def _prepare(self) -> None:
        run = self._connection.execute
        # Held for the life of the process: two sandboxes on one file would tell different truths.
        run("PRAGMA locking_mode = EXCLUSIVE")
        version = run("PRAGMA user_version").fetchone()[0]
        owner = run("PRAGMA application_id").fetchone()[0]
        empty = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and (owner, version) != (APPLICATION_ID, SCHEMA_VERSION):
            raise sqlite3.DatabaseError("it was not written by this version of the sandbox")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("BEGIN IMMEDIATE")
        if empty:
            for statement in self._schema():
                run(statement)
            run(f"PRAGMA application_id = {APPLICATION_ID}")
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")
        run("COMMIT")

    @staticmethod
    def _schema() -> Iterator[str]:
        yield from filter(None, (part.strip() for part in _TABLES.split(";")))
        for kind in KINDS:
            yield (
                f"CREATE TABLE {kind.table} (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
                " created INTEGER NOT NULL, body TEXT NOT NULL)"
            )
            yield f"CREATE INDEX {kind.table}_by_age ON {kind.table} (created, seq)"
            for name, field in kind.filters.items():
                yield (
                    f"CREATE INDEX {kind.table}_by_{name} ON {kind.table}"
                    f" (json_extract(body, '$.{field}'), created, seq)"
                )

    def close(self) -> None:
        """Write everything into the one file and close it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock; commit at the end of the outermost block, roll back on any exception."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._connection.execute("COMMIT")

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the lock over several transactions."""
        with self._lock:
            yield

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement on the small tables; return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def erase(self) -> None:
        """Delete everything."""
        names = [kind.table for kind in KINDS]
        with self.transaction():
            for name in [*names, "settings", "jobs", "idempotency_keys", "deliveries"]:
                self.run(f"DELETE FROM {name}")  # noqa: S608 - the names are ours

    # Objects

    def insert(self, kind: Kind, row: Json) -> None:
        """Add an object; it has `id` and `created`."""
        self.run(
            f"INSERT INTO {kind.table} (id, created, body) VALUES (?, ?, ?)",  # noqa: S608
            (row["id"], row["created"], _dump(row)),
        )

    def update(self, kind: Kind, row: Json) -> None:
        """Write an object that was changed."""
        self.run(
            f"UPDATE {kind.table} SET body = ? WHERE id = ?",  # noqa: S608
            (_dump(row), row["id"]),
        )

    def delete(self, kind: Kind, object_id: str) -> None:
        """Remove an object."""
        self.run(f"DELETE FROM {kind.table} WHERE id = ?", (object_id,))  # noqa: S608

    def get(self, kind: Kind, object_id: str) -> Json | None:
        """Return a copy of an object, or None."""
        rows = self.run(f"SELECT body FROM {kind.table} WHERE id = ?", (object_id,))  # noqa: S608
        return _load(rows[0][0]) if rows else None

    def place(self, kind: Kind, object_id: str) -> tuple[int, int] | None:
        """Return where an object stands in its list: (created, seq)."""
        rows = self.run(
            f"SELECT created, seq FROM {kind.table} WHERE id = ?",  # noqa: S608
            (object_id,),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def select(
        self,
        kind: Kind,
        conditions: Sequence[str] = (),
        values: Sequence[Any] = (),
        *,
        oldest_first: bool = False,
        limit: int = -1,
    ) -> list[Json]:
        """Return the objects that satisfy every condition; newest first unless told otherwise."""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = "created, seq" if oldest_first else "created DESC, seq DESC"
        rows = self.run(
            f"SELECT body FROM {kind.table}{where} ORDER BY {order} LIMIT ?",  # noqa: S608
            (*values, limit),
        )
        return [_load(row[0]) for row in rows]

    def count(self, kind: Kind) -> int:
        """Return how many objects of a kind there are."""
        return int(self.run(f"SELECT count(*) FROM {kind.table}")[0][0])  # noqa: S608

    # Settings

    def setting(self, name: str) -> Any:
        """Return a remembered setting, or None."""
        rows = self.run("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0][0]) if rows else None

    def remember(self, name: str, value: Any) -> None:
        """Remember a setting over a restart."""
        self.run(
            "INSERT INTO settings (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )


def field(name: str) -> str:
    """Return the SQL for one field of the stored object."""
    return f"json_extract(body, '$.{name}')"


def _dump(row: Json) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _load(text: str) -> Json:
    row: Json = json.loads(text)
    return row


def _explain(path: str, error: sqlite3.DatabaseError) -> str:
    if "locked" in str(error):
        return f"The state file {path} is in use by another sandbox."
    return f"The state file {path} cannot be used: {error}."
