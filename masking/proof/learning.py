"""Learning all values of the personal columns of a source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import pyarrow as pa

from masking.errors import PolicyOutdated
from masking.known.index import POOL, KnownPlace, KnownValues
from masking.known.json_leaves import leaves
from masking.proof.columns import REST, Examined, by_table
from masking.source.base import Source
from schemas.errors import nearest


class ValuePool(Protocol):
    """Values from which pseudonyms are picked, such as `masking.pools.Pool`."""

    @property
    def kind(self) -> str: ...
    @property
    def texts(self) -> tuple[str, ...]: ...


def learn_source(known: KnownValues, source: Source, columns: Iterable[Examined]) -> None:
    """Read every personal column of `source` into `known`; `known` is to be sealed afterwards.

    Raises PolicyOutdated where the source lacks a column that is to be read, SourceFailure where it cannot be read.
    """
    for table, wanted in by_table(c for c in columns if c.sought).items():
        _require(source, table, [c.column for c in wanted])
        whole = [c for c in wanted if c.masked_rows is None]
        if whole:
            with source.read(table, list(dict.fromkeys(c.column for c in whole))) as reader:
                for batch in reader:
                    learn_batch(known, batch, whole)
        for column in wanted:
            for condition, place in ((column.masked_rows, column.place), (column.kept_rows, column.kept_place)):
                if condition is not None:
                    with source.where(table, condition, [column.column]) as reader:
                        for batch in reader:
                            _learn(known, batch.column(column.column), column, place, wanted)


def learn_batch(known: KnownValues, batch: pa.RecordBatch, columns: Sequence[Examined]) -> None:
    """Learn the personal columns of a batch of the source's rows; `columns` are those of its table."""
    for column in columns:
        if column.sought:
            _learn(known, batch.column(column.column), column, column.place, columns)


def _learn(known: KnownValues, values: pa.Array, column: Examined, place: KnownPlace, siblings: Iterable[Examined]) -> None:
    if column.path is None or not pa.types.is_string(values.type):
        known.add(place, values)
        return
    named = {c.path for c in siblings if c.column == column.column}
    known.add(place, pa.array([], pa.large_string()))
    for path, found in leaves(values).items():
        if path == column.path or (column.path == REST and path not in named):
            known.add(place, found)


def learn_pools(known: KnownValues, pools: Iterable[ValuePool]) -> None:
    """Learn the pools of pseudonyms by kind, so that what is met by chance can be told; they are not sought."""
    for pool in pools:
        known.add(KnownPlace(f"{POOL}:{pool.kind}", pool.kind, POOL, sought=False), pa.array(pool.texts, pa.large_string()))


def _require(source: Source, table: str, names: list[str]) -> None:
    if not source.schema.has(table):
        raise PolicyOutdated(
            f"the source has no table '{table}', of which the policy knows{nearest(table, (t.name for t in source.schema.tables))}"
        )
    found = source.schema.table(table)
    for name in names:
        if not found.has(name):
            known = (c.name for c in found.columns)
            raise PolicyOutdated(f"the source has no column '{table}.{name}', of which the policy knows{nearest(name, known)}")
