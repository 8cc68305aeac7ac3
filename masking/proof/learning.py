"""Learning all values of the personal columns of a source."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import PolicyOutdated
from masking.known.digests import DIGESTED, digests_of
from masking.known.index import POOL, KnownPlace, KnownValues
from masking.known.json_leaves import JsonLeaves
from masking.progress import OnProgress, Progress, unseen
from masking.proof.columns import REST, Examined
from masking.source.base import Source
from masking.transformers.base import Rows
from masking.transformers.conditions import Condition
from schemas.errors import nearest
from schemas.model import Table


class ValuePool(Protocol):
    """Values from which pseudonyms are picked, such as `masking.pools.Pool`."""

    @property
    def kind(self) -> str: ...
    @property
    def locale(self) -> str: ...
    @property
    def texts(self) -> tuple[str, ...]: ...


_MOST_DIGESTED = 10_000  # values of a column: a column of digests has some of them


class TableLearner:
    """Takes the personal values of one table of the source down; `wanted` are the columns that it reads.

    Raises PolicyOutdated where the table lacks a column that is to be read, TransformerUnfit where a condition cannot be evaluated.
    """

    def __init__(self, table: Table, columns: Iterable[Examined]) -> None:
        self._columns = [c for c in columns if c.table == table.name]
        self._sought = [c for c in self._columns if c.sought]
        for column in self._sought:
            if not table.has(column.column):
                near = nearest(column.column, (c.name for c in table.columns))
                raise PolicyOutdated(f"the source has no column '{table.name}.{column.column}', of which the policy knows{near}")
        self._conditions = {c.name: Condition(c.when, table, c.name) for c in self._sought if c.when is not None}
        names = [c.column for c in self._sought]
        names += [name for condition in self._conditions.values() for name in condition.columns]
        self.wanted = list(dict.fromkeys(names))
        self._paths: dict[str, list[str]] = {}
        for column in self._columns:
            paths = self._paths.setdefault(column.column, [])
            if column.path is not None and column.path != REST:
                paths.append(column.path)
        self._digested: Counter[str] = Counter()
        self._leaves = {name: JsonLeaves(paths) for name, paths in self._paths.items()}

    def learn(self, known: KnownValues, batch: pa.RecordBatch, each: Callable[..., Iterable[None]] = map) -> None:
        """Learn from rows of the table, which have at least the wanted columns; see `KnownValues.add_all` for `each`."""
        known.add_all(self._values(batch), each)

    def _values(self, batch: pa.RecordBatch) -> Iterator[tuple[KnownPlace, pa.Array]]:
        rows = Rows(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
        read: dict[str, dict[int | None, pa.Array]] = {}
        for column in self._sought:
            values = rows.columns[column.column]
            if column.when is not None:
                kept = pa.array(self._conditions[column.name].holds(rows) == column.kept_where_it_holds)
                yield column.kept_place, self._values_at(values.filter(kept), column, {})
                masked = self._values_at(values.filter(pc.invert(kept)), column, {})
            else:
                masked = self._values_at(values, column, read)
            yield column.place, masked
            left = _MOST_DIGESTED - self._digested[column.name]
            if column.entity in DIGESTED and column.place.sought and left > 0:
                some = masked.slice(0, left)
                self._digested[column.name] += len(some) - some.null_count
                yield KnownPlace(f"digests of {column.name}", "secret"), digests_of(some)

    def _values_at(self, values: pa.Array, column: Examined, read: dict[str, dict[int | None, pa.Array]]) -> pa.Array:
        if column.path is None or not pa.types.is_string(values.type):
            return values
        if column.column not in read:
            read[column.column] = self._leaves[column.column].of(values)
        rule = None if column.path == REST else self._paths[column.column].index(column.path)
        found = read[column.column].get(rule)
        return pa.array([], pa.large_string()) if found is None else found


def learn_source(known: KnownValues, source: Source, columns: Iterable[Examined], on_progress: OnProgress = unseen) -> None:
    """Read every personal column of `source` into `known`; `known` is to be sealed afterwards.

    Raises PolicyOutdated where the source lacks a table or column that is to be read, SourceFailure where it cannot be read.
    """
    listed = list(columns)
    learners = []
    for name in dict.fromkeys(c.table for c in listed if c.sought):
        if not source.schema.has(name):
            near = nearest(name, (t.name for t in source.schema.tables))
            raise PolicyOutdated(f"the source has no table '{name}', of which the policy knows{near}")
        learners.append((name, TableLearner(source.schema.table(name), listed)))
    rows, total = 0, sum(source.count(name) for name, _ in learners)
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="learn") as threads:
        for name, learner in learners:
            with source.read(name, learner.wanted) as reader:
                for batch in reader:
                    learner.learn(known, batch, threads.map)
                    rows += batch.num_rows
                    on_progress(Progress("learn", name, rows, total))


def learn_pools(known: KnownValues, pools: Iterable[ValuePool]) -> None:
    """Learn the pools of pseudonyms by locale and kind, so that what is met by chance can be told; they are not sought."""
    for pool in pools:
        known.add(KnownPlace(f"{POOL}:{pool.locale}/{pool.kind}", pool.kind, POOL, sought=False), pa.array(pool.texts, pa.large_string()))
