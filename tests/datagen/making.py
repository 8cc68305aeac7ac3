"""Small schemas as sources, for tests of generation."""

from __future__ import annotations

import pyarrow as pa

import datagen
from datagen import SyntheticSource
from schemas.reader import parse_schema

HEAD = "schema: test\nseed: 42\nanchor: 2026-01-01T00:00:00Z\n"


def source_of(text: str, **options: object) -> SyntheticSource:
    """A source from the `tables:` part of a schema (or a whole schema)."""
    whole = text if text.lstrip().startswith("schema:") else HEAD + text
    return datagen.source(parse_schema(whole, "test.yaml"), **options)  # type: ignore[arg-type]


def column_of(generate: str, type: str = "bigint", rows: int = 1000, extra: str = "", **options: object) -> pa.Array:
    """All values of one column with a recipe."""
    text = f'tables:\n  t:\n    rows: {rows}\n    columns:\n      id: {{type: bigint, key: true}}\n      x: {{type: "{type}", generate: {generate}{extra}}}\n'
    made = source_of(text, **options)
    return made.read("t").read_all().column("x").combine_chunks()
