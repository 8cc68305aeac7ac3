"""SQLite databases made from SQL, reflected, and built as the file says."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import bundles
import datagen
from schemas.model import Column
from schemas.reader import parse_schema
from schemas.reflect import Reflection, reflect
from schemas.writer import to_yaml


def reflected(folder: Path, sql: str) -> Reflection:
    """Reflect a database that `sql` makes."""
    path = folder / "made.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.executescript(sql)
    database.close()
    return reflect(f"sqlite:///{path}")


def built(found: Reflection, folder: Path, rows: int = 40) -> bundles.Bundle:
    """Build and verify what a reflection is written as, with `rows` in tables that were empty."""
    text = re.sub(r"rows: 0\b", f"rows: {rows}", to_yaml(found.schema, found.notes))
    made = bundles.build(datagen.source(parse_schema(text, "reflected.yaml")), store=folder / "store", tag="reflected:v1")
    report = bundles.verify(made)
    assert report.ok, report.problems
    return made


def column_of(found: Reflection, table: str, column: str) -> Column:
    """A column of the schema."""
    return found.schema.table(table).column(column)


def all_notes(found: Reflection) -> list[str]:
    """The notes of all places."""
    return [said for of_place in found.notes.values() for said in of_place]
