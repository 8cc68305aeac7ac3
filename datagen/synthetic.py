"""A schema as a source of tables: any rows of any table, made on demand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
import pyarrow as pa
import rfc8785
from blake3 import blake3

from datagen.arrays import empty_batch
from datagen.blocks import BLOCK_ROWS, blocks_of
from datagen.errors import GenerationFailed
from datagen.inputs import Inputs, documented
from datagen.problems import in_full
from datagen.rows import Rows
from datagen.staging import staged
from datagen.version import GENERATOR_VERSION
from schemas.document import to_document
from schemas.errors import InputError, SchemaError, nearest
from schemas.lives import lives_of
from schemas.model import Schema
from schemas.plurals import counted
from schemas.reader import read_schema
from schemas.source import MediaFile
from schemas.times import canonical_moment, format_moment, resolve_moment

_TOGETHER = 2 * BLOCK_ROWS


class SyntheticSource:
    """The data of a schema under a seed and a scale; a `schemas.source.RangeSource`.

    Every cell is a pure function of the recipe, the seed, the names of table and column, and the row number.
    """

    kind = "synthetic"
    as_of: int | None = None

    def __init__(
        self,
        schema: Schema,
        *,
        seed: int | None = None,
        scale: float | Fraction = 1.0,
        scenarios: Mapping[str, float | None] | None = None,
    ) -> None:
        self._made_from = (schema, seed, scale, dict(scenarios or {}))
        self._staged = staged(*self._made_from)
        self.plan, self.schema = self._staged.plan, self._staged.schema

    def __reduce__(self) -> tuple[Any, ...]:
        """What a pickle holds, as multiprocessing sends it: what the source is made from, and nothing that was worked out since."""
        return _again, self._made_from

    def __repr__(self) -> str:
        plan = self.plan
        moment = "" if self.as_of is None else f", as of {format_moment(self.as_of)}"
        tables = counted(len(self.schema.tables), "table")
        return f"<{type(self).__name__} {self.schema.name}: seed {plan.seed}, scale {float(plan.scale):g}{moment}, {tables}>"

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Seed, scale, generator version, the digest of each table's recipe and of every value pool used."""
        return {
            **({} if self.as_of is None else {"as_of": format_moment(self.as_of)}),
            "seed": str(self.plan.seed),
            "scale": str(self.plan.scale),
            "generator_version": GENERATOR_VERSION,
            "recipes": self._recipe_digests(),
            "value_pools": self.plan.pools.digests(),
            **({"scenarios": self.scenarios} if self._staged.applied else {}),
        }

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        return to_document(self.schema)

    @property
    def scenarios(self) -> Mapping[str, Mapping[str, Any]]:
        """For each scenario that is applied: share, near_miss, subjects, near_misses, rows_set and rows_added."""
        return self._staged.account()

    def _recipe_digests(self) -> dict[str, str]:
        return {t["name"]: blake3(rfc8785.dumps(t)).hexdigest() for t in self._document["tables"]}

    def inputs(self, table: str) -> Mapping[str, str]:
        """All that the stored cells of `table` depend on; a `schemas.source.KnownInputs`. Raises InputError for an unknown table."""
        self._require(table)
        return self._inputs.of_table(self.schema.table(table))

    @cached_property
    def _inputs(self) -> Inputs:
        for node, what, said in documented(self._document):
            self.plan.inputs.note(node, what, said)
        return self.plan.inputs

    def row_count(self, table: str) -> int:
        """How many rows `table` has; raises InputError for an unknown table."""
        self._require(table)
        return self.plan.row_count(table) + len(self.plan.further.get(table, ()))

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Return rows `start` to `stop` (exclusive, from 0) of `table`; safe to call from several threads."""
        self.require_rows(table, start, stop)
        return self._joined(table, start, stop, Rows.column)

    def read_encoded(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """The same, with texts of few values as dictionary arrays; a `schemas.source.EncodedSource`."""
        self.require_rows(table, start, stop)
        return self._joined(table, start, stop, Rows.encoded)

    def _joined(self, table: str, start: int, stop: int, column: Callable[[Rows, str], pa.Array]) -> pa.RecordBatch:
        blocks = [self._block(table, a, min(a + _TOGETHER, stop), column) for a in range(start, stop, _TOGETHER)]
        if len(blocks) == 1:
            return blocks[0]
        return pa.concat_batches(blocks) if blocks else empty_batch(self.schema.table(table).arrow)

    def has_canonical_json(self, table: str, column: str) -> bool:
        """Whether a json column has canonical texts by construction."""
        return (table, column) in self.plan.canonical_json

    def require_rows(self, table: str, start: int, stop: int) -> None:
        """Raise InputError unless rows `start` to `stop` (exclusive) are all rows of `table`."""
        count = self.row_count(table)
        if not 0 <= start <= stop <= count:
            last = f"its rows are numbered 0 to {count - 1:,}" if count else "it has no rows"
            raise InputError(f"there are no rows {start:,} to {stop:,} (without the last) of {table}; {last}")

    def media(self) -> Iterator[MediaFile]:
        """Draw the files that rows have, column by column; a `schemas.source.MediaSource`."""
        for (table, column), drawn in self.plan.media.items():
            rows = self._first_rows(table, drawn.count)
            yield from drawn.files(rows, made_column(rows, column))

    def _first_rows(self, table: str, count: int) -> Rows:
        """The rows of `table` whose numbers are below `count`."""
        return Rows(self.plan.tables, table, range(count))

    def children_of(self, table: str, row: int, children: str) -> range:
        """The numbers of the rows of `children` that row `row` (from 0) of its parent `table` has, made without any of them."""
        self._require_row(table, row)
        self._require(children)
        family, per = self.plan.family(children), self.schema.table(children).rows.per
        if family is None or per != table:
            has = f"{children} has rows per {per}" if per else f"{children} has a number of rows of its own"
            raise InputError(f"{children} has no rows per row of {table}; {has}")
        parent, grown = self._number(table, row), self.plan.further.get(children)
        first, count = family.children_of(np.array([parent])) if parent < family.parents else (np.zeros(1, int), np.zeros(1, int))
        if grown is None:
            return range(int(first[0]), int(first[0] + count[0]))
        return grown.places_of_children(range(int(first[0]), int(first[0] + count[0])), parent)

    def parent_of(self, table: str, row: int) -> int:
        """The number of the row of its parent table to which row `row` (from 0) of `table` belongs."""
        self._require_row(table, row)
        family = self.plan.family(table)
        if family is None:
            raise InputError(f"{table} has no rows per row of another table")
        parents = family.parent_of(np.array([self._number(table, row)]))
        above = self.plan.further.get(self.schema.table(table).rows.per or "")
        return int(parents[0] if above is None else above.place_of(parents)[0])

    def _number(self, table: str, row: int) -> int:
        """The number under which the row at a place draws."""
        further = self.plan.further.get(table)
        if further is None:
            return row
        own, added, _ = further.between(row, row + 1)
        return own.start if len(own) else int(added[0])

    def _require_row(self, table: str, row: int) -> None:
        count = self.row_count(table)
        if not 0 <= row < count:
            raise InputError(f"{table} has rows 0 to {count - 1:,}, and no row {row:,}")

    def _block(self, table: str, start: int, stop: int, column: Callable[[Rows, str], pa.Array] = Rows.column) -> pa.RecordBatch:
        arrow = self.schema.table(table).arrow
        further = self.plan.further.get(table)
        if further is None:
            rows = Rows(self.plan.tables, table, range(start, stop))
            arrays = [made_column(rows, name, column) for name in arrow.names]
            self._find_targets(rows)
            self.plan.foldings.leave(rows, self.plan.row_count(table))
            return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([f.with_type(a.type) for f, a in zip(arrow, arrays, strict=True)]))
        own, added, order = further.between(start, stop)
        parts = [Rows(self.plan.tables, table, own), Rows(self.plan.tables, table, added)]
        take = pa.array(order)
        columns = [
            pa.concat_arrays([made_column(rows, name) for rows in parts if len(rows)] or [pa.nulls(0, arrow.field(name).type)]).take(take)
            for name in arrow.names
        ]
        for rows in parts:
            self._find_targets(rows)
        return pa.RecordBatch.from_arrays(columns, schema=arrow)

    def _find_targets(self, rows: Rows) -> None:
        """Raise GenerationFailed where a reference has a value by a generator of its own, and no row has that value."""
        for key in self._staged.plan.tables[rows.table].by_value:
            rows.links(key)

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream all rows of `table` in blocks of 65,536."""
        self._require(table)
        count = self.row_count(table)

        def blocks() -> Iterator[pa.RecordBatch]:
            for block in blocks_of(count):
                yield self._block(table, block.start, block.stop)

        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, blocks())

    def _require(self, table: str) -> None:
        if not self.schema.has(table):
            known = [t.name for t in self.schema.tables]
            raise InputError(f"{self.schema.file}: there is no table '{table}'{nearest(table, known) or '; it has ' + ', '.join(known)}")


def made_column(rows: Rows, name: str, column: Callable[[Rows, str], pa.Array] = Rows.column) -> pa.Array:
    """A column of `rows`; raises GenerationFailed where a value is beyond what can be computed."""
    try:
        return column(rows, name)
    except (OverflowError, pa.ArrowCapacityError, rfc8785.CanonicalizationError) as error:
        raise GenerationFailed(f"{rows.table}.{name} cannot be made: {error}") from None


def _again(schema: Schema, seed: int | None, scale: float | Fraction, scenarios: Mapping[str, float | None]) -> SyntheticSource:
    return SyntheticSource(schema, seed=seed, scale=scale, scenarios=scenarios)


def source(
    schema: Schema | str | os.PathLike[str],
    *,
    seed: int | None = None,
    scale: float = 1.0,
    scenarios: Mapping[str, float | None] | None = None,
    as_of: str | int | date | None = None,
) -> SyntheticSource:
    """Return the data of a schema, a schema file or a built-in schema.

    `seed` is that of the schema unless given; `scale` multiplies the rows of tables with a number of rows of their own;
    `scenarios` names scenarios to apply beside those of the schema, each with its share of the subjects (None: its own). `as_of` (a
    date, a time stamp, an offset from the anchor such as -90d, a `date` or `datetime` of Python, in UTC where it has no zone, or
    microseconds since 1970) asks for the state of a moment up to the anchor. Where rows are deleted (`lives: {until: ...}`), the data is
    the state of the anchor. States and scenarios exclude each other.
    Raises InputError and RecipeError (every problem at once).
    """
    asked = _seed(seed)
    _check_scale(scale)
    try:
        found = schema if isinstance(schema, Schema) else read_schema(schema)
        moment = None if as_of is None else moment_of(found, as_of)
        history = SyntheticSource(found, seed=asked, scale=scale, scenarios=scenarios)
    except SchemaError as error:
        raise in_full(error, asked, scale) from None
    if moment is None and not any(lives_of(t).ends for t in found.tables):
        return history
    if history.scenarios:
        why = "rows are deleted over time (`lives: {until: ...}`)" if moment is None else "a state of a moment is asked for"
        raise InputError(
            f"{found.file}: {why}, and scenarios ({', '.join(history.scenarios)}) are planted in whole histories only; "
            "leave out one of the two"
        )
    from datagen.state_source import StateSource

    return StateSource(history, moment)


def _seed(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, Integral):
        raise InputError(f"a seed is a whole number, not {given!r}")
    if not 0 <= int(given) < 2**63:
        raise InputError(f"a seed lies between 0 and 2**63 - 1, not {given}")
    return int(given)


def _check_scale(given: object) -> None:
    if not isinstance(given, Real):
        raise InputError(f"a scale is a number, not {given!r}")
    if not 0 < float(given) <= 1e6:
        raise InputError(f"a scale is above 0 and at most 1,000,000, not {given}")


def moment_of(schema: Schema, text: str | int | date) -> int:
    """Return the microseconds since 1970 of a moment of the history of `schema`; InputError where it is none, or in its future."""
    try:
        written = text.isoformat() if isinstance(text, date) else text
        moment = written if isinstance(written, int) else resolve_moment(canonical_moment(written), schema.anchor)
        shown = format_moment(moment)
    except ValueError as error:
        raise InputError(str(error)) from None
    except OverflowError:
        raise InputError(f"'{text}' lies outside of the years 1 to 9999, where no history is") from None
    if moment > schema.anchor:
        raise InputError(f"{shown} lies after the anchor of {schema.name}, {format_moment(schema.anchor)}, with which its history ends")
    return moment
