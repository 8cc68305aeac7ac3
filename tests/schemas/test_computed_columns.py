"""What PostgreSQL refuses of computed columns is told before a load, and nothing else is."""

from __future__ import annotations

import pytest

from schemas.computed_columns import refusals
from schemas.ddl import ddl
from schemas.errors import Problem
from schemas.model import Column, Rows, Schema, Table
from schemas.reader import parse_schema
from schemas.types import SqlType

COLUMNS = {
    "a": "text", "b": "text", "n": "integer", "t": "timestamptz", "u": "timestamptz", "s": "timestamp", "d": "date", "i": "interval",
    "clock": "time",
}  # fmt: skip
REFUSED = {
    "concat(a, b)": "join texts with ||",
    "concat_ws('-', a, b)": "join texts with ||",
    "Format('%s', a)": "join texts with ||",
    "to_char(n, '000')": "lpad",
    "to_date(a, 'YYYY')": "make_date",
    "now()": "the clock",
    "CURRENT_DATE": "the clock",
    "random()": "a default",
    "extract(year FROM t)": "write (t AT TIME ZONE 'UTC') for t",
    "date_part('year', (t))": "write (t AT TIME ZONE 'UTC') for t",
    "date_trunc('day', t)": "write (t AT TIME ZONE 'UTC') for t",
    "t::date": "write (t AT TIME ZONE 'UTC') for t",
    "t::text": "write (t AT TIME ZONE 'UTC') for t",
    "t + interval '1 day'": "write (t AT TIME ZONE 'UTC') for t",
    "t - i": "write (t AT TIME ZONE 'UTC') for t",
    "t > d": "write (t AT TIME ZONE 'UTC') for t",
    "d::text": "extract",
    "d::timestamptz": "write (d AT TIME ZONE 'UTC')",
    "a::date": "make_date",
    "base + 1": "write (n * 2) in its place",
}
TAKEN = [
    "a || coalesce(b, '')", "lpad(n::text, 3, '0')", "extract(year FROM d)", "extract(year FROM t AT TIME ZONE 'UTC')",
    "date_trunc('day', s)", "(t AT TIME ZONE 'UTC')::date", "(t AT TIME ZONE 'UTC' + i) AT TIME ZONE 'UTC'", "t - u", "d + 1", "s + i",
    "t > u", "t > '2020-01-01'", "d > s", "d::timestamp", "clock::text", "'concat(a)' || a", "n::text", "'2020-01-01'::date", "i * 2",
]  # fmt: skip


def table(*computed: str) -> Table:
    base = Column("base", SqlType("integer"), computed="n * 2")
    return Table(
        "t",
        (*(Column(n, SqlType(k)) for n, k in COLUMNS.items()), base, *(Column("c", SqlType("text"), computed=c) for c in computed)),
        Rows(1),
    )


@pytest.mark.parametrize(("sql", "way"), REFUSED.items(), ids=list(REFUSED))
def test_the_way_out_of_what_postgresql_refuses_is_told(sql: str, way: str) -> None:
    [reason] = refusals(table(), Column("c", SqlType("text"), computed=sql))
    assert way in reason


@pytest.mark.parametrize("sql", TAKEN)
def test_of_what_postgresql_takes_nothing_is_told(sql: str) -> None:
    assert list(refusals(table(), Column("c", SqlType("text"), computed=sql))) == []


def test_postgresql_refuses_and_takes_what_these_tests_say(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        [statement] = ddl(Schema("s", (table(),)), "postgresql").phase("tables")
        connection.execute(statement.sql)
        for sql in (*REFUSED, *TAKEN):
            try:
                # an array takes any type
                connection.execute("DROP TABLE IF EXISTS found")
                connection.execute(f"CREATE TABLE found AS SELECT {sql} AS x FROM t")
                [(type,)] = connection.execute(
                    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'found'::regclass AND attnum = 1"
                )
                connection.execute(f"ALTER TABLE t ADD c {type} GENERATED ALWAYS AS ({sql}) STORED")
                connection.execute("ALTER TABLE t DROP c")
                taken = True
            except (psycopg.errors.InvalidObjectDefinition, psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidColumnReference):
                taken = False
            assert taken is (sql in TAKEN), sql


def test_it_is_a_warning_at_its_place() -> None:
    warnings: list[Problem] = []
    text = "schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      a: {type: text, generate: words}\n      b: {type: text, computed: \"concat(a, 'x')\"}\n"
    parse_schema(text, warnings=warnings)
    [warning] = warnings
    assert warning.at is not None and warning.at.line == 7
    assert warning.message.startswith(
        "computed: PostgreSQL would refuse the load: concat gives something else from session to session; join"
    )
