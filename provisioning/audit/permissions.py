"""What keeps the tables of the ledger append-only in the database itself, and whether it still stands.

Triggers refuse every change of a row that is there. Who owns the tables can drop them, which verification tells; in PostgreSQL a service
that logs in as another role, with the rights of `grants`, cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from provisioning.control.tables import checkpoints, events, metadata
from schemas.errors import InputError

_TABLES = (events, checkpoints)
_REFUSED = "the audit ledger is only added to"
_BODY = f"BEGIN RAISE EXCEPTION '{_REFUSED}'; END"
_FUNCTION = f"CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
_CHANGES = 2 | 8 | 16 | 32  # of pg_trigger.tgtype: before, delete, update, truncate; and for each statement, not each row
_ADDRESS = sa.text(
    "SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = to_regclass(:table) AND t.tgname = :name "
    "AND t.tgenabled = 'A' AND t.tgtype = :changes AND t.tgqual IS NULL AND t.tgnargs = 0 AND p.prosrc = :body"
)


def statements(dialect: str) -> list[str]:
    """Return the DDL that guards the tables, which must be there already and have no guards; none for other databases."""
    if dialect == "sqlite":
        return [text for table in _TABLES for text in _sqlite(table).values()]
    if dialect == "postgresql":
        return [_FUNCTION, *(text for table in _TABLES for text in _postgresql(table))]
    return []


def gone(connection: sa.Connection) -> list[str]:
    """Return the names of the tables whose guards are not there, not in force, or not as `statements` makes them."""
    if connection.dialect.name == "sqlite":
        asked = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = {row.name: row.sql for row in connection.execute(asked)}
        return [table.name for table in _TABLES if any(found.get(name) != text for name, text in _sqlite(table).items())]
    if connection.dialect.name == "postgresql":
        known = {"changes": _CHANGES, "body": _BODY}
        return [t.name for t in _TABLES if not connection.scalar(_ADDRESS, {"table": t.name, "name": f"{t.name}_stays", **known})]
    return []


def grants(role: str) -> list[str]:
    """Return the SQL by which the owner of a control database in PostgreSQL lets `role` use it and only add to the ledger."""
    if not role or len(role.encode()) > 63 or "\x00" in role:
        raise InputError("the name of a role has 1 to 63 bytes")
    quoted = '"' + role.replace('"', '""') + '"'
    ledger = ", ".join(table.name for table in _TABLES)
    others = ", ".join(sorted(name for name in metadata.tables if name not in {table.name for table in _TABLES}))
    return [
        f"REVOKE ALL ON {ledger} FROM PUBLIC, {quoted}",
        f"GRANT SELECT, INSERT ON {ledger} TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {others} TO {quoted}",
        f"GRANT SELECT ON alembic_version TO {quoted}",
    ]


def _sqlite(table: sa.Table) -> dict[str, str]:
    same = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    # INSERT OR REPLACE removes the row of the same key and fires no trigger for that
    there = f" WHEN EXISTS (SELECT 1 FROM {table.name} WHERE {same})"
    found: dict[str, str] = {}
    for verb, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", there)):
        name = f"{table.name}_no_{'replace' if condition else verb.lower()}"
        found[name] = f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name}{condition} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    return found


def _postgresql(table: sa.Table) -> Sequence[str]:
    name = f"{table.name}_stays"
    return (
        f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()",
        f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {name}",  # in sessions that play a replica's part as well
    )
