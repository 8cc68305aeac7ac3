"""What an edit of a schema changes beside what was edited: nothing, but for what `docs/stability.md` lists with its reason.

`python -m benchmarks stability` makes the built-in company, edits its schema in many ways, one at a time, makes it again and
compares every cell of the columns that were not edited (of a table that grew, those of the rows that it had). It prints one
JSON line: for each edit the share of these cells that changed, the columns in which they did, and whether `docs/stability.md`
names them; the same for ten times the scale. It ends with 1 where a cell changed that the page does not account for.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import datagen
from schemas.model import Column, Recipe, Rows, Schema, Table
from schemas.reader import parse_schema
from schemas.types import SqlType

SCALE = 0.05
Cells = dict[tuple[str, str], pa.ChunkedArray]


@dataclass(frozen=True)
class Edit:
    """A change of a schema, what it `edited` (tables and columns), and what follows from that, as docs/stability.md says."""

    make: Callable[[Schema], Schema]
    edited: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()


def company() -> Schema:
    """The built-in company."""
    return parse_schema(files("schemas").joinpath("builtin/companyos.yaml").read_text("utf-8"), "companyos.yaml")


def with_table(schema: Schema, name: str, change: Callable[[Table], Table | None]) -> Schema:
    """Return the schema with one table changed, or without it."""
    changed = [change(t) if t.name == name else t for t in schema.tables]
    return replace(schema, tables=tuple(t for t in changed if t is not None))


def with_column(schema: Schema, table: str, name: str, change: Callable[[Column], Column | None]) -> Schema:
    """Return the schema with one column changed, or without it."""

    def changed(t: Table) -> Table:
        found = [change(c) if c.name == name else c for c in t.columns]
        return replace(t, columns=tuple(c for c in found if c is not None))

    return with_table(schema, table, changed)


def _add_table(schema: Schema) -> Schema:
    columns = (
        Column("id", SqlType("bigint"), generate=Recipe("sequence", {})),
        Column("note", SqlType("text"), generate=Recipe("words", {})),
    )
    return replace(schema, tables=(Table("notes", columns, Rows(1000), key=("id",)), *schema.tables))


def _add_column(schema: Schema) -> Schema:
    added = Column("nickname", SqlType("text"), generate=Recipe("person.first_name", {}))
    return with_table(schema, "users", lambda t: replace(t, columns=(t.columns[0], added, *t.columns[1:])))


def _grow(table: str, rows: Callable[[Rows], Rows]) -> Callable[[Schema], Schema]:
    return lambda schema: with_table(schema, table, lambda t: replace(t, rows=rows(t.rows)))


def _recipe(table: str, column: str, recipe: Recipe) -> Callable[[Schema], Schema]:
    return lambda schema: with_column(schema, table, column, lambda c: replace(c, generate=recipe))


EDITS = {
    "add a table": Edit(_add_table),
    "drop a table": Edit(lambda s: with_table(s, "tenant_feature_flags", lambda t: None)),
    "rename another table": Edit(
        lambda s: with_table(s, "tenant_feature_flags", lambda t: replace(t, name="toggles")), edited=("tenant_feature_flags",)
    ),
    "reorder the tables": Edit(lambda s: replace(s, tables=s.tables[::-1])),
    "add a column": Edit(_add_column),
    "drop a column": Edit(lambda s: with_column(s, "users", "job_title", lambda c: None)),
    "rename another column": Edit(
        lambda s: with_column(s, "users", "job_title", lambda c: replace(c, name="position")), edited=("users.job_title",)
    ),
    "reorder the columns": Edit(lambda s: with_table(s, "users", lambda t: replace(t, columns=t.columns[::-1]))),
    "change one weight": Edit(
        _recipe("refunds", "reason", Recipe("choice", {"values": (("duplicate", 9.0), ("goodwill", 1.0))})),
        edited=("refunds.reason",),
    ),
    "change a share of nulls": Edit(
        lambda s: with_column(s, "users", "phone", lambda c: replace(c, null=0.5)),
        edited=("users.phone",),
        expected=("ticket_messages.body",),
    ),
    "grow a parent": Edit(_grow("tenants", lambda r: replace(r, count=(r.count or 0) * 2))),
    "grow a table that others draw from": Edit(
        _grow("support_agents", lambda r: replace(r, count=(r.count or 0) * 2)),
        expected=("support_tickets.agent_id", "ticket_messages.body"),
    ),
    "grow the children": Edit(
        _grow("api_keys", lambda r: replace(r, each=Recipe("poisson", {"mean": 5.0, "max": 20}))), edited=("api_keys",)
    ),
    "drop the constraints": Edit(lambda s: with_table(s, "invoices", lambda t: replace(t, checks=(), indexes=()))),
    "reword the comments": Edit(lambda s: with_table(s, "users", lambda t: replace(t, comment="Somebody"))),
}

# all tables grow, those that others draw from included
TEN_TIMES = Edit(lambda s: s, expected=EDITS["grow a table that others draw from"].expected)


def cells(schema: Schema, scale: float) -> Cells:
    """All columns of all tables."""
    made = datagen.source(schema, scale=scale)
    read = {t.name: made.read(t.name).read_all() for t in schema.tables}
    return {(t, name): table.column(name) for t, table in read.items() for name in table.column_names}


def changed(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[int, int]:
    """How many cells there are in both, and how many of them differ."""
    common = min(len(before), len(after))
    left, right = (_comparable(c.slice(0, common).combine_chunks()) for c in (before, after))
    if left.equals(right):
        return common, 0
    same = pc.fill_null(pc.equal(left, right), False)
    neither = pc.and_(pc.is_null(left), pc.is_null(right))
    return common, common - int(pc.sum(pc.or_(same, neither)).as_py() or 0)


def _comparable(values: pa.Array) -> pa.Array:
    values = values.storage if isinstance(values, pa.ExtensionArray) else values
    return pc.binary_join(values, "\0") if pa.types.is_list(values.type) else values


def compare(before: Cells, after: Cells, edit: Edit) -> dict[str, Any]:
    """The share of cells of columns that were not edited that changed, and where."""
    total, wrong, where = 0, 0, {}
    for (table, name), values in before.items():
        if (table, name) not in after or table in edit.edited or f"{table}.{name}" in edit.edited:
            continue
        common, differ = changed(values, after[table, name])
        total, wrong = total + common, wrong + differ
        if differ:
            where[f"{table}.{name}"] = round(differ / common, 4)
    return {"cells": total, "changed": wrong / total, "columns": where, "unexplained": sorted(set(where) - set(edit.expected))}


def main(arguments: list[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks stability", description=__doc__)
    parser.add_argument("--scale", type=float, default=SCALE)
    options = parser.parse_args(arguments)
    schema = company()
    started = time.perf_counter()
    before = cells(schema, options.scale)
    found = {name: compare(before, cells(edit.make(schema), options.scale), edit) for name, edit in EDITS.items()}
    found["ten times the scale"] = compare(before, cells(schema, options.scale * 10), TEN_TIMES)
    unexplained = sum(len(f["unexplained"]) for f in found.values())
    print(
        json.dumps({"scale": options.scale, "seconds": round(time.perf_counter() - started, 1), "unexplained": unexplained, "edits": found})
    )
    sys.exit(1 if unexplained else 0)
