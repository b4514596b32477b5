"""Insert many new rows with COPY: a third of the time that bulk_create takes."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, models
from psycopg import sql


def copy_in(objects: Sequence[models.Model]) -> None:
    """Insert new objects of one model; their ids are the database's, and are not set on them.

    Every column is written, with the defaults of the model, as `bulk_create` does.

    Raises:
        django.db.IntegrityError: a constraint of the database refuses a row.
    """
    if not objects:
        return
    model = type(objects[0])
    fields = [
        field
        for field in model._meta.concrete_fields  # noqa: SLF001  (Django's public API)
        if not isinstance(field, models.AutoField)
    ]
    columns: list[sql.Composable] = [sql.Identifier(str(field.column)) for field in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),  # noqa: SLF001
        sql.SQL(", ").join(columns),
    )
    # Django wraps the errors of execute(), and knows nothing of copy().
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for instance in objects:
            copy.write_row([_cell(field, instance) for field in fields])


def _cell(field: models.Field[object, object], instance: models.Model) -> object:
    value = field.pre_save(instance, add=True)
    if isinstance(value, GEOSGeometry):
        return value.hexewkb.decode()
    return field.get_db_prep_save(value, connection)
