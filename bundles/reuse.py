"""Reuse: the tables that a build need not make, for an earlier bundle of the store has them.

A table is taken over where everything that its cells depend on (as its source says) and everything that its files depend on
(the order and types of its columns, the chunk size, the Parquet writer) is equal to what an earlier bundle says of its own, and
every file is there, of the right size and with the right SHA-256. So a build that reuses tables writes the very manifest of one
that makes them all. Bundles of the store are believed in what they say of their inputs, and in nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bundles.canonical import dump_document
from bundles.config import TableInputs
from bundles.digest import TableDigest
from bundles.errors import BundleDamaged
from bundles.manifest import Layer
from bundles.opened import Bundle, open_bundle
from bundles.parquet import settings
from bundles.progress import OnProgress, Progress
from bundles.references import Reference
from bundles.store import Store
from schemas.errors import InputError
from schemas.model import Schema, Table
from schemas.source import KnownInputs, TableSource

_SEARCHED = 20
_SHORT = 32
_COLUMNS = "order and types of columns"
_SETTINGS = "Parquet settings"


@dataclass(frozen=True, slots=True)
class Taken:
    """A table as an earlier bundle has it; `checked` says whether the checks of its schema held there."""

    reference: str
    digest: TableDigest
    layers: Sequence[Layer]
    checked: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table of a build comes from: taken over from the bundle `reference`, or made (None) for `reasons`.

    The reasons say what is not as in the bundle `beside`, the nearest that there is to compare with.
    """

    reference: str | None
    reasons: Sequence[str] = ()
    beside: str | None = None


@dataclass(frozen=True)
class Reuse:
    """What a build takes over, table by table, and where every table comes from; `inputs` is what the config says of them."""

    taken: Mapping[str, Taken]
    origins: Mapping[str, Origin]
    inputs: Mapping[str, TableInputs]


def find(
    source: TableSource, chunk_rows: int, store: Store, target: Reference, threads: int, on_progress: OnProgress, *, search: bool
) -> Reuse:
    """Find what the store has already: first in the bundle that `target` stands for, then in others, the newest first.

    The caller holds the store's blob lock, so that nothing that is found is collected. An earlier bundle that cannot be read is
    passed over.
    """
    wanted = _inputs(source, chunk_rows)
    names = [table.name for table in source.schema.tables]
    if not search:
        return Reuse({}, {name: Origin(None, ("nothing is to be reused",)) for name in names}, wanted)
    taken: dict[str, Taken] = {}
    made: dict[str, Origin] = {}
    pool = ThreadPoolExecutor(threads, thread_name_prefix="reuse")
    try:
        for bundle in _earlier(store, target, source.kind):
            same = []
            for name in wanted.keys() - taken.keys():
                known = bundle.config.inputs.get(name)
                if known == wanted[name]:
                    same.append(name)
                elif known is not None:
                    differs = Origin(None, _differences(known, wanted[name]), bundle.reference)
                    made[name] = min(made.get(name, differs), differs, key=lambda origin: len(origin.reasons))
            whole = _whole(bundle, same, pool, on_progress)
            for name in same:
                if name in whole:
                    taken[name] = _take(bundle, name, source.schema)
                else:
                    made[name] = Origin(None, ("its files are missing or altered",), bundle.reference)
            if len(taken) == len(wanted):
                break
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    new = Origin(None, ("no earlier bundle of the store has it",))
    made |= {name: Origin(None, ("its source does not say what it depends on",)) for name in names if name not in wanted}
    return Reuse(taken, {name: Origin(taken[name].reference) if name in taken else made.get(name, new) for name in names}, wanted)


def _inputs(source: TableSource, chunk_rows: int) -> dict[str, TableInputs]:
    """What cells and files of each table depend on; nothing of a table where the source cannot tell."""
    if not isinstance(source, KnownInputs):
        return {}
    cells = [(table, source.inputs(table.name)) for table in source.schema.tables]
    return {table.name: {**known, **_files(table, chunk_rows)} for table, known in cells if known is not None}


def _files(table: Table, chunk_rows: int) -> TableInputs:
    columns = [[c.name, str(c.type), str(c.type.arrow), c.nullable] for c in table.stored_columns]
    return {
        _COLUMNS: _digest(columns),
        _SETTINGS: _digest(settings(table)),
        "chunk size": str(chunk_rows),
    }


def _digest(document: object) -> str:
    return hashlib.sha256(dump_document(document)).hexdigest()[:_SHORT]


def _earlier(store: Store, target: Reference, kind: str) -> Iterator[Bundle]:
    """The bundles of the store, each once: that of the tag itself, then those of its name, then others, the newest first."""
    tags = store.written()
    order = sorted(tags, key=lambda tag: (tag.name != str(target), tag.name.partition(":")[0] != target.name, -tag.written))
    seen: set[str] = set()
    for tag in order:
        if tag.manifest_digest not in seen and len(seen) < _SEARCHED:
            seen.add(tag.manifest_digest)
            try:
                bundle = open_bundle(tag.name, store)
            except (BundleDamaged, InputError):
                continue
            if bundle.kind == kind:
                yield bundle


def _take(bundle: Bundle, name: str, schema: Schema) -> Taken:
    before, now = bundle.schema.table(name), schema.table(name)
    checked = {c.sql for c in now.checks} <= {c.sql for c in before.checks} and bundle.schema.enums == schema.enums
    return Taken(bundle.reference, bundle.config.tables[name], bundle.layers(name), checked)


def _whole(bundle: Bundle, names: Sequence[str], pool: ThreadPoolExecutor, on_progress: OnProgress) -> set[str]:
    """Those of the tables whose rows are all there, in files that hold what their digests say."""
    layers = [layer for name in names for layer in bundle.layers(name)]
    total, rows, damaged = sum(layer.rows for layer in layers), dict.fromkeys(names, 0), set()
    for layer, sound in zip(layers, pool.map(lambda one: bundle.store.layout.has(one.blob), layers), strict=True):
        if not sound or layer.first_row != rows[layer.table]:
            damaged.add(layer.table)
        rows[layer.table] += layer.rows
        on_progress(Progress("reuse", layer.table, sum(rows.values()), total))
    return {n for n in {layer.table for layer in layers} - damaged if rows[n] == bundle.config.tables[n].rows}


def _differences(before: TableInputs, now: TableInputs) -> Sequence[str]:
    """What is not as it was, in words."""
    said = []
    different = {what for what in before.keys() | now.keys() if before.get(what) != now.get(what)}
    if _COLUMNS in different:
        different -= {_SETTINGS}  # they name the columns
    if any(what.startswith("column ") and not (what in before and what in now) for what in different):
        different -= {_COLUMNS}
    for what in sorted(different):
        if what not in before:
            said.append(f"{what} is new")
        elif what not in now:
            said.append(f"{what} is gone")
        else:
            plain = len(before[what]) < _SHORT and len(now[what]) < _SHORT
            said.append(f"{what} is {now[what]}, and was {before[what]}" if plain else f"{what} changed")
    return tuple(said)
