"""What the faces get: answers, explanations and prepared queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from dpsql.accounting import Spend
from schemas.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Source = Literal["private", "kept", "public", "synthetic"]


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    `table` has the columns of the query under its names. `errors` maps a noisy column's position to the 95 % error of each row, in
    the column's unit, None where it is not known. `source` is 'private' where the budget was charged, 'kept' where all noise was
    drawn before, 'public' where nothing private was asked, 'synthetic' where the budget was gone and made-up data answered.
    """

    table: pa.Table
    errors: Mapping[int, Sequence[float | None]]
    notes: tuple[str, ...]
    spend: Spend
    source: Source

    def to_arrow(self) -> pa.Table:
        """Return the answer's table."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the answer as a pandas data frame; InputError where pandas is not installed."""
        _need("pandas")
        return self.table.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """Return the answer as a Polars data frame; InputError where Polars is not installed."""
        _need("polars")
        import polars

        frame = polars.from_arrow(self.table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    @property
    def errors_95(self) -> dict[str, list[float | None]]:
        """The 95 % errors of noisy columns by their names; where several are called `sum`, the one in the second place is `sum:2`."""
        names = self.table.column_names
        return {names[n] if names.index(names[n]) == n else f"{names[n]}:{n + 1}": list(e) for n, e in self.errors.items()}

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows as tuples of Python values."""
        return list(zip(*(column.to_pylist() for column in self.table.columns), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return what `companyos query --format json` prints."""
        return {
            "columns": self.table.column_names,
            "rows": [list(row) for row in self.rows()],
            "errors_95": self.errors_95,
            "source": self.source,
            "epsilon": self.spend.epsilon,
            "delta": self.spend.delta,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class ColumnExplained:
    """A column of the answer to come: its 95 % error where it follows from the plan, and why not where it does not."""

    name: str
    error95: float | None
    note: str


@dataclass(frozen=True)
class Explanation:
    """What a query would cost and how good its answer would be; neither data nor budget was touched."""

    spend: Spend
    free: bool
    columns: tuple[ColumnExplained, ...]
    bounds: tuple[str, ...]
    sql: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the explanation as lines of text."""
        cost = "free: its noisy parts were drawn before" if self.free else f"epsilon {self.spend.epsilon:g}, delta {self.spend.delta:g}"
        return [
            f"cost: {cost}",
            *(f"column {c.name}: {c.note if c.error95 is None else f'+- {c.error95:.6g} (95 %){c.note}'}" for c in self.columns),
            *(f"bound: {b}" for b in self.bounds),
            *(f"sql: {line}" for statement in self.sql for line in statement.splitlines()),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what `companyos query --explain --format json` prints."""
        return {
            "epsilon": self.spend.epsilon,
            "delta": self.spend.delta,
            "free": self.free,
            "columns": [{"name": c.name, "error_95": c.error95, "note": c.note} for c in self.columns],
            "bounds": list(self.bounds),
            "sql": list(self.sql),
        }


@dataclass(frozen=True)
class Prepared:
    """A query that would be accepted: the columns of its answer, with their Arrow types; `noisy` are the positions of noisy ones."""

    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    noisy: tuple[int, ...] = ()


def _need(library: str) -> None:
    if find_spec(library) is None:
        raise InputError(f"{library} is not installed; `pip install 'companyos-data[dataframes]'` brings it")
