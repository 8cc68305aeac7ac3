"""Every expression gives a value or null for any row, in both databases, and the same one; within its facts where these say something."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpsql.binding.expressions import Expressions
from dpsql.binding.parsing import parse
from dpsql.binding.scopes import Scope, Visible
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import emit
from dpsql.tree import Expression, Facts, Field

psycopg = pytest.importorskip("psycopg")

HUNDREDTH, WHOLE = Decimal("0.01"), 1
# each column: its facts where values are held to them, its type, plain values within the facts, and nasty ones
COLUMNS: dict[str, tuple[Facts, str, list[Any], list[Any]]] = {
    "i": (Facts("integer", step=Fraction(1)), "BIGINT", [-1000, -7, -1, 0, 1, 2, 999], [-(2**63), 2**63 - 1, 2**62, -(2**31)]),
    "s": (Facts("integer", True, -5, 20, Fraction(1)), "INTEGER", [-5, 0, 1, 3, 7, 19, 20], [-(2**31), 2**31 - 1]),
    "d": (Facts("decimal", True, -1000, 1000, Fraction(1, 100)), "DECIMAL(12,2)", [Decimal(n) / 100 for n in (-99999, -150, -1, 0, 5, 250, 12345)], [Decimal("9999999999.99")]),
    "x": (
        Facts("double", True, -4, 4), "DOUBLE PRECISION", [-4.0, -1.25, -0.0, 0.0, 0.5, 1.0, 3.75],
        [math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e-310, 1e200],
    ),
    "t": (
        Facts("text"), "VARCHAR", ["", "a", "ab c", " pad ", "Paris", "12", "-7", "3.50", "2024-02-29", "true", "a,b,,c", "100%", "x_y"],
        ["2024-02-30", "99999999999999999999", "1e999", "NaN", "\\", "''", "%_%", "infinity", "now", "0x1A", "12 ", "a" * 300, "2024-13-45 99:99"],
    ),
    "b": (Facts("boolean", True, values=(False, True)), "BOOLEAN", [True, False], []),
    "day": (
        Facts("date", True, datetime.date(1999, 1, 1), datetime.date(2030, 12, 31)), "DATE",
        [datetime.date(1999, 1, 1), datetime.date(2000, 2, 29), datetime.date(2024, 12, 31), datetime.date(2030, 12, 31)],
        ["infinity", "-infinity", "0001-01-01", "9999-12-31", "4713-01-01 BC", "5874897-12-31"],
    ),
    "ts": (
        Facts("timestamp", True, datetime.datetime(2001, 1, 1), datetime.datetime(2029, 12, 31, 23, 59, 59)), "TIMESTAMP",
        [datetime.datetime(2001, 1, 1), datetime.datetime(2012, 2, 29, 13, 45, 10), datetime.datetime(2029, 12, 31, 23, 59, 59)],
        ["infinity", "-infinity", "0001-01-01", "9999-12-31 23:59:59.999999", "294246-12-31", "4713-01-01 BC"],
    ),
}  # fmt: skip
EXACT, DOUBLE, TEXT, TRUTH, DAY, TIME = "exact", "double", "text", "truth", "day", "time"


def _exact(inner: st.SearchStrategy[str], texts: st.SearchStrategy[str], times: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Whole numbers and decimals: nothing that is rounded in binary, so that steps and comparisons fall alike."""
    fields = st.sampled_from(["year", "month", "quarter", "week", "day", "dow", "isodow", "doy", "hour", "minute"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner),
        st.builds("ABS({})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("SIGN({})".format, inner),
        st.builds("{}({})".format, st.sampled_from(["FLOOR", "CEIL", "ROUND", "TRUNC"]), inner),
        st.builds("ROUND({}, {})".format, inner, st.sampled_from(["1", "0", "-1"])),
        st.builds("MOD({}, {})".format, st.sampled_from(["i", "s"]), st.sampled_from(["i", "s", "7", "0"])),
        st.builds("{}({}, {})".format, st.sampled_from(["COALESCE", "LEAST", "GREATEST", "NULLIF"]), inner, inner),
        st.builds("CASE WHEN {} > {} THEN {} ELSE {} END".format, inner, inner, inner, inner),
        st.builds("CASE {} WHEN 1 THEN {} WHEN {} THEN 2 END".format, inner, inner, inner),
        st.builds("CAST({} AS {})".format, inner, st.sampled_from(["INTEGER", "NUMERIC(12, 1)", "BIGINT"])),
        st.builds("CAST({} AS {})".format, texts, st.sampled_from(["INTEGER", "NUMERIC(12, 2)"])),
        st.just("CAST(b AS INTEGER)"),
        st.builds("{}({})".format, st.sampled_from(["LENGTH", "ASCII"]), texts),
        st.builds("POSITION({} IN {})".format, texts, texts),
        st.builds("EXTRACT({} FROM {})".format, fields, times),
        st.just("(day - CAST(ts AS DATE))"),
        st.just("(i / s)"),
    )


def _double(inner: st.SearchStrategy[str], exact: st.SearchStrategy[str], times: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    either = inner | exact
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), either),
        st.builds("({} / {})".format, exact, inner),
        st.builds("ABS({})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("{}({})".format, st.sampled_from(["SQRT", "LN", "EXP", "CBRT", "LOG10"]), either),
        st.builds("POWER({}, {})".format, either, st.sampled_from(["2", "3", "0.5", "-1", "0"])),
        st.builds("COALESCE({}, {})".format, inner, either),
        st.builds("CASE WHEN {} > 0 THEN {} ELSE {} END".format, exact, inner, either),
        st.builds("CAST({} AS DOUBLE PRECISION)".format, exact),
        st.builds("EXTRACT(EPOCH FROM {})".format, times),
    )


def _text(inner: st.SearchStrategy[str], exact: st.SearchStrategy[str], times: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    few = st.sampled_from(["0", "1", "2", "-1", "-3", "5", "s", "i"])
    constant = st.sampled_from(["''", "'a'", "','", "' '", "'%'", "'Pa'"])
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(["UPPER", "LOWER", "TRIM"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["LEFT", "RIGHT"]), inner, few),
        st.builds("SUBSTRING({}, {}, {})".format, inner, few, few),
        st.builds("SUBSTRING({}, {})".format, inner, few),
        st.builds("TRANSLATE({}, {}, {})".format, inner, constant, constant),
        st.builds("REPEAT({}, {})".format, inner, st.sampled_from(["0", "1", "3"])),
        st.builds("OVERLAY({} PLACING {} FROM {})".format, inner, constant, st.sampled_from(["1", "3"])),
        st.builds("REPLACE({}, {}, {})".format, inner, constant | inner, constant),
        st.builds("({} || {})".format, inner, inner),
        st.builds("CONCAT({}, {})".format, inner, exact),
        st.builds("SPLIT_PART({}, {}, {})".format, inner, constant, st.sampled_from(["1", "2", "9"])),
        st.builds("COALESCE({}, {})".format, inner, constant),
        st.builds("GREATEST({}, {})".format, inner, constant),
        st.builds("CAST({} AS TEXT)".format, st.sampled_from(["i", "s", "d", "b", "day", "ts"])),
        st.builds("TO_CHAR({}, 'YYYY-MM')".format, times),
    )


def _truth(exact: st.SearchStrategy[str], texts: st.SearchStrategy[str], times: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    base = st.one_of(
        st.just("b"),
        st.builds("({} {} {})".format, exact, signs, exact),
        st.builds("({} {} {})".format, texts, signs, texts),
        st.builds("({} {} {})".format, times, signs, times),
        st.builds("({} {} {})".format, st.just("x"), signs, st.sampled_from(["0.5", "x", "1e10", "-4"])),
        st.builds("({} IN ({}, 3, NULL))".format, exact, exact),
        st.builds("({} IN ({}, {}))".format, times, times, times),
        st.builds("CAST({} AS BOOLEAN)".format, exact),
        st.builds("({} BETWEEN {} AND {})".format, exact, exact, exact),
        st.builds(
            "({} {} {})".format,
            texts,
            st.sampled_from(["LIKE", "NOT LIKE", "ILIKE"]),
            st.sampled_from(["'%a%'", "'_'", "'100\\%'", "'a'", "''"]),
        ),
        st.builds("({} IS {}NULL)".format, exact | texts | times, st.sampled_from(["", "NOT "])),
        st.builds("STARTS_WITH({}, {})".format, texts, texts),
        st.builds("({} IS DISTINCT FROM {})".format, exact, exact),
        st.builds("CAST({} AS BOOLEAN)".format, texts),
    )
    return st.recursive(
        base,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
            st.builds("(NOT {})".format, inner),
            st.builds("({} IS {}{})".format, inner, st.sampled_from(["", "NOT "]), st.sampled_from(["TRUE", "FALSE"])),
        ),
        max_leaves=3,
    )


def _times() -> st.SearchStrategy[str]:
    base = st.sampled_from(["day", "ts", "DATE '2012-02-29'", "CAST(t AS DATE)", "CAST(t AS TIMESTAMP)"])
    unit = st.sampled_from(["year", "quarter", "month", "week", "day", "hour"])
    width, origin = (
        st.sampled_from(["15 minutes", "7 days", "400 days"]),
        st.sampled_from(["0001-01-01", "2001-02-03 04:05:06", "9999-12-31"]),
    )
    by = st.sampled_from(["1 month", "13 months", "1 year", "3 days", "5 hours", "1 year 2 days"])
    return st.recursive(
        base,
        lambda inner: st.one_of(
            st.builds("DATE_TRUNC('{}', {})".format, unit, inner),
            st.builds("({} {} INTERVAL '{}')".format, inner, st.sampled_from(["+", "-"]), by),
            st.builds("DATE_BIN(INTERVAL '{}', CAST({} AS TIMESTAMP), TIMESTAMP '{}')".format, width, inner, origin),
            st.builds("CAST({} AS {})".format, inner, st.sampled_from(["DATE", "TIMESTAMP"])),
            st.builds("COALESCE({}, {})".format, inner, inner),
        ),
        max_leaves=3,
    )


TIMES = _times()
LEAVES = {EXACT: ["i", "s", "d", "3", "-2", "0", "2.50"], DOUBLE: ["x", "x", "CAST(d AS DOUBLE PRECISION)"], TEXT: ["t", "t", "'Paris'"]}
TEXTS = st.recursive(st.sampled_from(LEAVES[TEXT]), lambda inner: _text(inner, st.sampled_from(LEAVES[EXACT]), TIMES), max_leaves=4)
NUMBERS = st.recursive(st.sampled_from(LEAVES[EXACT]), lambda inner: _exact(inner, TEXTS, TIMES), max_leaves=4)
DOUBLES = st.recursive(st.sampled_from(LEAVES[DOUBLE]), lambda inner: _double(inner, st.sampled_from(LEAVES[EXACT]), TIMES), max_leaves=4)
ALL = st.one_of(NUMBERS, DOUBLES, TEXTS, TIMES, _truth(NUMBERS, TEXTS, TIMES))


def bound(sql: str) -> Expression | None:
    """The bound expression, or None where it is refused."""
    scope = Scope()
    scope.add(Visible("nasty", {name: Field(name, facts) for name, (facts, *_) in COLUMNS.items()}))
    try:
        return Expressions(scope, "postgres").bind(parse(f"SELECT {sql}", "postgres", "shop").selects[0])
    except (QueryInvalid, QueryRefused):
        return None


def rows(nasty: bool) -> Iterator[list[Any]]:
    """Rows in which every value of a column comes, beside ever other values of the others; with nulls."""
    lists = [[None, *plain, *(worse if nasty else [])] for _, _, plain, worse in COLUMNS.values()]
    for n in range(130):
        yield [n, *(values[(n * (k + 1) + n // len(values)) % len(values)] for k, values in enumerate(lists))]


def _create(table: str) -> str:
    return f"CREATE TABLE {table} (n INTEGER, {', '.join(f'{name} {kind}' for name, (_, kind, *_) in COLUMNS.items())})"


class Both:
    """The same rows in both databases."""

    def __init__(self, url: str) -> None:
        self.duckdb = duckdb.connect()
        self.postgres = psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC")
        for table, nasty in (("plain", False), ("nasty", True)):
            for connection in (self.duckdb, self.postgres):
                connection.execute(_create(table))
            for row in rows(nasty):
                self._insert(table, row)

    def _insert(self, table: str, row: Sequence[Any]) -> None:
        texts = [None if v is None else str(v) for v in row]
        kinds = ["INTEGER", *(kind for _, kind, *_ in COLUMNS.values())]
        for connection, mark in ((self.duckdb, "?"), (self.postgres, "%s")):
            word = "TRY_CAST" if mark == "?" else "CAST"
            # a date that DuckDB does not know is null there; PostgreSQL keeps it
            columns = ", ".join(f"{word}(CAST({mark} AS VARCHAR) AS {kind})" for kind in kinds)
            connection.execute(f"INSERT INTO {table} SELECT {columns}", texts)

    def answers(self, expressions: Sequence[Expression], table: str) -> tuple[list[Any], list[Any]]:
        """What both databases say."""
        written = [", ".join(f"{emit(e, dialect)} AS e{k}" for k, e in enumerate(expressions)) for dialect in ("duckdb", "postgres")]
        found = self.duckdb.execute(f"SELECT {written[0]} FROM {table} ORDER BY n").fetchall()
        theirs = self.postgres.execute(self._for_nasty(written[1], table)).fetchall()
        return found, theirs

    @staticmethod
    def _for_nasty(written: str, table: str) -> str:
        """Of what Python cannot hold, such as the year 200000, only whether it is there."""
        if table == "plain":
            return f"SELECT {written} FROM {table} ORDER BY n"
        count = written.count(" AS e")
        return f"SELECT {', '.join(f'CAST(e{k} AS TEXT)' for k in range(count))} FROM (SELECT {written}, n FROM {table}) AS q ORDER BY n"

    def close(self) -> None:
        """Close both."""
        self.duckdb.close()
        self.postgres.close()


@pytest.fixture(scope="module")
def both(postgres: str) -> Iterator[Both]:
    """Both databases with their rows."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS totality")
        connection.execute("CREATE DATABASE totality")
    made = Both(postgres.replace("/postgres?", "/totality?"))
    yield made
    made.close()


def as_plain(value: Any) -> Any:
    """A value as both drivers would give it; what is no number is as good as null."""
    match value:
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            number = float(value)
            return number if math.isfinite(number) else None
        case datetime.datetime():
            return value.replace(tzinfo=None)
        case datetime.date():
            return datetime.datetime(value.year, value.month, value.day)
        case _:
            return value


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, floating-point ones up to rounding."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return bool(a == b)


def within(value: Any, facts: Facts) -> bool:
    """Whether a value is what its facts say."""
    if value is None:
        return facts.nullable
    if facts.is_number and facts.bounded:
        slack = 1e-6 * max(1.0, abs(float(facts.lo)), abs(float(facts.hi)))  # type: ignore[arg-type]
        if not float(facts.lo) - slack <= value <= float(facts.hi) + slack:  # type: ignore[arg-type]
            return False
    if facts.step is not None and facts.kind in ("integer", "decimal") and abs(value) < 1e9:
        steps = value / float(facts.step)
        if abs(steps - round(steps)) > 1e-3:
            return False
    if facts.kind in ("date", "timestamp") and facts.bounded and not as_plain(facts.lo) <= value <= as_plain(facts.hi):
        return False
    return facts.values is None or value in {as_plain(v) for v in facts.values}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=st.lists(ALL, min_size=4, max_size=8))
def test_both_databases_say_the_same_within_the_facts(both: Both, written: list[str]) -> None:
    kept = [(sql, found) for sql in written if (found := bound(sql)) is not None]
    if not kept:
        return
    ours, theirs = both.answers([e for _, e in kept], "plain")
    for mine, other in zip(ours, theirs, strict=True):
        for (sql, expression), a, b in zip(kept, mine, other, strict=True):
            x, y = as_plain(a), as_plain(b)
            assert same(x, y), (sql, a, b, emit(expression, "duckdb"), emit(expression, "postgres"))
            assert within(x, expression.facts), (sql, a, expression.facts)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=st.lists(ALL, min_size=4, max_size=8))
def test_no_row_makes_an_expression_fail(both: Both, written: list[str]) -> None:
    kept = [found for sql in written if (found := bound(sql)) is not None]
    if kept:
        both.answers(kept, "nasty")
