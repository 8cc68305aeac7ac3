"""Tables in which SQLite keeps the index of a full-text search: the words of the texts once more, in bytes that cannot be looked into."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.model import Schema, Table

# by module, the columns of its tables, which are called after the searched table
_FTS5: Mapping[str, tuple[str, ...]] = {
    "data": ("id", "block"),
    "idx": ("segid", "term", "pgno"),
    "docsize": ("id", "sz"),
    "config": ("k", "v"),
    "content": (),  # one for each searched column
}
_FTS4: Mapping[str, tuple[str, ...]] = {
    "segments": ("blockid", "block"),
    "segdir": ("level", "idx", "start_block", "leaves_end_block", "end_block", "root"),
    "docsize": ("docid", "size"),
    "stat": ("id", "value"),
    "content": (),
}
_ALWAYS = ("data", "idx", "segments", "segdir")  # the others only where the search needs them


def word_indexes(schema: Schema) -> frozenset[str]:
    """The tables of a schema that are the index of another, from which they can be made anew."""
    return frozenset(name for table in schema.tables for parts in (_FTS5, _FTS4) for name in _index_of(table, parts, schema))


def _index_of(searched: Table, parts: Mapping[str, tuple[str, ...]], schema: Schema) -> list[str]:
    there = {part: schema.table(name) for part in parts if schema.has(name := f"{searched.name}_{part}")}
    for part, columns in parts.items():
        known = tuple(c.name for c in there[part].columns)[: len(columns)] if part in there else None
        if (part in _ALWAYS and known is None) or (known is not None and known != columns):
            return []
    return [table.name for table in there.values()]
