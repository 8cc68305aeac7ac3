"""When the rows of a table exist: what the file says, or else what its columns tell."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.model import Column, Lives, Schema, Table
from schemas.types import MOMENTS

_EVENTS = ("between", "after")


def lives_of(table: Table) -> Lives:
    """Return from when until when rows of `table` exist: as the file says, else from the column that tells it, for good."""
    return Lives(beginning_of(table.columns)) if table.lives is None else table.lives


def beginning_of(columns: Iterable[Column]) -> str | None:
    """Return the column that tells when a row begins: created_at, else the first time of an event that every row has."""
    able = [c for c in columns if c.type.kind in MOMENTS and c.computed is None and not c.nullable]
    if any(c.name == "created_at" for c in able):
        return "created_at"
    events = (c for c in able if c.generate is not None and c.generate.name in _EVENTS and not c.hidden and not c.ever)
    return next((c.name for c in events), None)


def spoken(schema: Schema) -> list[str]:
    """Return lines for people that say when the rows of each table exist; none where no table has times of its own."""
    told, others = [], []
    for table in schema.tables:
        lives = lives_of(table)
        until = f" until {lives.ends}" if lives.ends else ""
        if lives.begins or lives.ends:
            told.append(f"{table.name}.{lives.begins}{until}" if lives.begins else f"{table.name}{until}")
        else:
            others.append(table.name)
    lines = [f"as of a moment (--as-of-state) rows exist from {', '.join(told)}"] if told else []
    return [*lines, f"rows exist as long as those that they must reference: {', '.join(others)}"] if told and others else lines
