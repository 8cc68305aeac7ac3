"""What DuckDB and PostgreSQL write differently around measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from dpsql.functions import emit
from dpsql.functions.arithmetic import fits, holdable
from dpsql.functions.dates import workable
from dpsql.functions.mixing import decimal_places
from dpsql.tree import Column, Expression, Facts
from schemas.types import SqlType

Name = Literal["duckdb", "postgres"]
# the least and greatest key of a kind that is a value of its own in Python
KEY_EDGES = {
    "date": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "timestamp": ("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
    "timestamptz": ("TIMESTAMPTZ '0001-01-01 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"),
    "double": ("-1.7e308", "1.7e308"),
    "decimal": ("-1e300", "1e300"),
}
SUMMED = 28  # digits of a number that is summed in 38, which no number of rows makes too long


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
        if facts.kind == "double":
            value = f"NULLIF({value}, CAST('NaN' AS {self.double}))"
        if facts.kind == "double" or (facts.kind == "decimal" and self.name == "postgres"):
            # PostgreSQL fails where a product or a cast leaves the doubles, and one row of one unit would silence all others
            edge = float((max(-lo, hi, 0) + 2) * step)
            value = f"CASE WHEN {value} < {-edge!r} THEN {-edge!r} WHEN {value} > {edge!r} THEN {edge!r} ELSE {value} END"
        scaled = f"CAST({value} AS {self.double}) {factor}"
        return f"CAST(ROUND({clamped(scaled, lo, hi)}) AS BIGINT)"

    def _number(self, value: str, facts: Facts) -> str:
        if facts.kind == "date":
            days = f"CAST({value} AS DATE) - DATE '1970-01-01'"
            # PostgreSQL fails over an infinite date
            return days if self.name == "duckdb" else f"CASE WHEN ISFINITE(CAST({value} AS DATE)) THEN {days} END"
        if facts.kind in ("timestamp", "timestamptz"):
            return f"EXTRACT(EPOCH FROM {value})"
        return value

    def key(self, expression: Expression) -> str:
        """A group key, null where Python has no value of its own for it.

        A driver fails over such values or tells them as others, and then one unit's row would hide or take the group of many.
        """
        value, kind = self.expression(expression), expression.facts.kind
        if kind == "double" and self.name == "postgres" and not isinstance(expression, Column):
            return f"CAST({holdable(value)} AS {self.double})"  # what is worked out is NUMERIC, of which several are one double
        edges = KEY_EDGES.get(kind) if kind != "decimal" or self.name == "postgres" else None
        if edges is None:
            return value
        if kind in ("date", "timestamp", "timestamptz"):
            value = f"CAST({value} AS {kind.upper()})"
        return f"CASE WHEN {value} BETWEEN {edges[0]} AND {edges[1]} THEN {value} END"

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

    def shared(self, value: str, whole: str, most: int) -> str:
        """`value` times most / whole, towards zero, where `whole` is more than `most`; `value` and `most` are not beyond 2 ** 52.

        Of values whose magnitudes add up to `whole`, the magnitudes then add up to `most` at most: whole numbers are divided exactly.
        """
        if self.name == "duckdb":
            less = f"SIGN({value}) * CAST((CAST(ABS({value}) AS HUGEINT) * {most}) // {whole} AS BIGINT)"
        else:
            less = f"SIGN(CAST({value} AS NUMERIC)) * DIV(CAST(ABS({value}) AS NUMERIC) * {most}, {whole})"
        return f"CASE WHEN {whole} > {most} THEN {less} ELSE {value} END"

    def product(self, value: str, count: str) -> str:
        """`value` times `count`, which no number of rows makes too large."""
        return f"CAST({value} AS {'HUGEINT' if self.name == 'duckdb' else 'NUMERIC'}) * {count}"

    def scaled_down(self, value: str, count: str, most: int) -> str:
        """`value` times most / count, where count is more than `most`."""
        less = f"CAST(ROUND(CAST({value} AS {self.double}) * {float(most)!r} / {count}) AS BIGINT)"
        return f"CASE WHEN {count} > {most} THEN {less} ELSE {value} END"

    def sum_or_moment(self, function: str, argument: str, facts: Facts, distinct: bool = False) -> str:
        """SUM, AVG and the like within one unit, or over public rows, which no values make fail.

        Those of doubles count that are finite, and in DuckDB those of whole numbers and decimals that have at most SUMMED digits.
        """
        distinctly = "DISTINCT " if distinct else ""
        if self.name == "duckdb" and facts.kind == "decimal" and (function != "sum" or facts.step is None):
            argument, facts = f"CAST({argument} AS DOUBLE)", replace(facts, kind="double")
        if facts.kind == "double":
            edge = "1e120"  # whose squares, times any number of rows, are still doubles
            argument = f"CASE WHEN {argument} BETWEEN -{edge} AND {edge} THEN {argument} END"
        elif self.name == "duckdb" and function in ("sum", "avg") and not fits(facts):
            argument = f"TRY_CAST({argument} AS DECIMAL({SUMMED}, {decimal_places(facts)}))"
            if function == "sum" and facts.kind == "integer":
                return f"CAST(SUM({distinctly}{argument}) AS HUGEINT)"
        return f"{function.upper()}({distinctly}{argument})"

    def quantile(self, fraction: float, argument: str, facts: Facts, continuous: bool) -> str:
        """A quantile within one unit or over public rows, which no values make fail: moments beyond the calendar do not count."""
        if facts.kind in ("date", "timestamp", "timestamptz"):
            argument = workable(argument, facts.kind)
        elif self.name == "postgres" and facts.kind == "decimal":
            argument = holdable(argument)
        return f"PERCENTILE_{'CONT' if continuous else 'DISC'}({fraction!r}) WITHIN GROUP (ORDER BY {argument})"
