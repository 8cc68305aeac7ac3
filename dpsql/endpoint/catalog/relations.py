"""Which relations the catalogs have, and whether a query is about them or about the analysts' tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from sqlglot import expressions as exp

from schemas.model import Schema

CATALOG, INFORMATION = "pg_catalog", "information_schema"
PLACES = {CATALOG: "pgc", INFORMATION: "inf"}  # the schemas of the sandbox that hold them: DuckDB has a pg_catalog of its own
DUCKDB_TYPES = {
    "bool": "BOOLEAN", "bytea": "BLOB", "float4": "REAL", "float8": "DOUBLE", "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT",
    "interval": "INTERVAL", "numeric": "DECIMAL(18,3)", "oid": "UINTEGER", "text": "VARCHAR", "timestamptz": "TIMESTAMPTZ",
}  # fmt: skip
About = Literal["tables", "catalogs", "both", "neither"]


@cache
def relations() -> Mapping[str, Mapping[str, str]]:
    """The columns of every catalog relation with their DuckDB types, by the relation's full name."""
    found: dict[str, dict[str, str]] = {}
    for line in files(__package__).joinpath("relations.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, *columns = line.split()
        found[name] = {}
        for column in columns:
            word, _, kind = column.partition(":")
            base = DUCKDB_TYPES[(kind or "text").removesuffix("[]")]
            found[name][word] = base + ("[]" if kind.endswith("[]") else "")
    return found


def relation_of(table: exp.Table) -> str | None:
    """The full name of the catalog relation that a query names, None where it names none; pg_catalog needs no qualifier."""
    full = f"{table.db.lower() or CATALOG}.{table.name.lower()}"
    return full if full in relations() else None


def touches(query: exp.Expr, schema: Schema) -> About:
    """Say what a query is about: the analysts' tables, the catalogs, both, or no relation at all.

    A name that nobody knows counts as a table of the analysts', whose service says so.
    """
    common = {c.alias.lower() for c in query.find_all(exp.CTE)}
    tables = catalogs = False
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # a function in FROM
        if not table.db and (table.name.lower() in common or schema.has(table.name)):
            tables |= schema.has(table.name)
        elif relation_of(table) is not None or table.db.lower() in PLACES:
            catalogs = True
        else:
            tables = True
    if tables:
        return "both" if catalogs else "tables"
    return "catalogs" if catalogs else "neither"
