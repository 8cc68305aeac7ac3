"""What DuckDB and PostgreSQL write differently around measurements."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from dpsql.functions import emit
from dpsql.tree import Expression, Facts
from schemas.types import SqlType

Name = Literal["duckdb", "postgres"]


def quoted(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def clamped(value: str, lo: int, hi: int) -> str:
    """SQL of `value` not below `lo` nor above `hi`, and null where it is null, as LEAST and GREATEST would not be."""
    return f"CASE WHEN {value} < {lo} THEN {lo} WHEN {value} > {hi} THEN {hi} ELSE {value} END"


class Dialect:
    """Writes the SQL of one database. `sources` maps a table's name to what stands for it in FROM, where that is not its own name."""

    def __init__(self, name: Name) -> None:
        self.name = name

    def table(self, name: str) -> str:
        """The table called `name`, perhaps qualified by a schema."""
        return ".".join(quoted(part) for part in name.split("."))

    def stored(self, column: str, kind: SqlType) -> str:
        """A stored column as expressions expect it: enums as text."""
        return f"CAST({column} AS {self.text})" if kind.kind == "enum" else column

    def expression(self, expression: Expression) -> str:
        """An expression over the fields of the relation below."""
        return emit(expression, self.name)

    @property
    def text(self) -> str:
        return "VARCHAR" if self.name == "duckdb" else "TEXT"

    @property
    def double(self) -> str:
        return "DOUBLE" if self.name == "duckdb" else "DOUBLE PRECISION"

    def steps(self, expression: Expression, step: Fraction, lo: int, hi: int) -> str:
        """The value of `expression` in whole steps, not below `lo` nor above `hi`; null where it is null or not a number."""
        facts = expression.facts
        value = self._number(self.expression(expression), facts)
        if facts.kind == "integer" and step == 1:
            return f"CAST({clamped(value, lo, hi)} AS BIGINT)"
        scale = 1 / step
        factor = f"* {float(scale)!r}" if scale.denominator == 1 else f"/ {float(step)!r}"
        scaled = f"CAST({value} AS {self.double}) {factor}"
        if facts.kind == "double":
            scaled = f"NULLIF({scaled}, CAST('NaN' AS {self.double}))"
        return f"CAST(ROUND({clamped(scaled, lo, hi)}) AS BIGINT)"

    def _number(self, value: str, facts: Facts) -> str:
        if facts.kind == "date":
            return f"CAST({value} AS DATE) - DATE '1970-01-01'"
        if facts.kind in ("timestamp", "timestamptz"):
            return f"EXTRACT(EPOCH FROM {value})"
        return value

    def order(self, values: Sequence[str], salt: int) -> str:
        """An order of `values` that nobody can foresee without `salt`."""
        if self.name == "duckdb":
            return f"hash({', '.join(values)}, {salt})"
        return f"hashtextextended(CAST(ROW({', '.join(values)}) AS TEXT), {salt})"

    def magnitude(self, value: str) -> str:
        """The least j with |value| <= 2 ** j, and -1 for zero; exact for whole numbers below 2 ** 62."""
        rough = f"CAST(CEIL(LN(CAST(ABS({value}) AS {self.double})) / LN(CAST(2 AS {self.double}))) AS INTEGER)"
        if self.name == "duckdb":
            rough = f"CAST(CEIL(LOG2(CAST(ABS({value}) AS DOUBLE))) AS INTEGER)"
        more = f"CASE WHEN ABS({value}) > CAST(POWER(2, {rough}) AS BIGINT) THEN 1 ELSE 0 END"
        return f"CASE WHEN {value} = 0 THEN -1 ELSE {rough} + {more} END"

    def scaled_down(self, value: str, count: str, most: int) -> str:
        """`value` times most / count, where count is more than `most`."""
        less = f"CAST(ROUND(CAST({value} AS {self.double}) * {float(most)!r} / {count}) AS BIGINT)"
        return f"CASE WHEN {count} > {most} THEN {less} ELSE {value} END"

    def sum_or_moment(self, function: str, argument: str, facts: Facts) -> str:
        """SUM, AVG and the like within one unit, wide enough not to overflow; of floating-point values, only finite ones count."""
        if facts.kind == "double":
            edge = "1e150"
            argument = f"CASE WHEN {argument} BETWEEN -{edge} AND {edge} THEN {argument} END"
        elif self.name == "duckdb" and facts.kind == "decimal":
            argument = f"CAST({argument} AS DOUBLE)" if function != "sum" else argument
        return f"{function.upper()}({argument})"
