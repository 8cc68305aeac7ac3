"""The tables of a ledger: rows are added to them and never changed, which triggers in the database hold to."""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 1
metadata = sa.MetaData()

version = sa.Table("ledger_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("release", sa.Text),
    sa.Column("analyst", sa.Text),
    sa.Column("epsilon", sa.Double, nullable=False),
    sa.Column("delta", sa.Double, nullable=False),
    sa.Column("rho", sa.Double, nullable=False),
    sa.Column("delta_rho", sa.Double, nullable=False),
    sa.Column("sql", sa.Text),
    sa.Column("digest", sa.Text),
    sa.Column("document", sa.Text, nullable=False),  # what the kind of entry adds, as canonical JSON
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("ledger_entries_latest", "release", "kind", "number"),
    sa.Index("ledger_entries_latest_of_analyst", "analyst", "kind", "release", "number"),
)

parts = sa.Table(
    "ledger_parts",
    metadata,
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index("ledger_parts_of_entry", "entry"),
)

_REFUSED = "the ledger is only added to"
_SQLITE = """CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{refused}'); END"""
_POSTGRESQL = """CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{refused}'; END $$"""
_POSTGRESQL_TRIGGER = """CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"""

for _table in (entries, parts):
    _guards = {"sqlite": [_SQLITE.format(table=_table.name, verb=verb, refused=_REFUSED) for verb in ("UPDATE", "DELETE")]}
    _guards["postgresql"] = [text.format(table=_table.name, refused=_REFUSED) for text in (_POSTGRESQL, _POSTGRESQL_TRIGGER)]
    for _dialect, _texts in _guards.items():
        for _text in _texts:
            _ddl = sa.DDL(_text).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
            sa.event.listen(_table, "after_create", _ddl)
