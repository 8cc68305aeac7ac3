"""The figures of the columns of one table: nulls, distinct values, spreads, the most frequent values and samples.

Everything is counted by DuckDB over the Parquet files, and what a query must keep of many values it may keep on the disk.
Figures are exact in tables of up to `EXACT_ROWS` rows; in larger ones distinct values are estimated by HyperLogLog, there is no
median, tails of histograms are not cut, and the most frequent values are known only where at most `FEW` values are different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from bundles.histograms import cuts
from bundles.measures import Floats, Measure, Position, length_of, measure_of
from bundles.profiled import ColumnProfile, Spread, Top
from bundles.scanning import Session, scan
from schemas.model import Column, Table
from schemas.types import TEXTS

EXACT_ROWS = 10_000_000
FEW = 1_000_000
_TOP, _SAMPLES, _SEEN, _SHOWN = 10, 5, 100, 120
_COUNTED = (*TEXTS, "enum", "boolean", "json", "array")
_QUANTILES = "[0.01, 0.5, 0.99]"
_SUM_BITS = 62


class Columns:
    """The columns of one table whose Parquet files are known."""

    def __init__(self, session: Session, table: Table, paths: Sequence[Path], rows: int) -> None:
        self._session, self._table, self._paths, self._rows = session, table, paths, rows
        self._exact = rows <= EXACT_ROWS

    def profile(self, position: int, hidden: bool) -> ColumnProfile:
        """Return the figures of a stored column, by its place; raises duckdb.Error where the files cannot be read."""
        column = self._table.stored_columns[position]
        values = f"(SELECT c{position} AS c FROM ({scan(self._table, self._paths, positional=True)}) WHERE c{position} IS NOT NULL)"
        present, distinct = self._counts(values)
        common: dict[str, Any] = {
            **_words(self._table, column),
            "rows": self._rows,
            "nulls": self._rows - present,
            "distinct": distinct,
            "exact": self._exact,
        }
        if hidden or not present:
            return ColumnProfile(**common, hidden=column.data_class if hidden else None)
        measure, length = measure_of(column), length_of(column)
        counted, top = self._top(column, values, present, distinct)
        return ColumnProfile(
            **common,
            hidden=None,
            values=None if measure is None else self._spread(measure, values),
            lengths=None if length is None else self._spread(length, values),
            top=top,
            counted=counted,
            not_finite=self._one(f"SELECT count(*) FROM {values} WHERE NOT isfinite(c)") if isinstance(measure, Floats) else 0,
            samples=self._samples(column, measure, values),
        )

    def _counts(self, values: str) -> tuple[int, int]:
        if self._exact:
            found = self._session.row(f"SELECT coalesce(sum(n), 0), count(*) FROM (SELECT count(*) AS n FROM {values} GROUP BY c)")
        else:
            found = self._session.row(f"SELECT count(*), approx_count_distinct(c) FROM {values}")
        return int(found[0]), min(int(found[0]), int(found[1]))

    def _spread(self, measure: Measure, values: str) -> Spread | None:
        positions = f"(SELECT {measure.sql('c')} AS p FROM {values})"
        bulk = f"quantile_disc(p, {_QUANTILES})" if self._exact else "NULL"
        count, low, high, quantiles = self._session.row(f"SELECT count(p), min(p), max(p), {bulk} FROM {positions}")
        if not count:
            return None
        first, last = measure.position(low), measure.position(high)
        found = None if quantiles is None else [measure.position(q) for q in quantiles]
        cut = cuts(measure, first, last, None if found is None else (found[0], found[2]))
        limits = ", ".join(f"'{measure.literal(limit)}'" for limit in cut.limits(measure))
        bars = f"map_values(histogram(p, CAST([{limits}] AS {measure.sql_type}[])))"
        (rows,) = self._session.row(f"SELECT {bars} FROM {positions} WHERE p IS NOT NULL")
        return Spread(
            measure.value(first),
            measure.value(last),
            None if found is None else measure.value(found[1]),
            self._mean(measure, positions, count, max(abs(first), abs(last))),
            cut.bins(measure, rows),
        )

    def _mean(self, measure: Measure, positions: str, count: int, largest: Position) -> Any:
        """The mean, from a sum that does not depend on the order of rows: floats are summed as whole numbers."""
        if not isinstance(measure, Floats):
            try:
                (total,) = self._session.row(f"SELECT sum(p) FROM {positions}")
            except duckdb.OutOfRangeException:
                return None
            return measure.mean(total, count)
        # powers of two change no digit, and sums of whole numbers are the same in any order
        shift = min(_SUM_BITS - math.frexp(largest)[1], 1000)
        whole = f"CAST(round(p * CAST('{math.ldexp(1.0, shift)!r}' AS DOUBLE)) AS HUGEINT)"
        (total,) = self._session.row(f"SELECT sum({whole}) FROM {positions}")
        return measure.value(float(Fraction(int(total), count) / Fraction(2) ** shift))

    def _top(self, column: Column, values: str, present: int, distinct: int) -> tuple[int, tuple[Top, ...]]:
        """How many values (or items of arrays) there are, and the most frequent; none where all are different."""
        if column.type.kind not in _COUNTED or (not self._exact and distinct > FEW):
            return 0, ()
        if column.type.kind == "array":
            values = f"(SELECT c FROM (SELECT unnest(c) AS c FROM {values}) WHERE c IS NOT NULL)"
        text = f"left(CAST(x[2] AS VARCHAR), {_SHOWN + 1})"
        best = f"list_transform(min(row(-n, c), {_TOP}), lambda x: {{'n': -x[1], 'v': {text}}})"
        total, top = self._session.row(f"SELECT coalesce(sum(n), 0), {best} FROM (SELECT c, count(*) AS n FROM {values} GROUP BY c)")
        found = tuple(Top(_cut(t["v"]), int(t["n"])) for t in top or ())
        if present > len(found) and all(t.rows == 1 for t in found):
            return int(total), ()
        return int(total), found

    def _samples(self, column: Column, measure: Measure | None, values: str) -> tuple[str, ...]:
        """Some of the first values, each once."""
        if measure is not None:
            shown = f"CASE WHEN {measure.sql('c')} IS NULL THEN CAST(c AS VARCHAR) END, {measure.sql('c')}"
        elif column.type.kind == "bytes":
            shown = f"left(lower(hex(c)), {_SHOWN + 1}), NULL"
        else:
            shown = f"left(CAST(c AS VARCHAR), {_SHOWN + 1}), NULL"
        (found,) = self._session.row(f"SELECT list(row({shown})) FROM (SELECT c FROM {values} LIMIT {_SEEN})")
        texts = [_cut(text) if measure is None or place is None else measure.value(measure.position(place)).text for text, place in found]
        different = list(dict.fromkeys(texts))
        step = max(1, len(different) // _SAMPLES)
        return tuple(different[::step][:_SAMPLES])

    def _one(self, sql: str) -> int:
        return int(self._session.row(sql)[0])


def _words(table: Table, column: Column) -> dict[str, Any]:
    reference = table.foreign_key_of(column.name)
    return {
        "name": column.name,
        "type": str(column.type),
        "kind": column.type.kind,
        "data_class": column.data_class,
        "comment": column.comment,
        "nullable": column.nullable,
        "key": column.name in table.key,
        "unique": table.is_unique(column.name),
        "references": None if reference is None else reference.table,
    }


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
