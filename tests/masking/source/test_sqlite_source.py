"""Reading real SQLite files: what they keep in their own ways, one snapshot, what cannot be carried; and any database, by rows."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from masking.errors import PolicyInvalid, SourceFailure
from masking.source import Source, open_source
from masking.source.any_database import AnyDatabaseSource
from masking.source.base import no_progress
from masking.source.sqlite import begin_together
from masking.source.sqlite_columns import ByRows, ColumnReader, can_read
from schemas.errors import InputError
from schemas.model import Column
from schemas.types import SqlType


def made(path: Path, *statements: str, rows: list[tuple] = [], table: str = "t") -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return path


@contextmanager
def by_alchemy(path: Path) -> Iterator[Source]:
    """The reader for any database, over SQLite."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        yield AnyDatabaseSource(connection, engine.url, "sqlite", no_progress)
    engine.dispose()


TYPES = {
    "id": "INTEGER PRIMARY KEY",
    "small": "SMALLINT",
    "truth": "BOOLEAN",
    "price": "NUMERIC(10, 2)",
    "ratio": "DOUBLE",
    "loose": "DECIMAL",
    "words": "VARCHAR(20)",
    "day": "DATE",
    "moment": "TIMESTAMP",
    "clock": "TIME",
    "document": "JSON",
    "raw": "BLOB",
}
PLAIN = (
    2**40, -5, 1, 1234.56, 0.25, 7, "häß😀", "2026-02-28", "2026-02-28 09:00:00.000001", "23:59:59.5",
    '{"a": 1}', b"\x00\xff",
)  # fmt: skip
MEANT = {
    "id": 2**40, "small": -5, "truth": True, "price": Decimal("1234.56"),
    "ratio": 0.25, "loose": 7.0, "words": "häß😀", "day": dt.date(2026, 2, 28), "moment": dt.datetime(2026, 2, 28, 9, 0, 0, 1),
    "clock": dt.time(23, 59, 59, 500_000), "document": '{"a": 1}', "raw": b"\x00\xff",
}  # fmt: skip
ODD = (
    3, -5.0, "true", "1234.5600", 1, 7.0, "häß😀", "2026-02-28T00:00:00", "2026-02-28T12:00:00.000001+03:00",
    "23:59:59.500", '{"a": 1}', "text",
)  # fmt: skip
COLUMNS = ", ".join(f"{name} {type}" for name, type in TYPES.items())
NULLS = (1, *[None] * (len(TYPES) - 1))


def test_every_type_comes_as_its_column_is_carried(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t ({COLUMNS})", rows=[NULLS, PLAIN])
    with open_source(f"sqlite:///{path}") as source:
        found = source.read("t").read_all()
        assert found.schema.equals(source.schema.table("t").arrow)
        assert can_read(source.schema.table("t").columns)
    assert found.to_pylist() == [dict.fromkeys(TYPES, None) | {"id": 1}, MEANT]


def test_other_spellings_of_the_same_are_understood_wherever_they_begin(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t ({COLUMNS})", rows=[NULLS, ODD, *((i, *PLAIN[1:]) for i in range(10, 40_000))])
    with open_source(f"sqlite:///{path}") as source:
        found = source.read("t").read_all()
    assert found.slice(1, 1).to_pylist() == [MEANT | {"id": 3, "ratio": 1.0, "raw": b"text"}]
    assert found.column("id").to_pylist() == [1, 3, *range(10, 40_000)]
    made(path, "UPDATE t SET truth = 1 WHERE id = 3", "UPDATE t SET truth = 'no' WHERE id = 39999")
    with open_source(f"sqlite:///{path}") as source:
        found = source.read("t", ["id", "truth"]).read_all()
    assert found.column("id").to_pylist() == [1, 3, *range(10, 40_000)]
    assert found.column("truth").to_pylist() == [None, *[True] * 39_990, False]
    made(path, "UPDATE t SET small = 'x' WHERE id = 39999")
    with open_source(f"sqlite:///{path}") as source, pytest.raises(SourceFailure, match="column 'small'"):
        source.read("t").read_all()


def test_decimals_that_were_kept_in_binary_come_as_they_were_meant(tmp_path: Path) -> None:
    wide = [0.1, 12345.5, 2**60, 1e19, "0.1000000001", 123456789.0123]
    path = made(tmp_path / "a.db", "CREATE TABLE t (wide NUMERIC(30, 10), short NUMERIC(10, 2))", rows=[(w, 0.1 + 0.2) for w in wide])
    with open_source(f"sqlite:///{path}") as source:
        found = source.read("t").read_all()
    assert [str(v) for v in found.column("wide").to_pylist()] == [
        "0.1000000000", "12345.5000000000", "1152921504606846976.0000000000", "10000000000000000000.0000000000", "0.1000000001",
        "123456789.0123000000",
    ]  # fmt: skip
    assert found.column("short").to_pylist() == [Decimal("0.30")] * 6


def test_columns_and_rows_are_read_alike(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t ({COLUMNS})", rows=[(i, *PLAIN[1:]) for i in range(40_000)])
    with open_source(f"sqlite:///{path}") as source, by_alchemy(path) as other:
        columns = source.schema.table("t").columns
        with closing(ColumnReader(path)) as reader:
            by_columns = pa.Table.from_batches(reader.batches(columns, ["id % 2 = 0"], '"t" ORDER BY id', 10_000))
        assert by_columns.equals(source.read("t", None, ["id % 2 = 0"]).read_all())
        assert source.where("t", "id >= 0", [c.name for c in columns]).read_all().equals(source.read("t").read_all())
        names = [c.name for c in columns if c.type.kind not in ("bigint", "double", "json")]
        assert other.read("t", names).read_all().equals(source.read("t", names).read_all())


def test_a_table_of_as_many_columns_as_there_may_be_is_read(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(2000)]
    path = made(
        tmp_path / "wide.db",
        f"CREATE TABLE t ({', '.join(f'{name} TEXT' for name in names)})",
        "INSERT INTO t (c0, c1999) VALUES ('a', 'b')",
    )
    with open_source(f"sqlite:///{path}") as source:
        read = source.read("t").read_all()
        assert read.column_names == names and read.column("c1999").to_pylist() == ["b"]


def test_the_driver_for_columns_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t ({COLUMNS})", rows=[(i, *PLAIN[1:]) for i in range(100)])
    with open_source(f"sqlite:///{path}") as source:
        expected = source.read("t").read_all()
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite", None)
    with open_source(f"sqlite:///{path}") as source:
        assert source.read("t").read_all().equals(expected)


@pytest.mark.parametrize("name", ["counted", "n", "k0"])
def test_a_table_is_sampled_whatever_it_and_its_columns_are_called(tmp_path: Path, name: str) -> None:
    path = made(
        tmp_path / "a.db", f"CREATE TABLE {name} (k0 TEXT, n INTEGER PRIMARY KEY)", rows=[(str(i), i) for i in range(100)], table=name
    )
    with open_source(f"sqlite:///{path}") as source:
        found = source.sampled(name, 0.1, ["n"])
        assert found is not None
        assert len(found.read_all()) == 10


def test_what_is_kept_otherwise_is_not_read_by_columns(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)", rows=[(1, 5), (2, "five")])
    with open_source(f"sqlite:///{path}") as source, closing(ColumnReader(path)) as reader, pytest.raises(ByRows):
        list(reader.batches(source.schema.table("t").columns, [], '"t"', 100))


@pytest.mark.parametrize(
    ("type", "value", "reason"),
    [
        ("INTEGER", "Anna", "a text"),
        ("SMALLINT", 70_000, "no room"),
        ("INTEGER", 1.5, "floating point"),
        ("BOOLEAN", 2, "whole number"),
        ("NUMERIC(10, 2)", 1.234, "more digits"),
        ("NUMERIC(10, 2)", "Anna", "a text"),
        ("NUMERIC(38, 0)", "1" + "0" * 45, "more digits"),
        ("DOUBLE", "Anna", "a text"),
        ("DATE", "yesterday", "a text"),
        ("DATE", "2026-01-01 10:00:00", "time of day"),
        ("TIME", "25:00", "a text"),
        ("TEXT", "An\0na", "NUL"),
        ("JSON", b"{}", "binary form"),
    ],
)
def test_what_cannot_be_carried_stops_the_read_and_is_not_shown(tmp_path: Path, type: str, value: object, reason: str) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, secret {type})", rows=[(1, None), (2, value)])
    with open_source(f"sqlite:///{path}") as source:
        with pytest.raises(SourceFailure) as error:
            source.read("t").read_all()
        assert "table 't', column 'secret'" in str(error.value)
        assert reason in str(error.value)
        assert "(`{class: public, mask: drop}`)" in str(error.value)
        assert "Anna" not in str(error.value)
        assert source.read("t", ["id"]).read_all().num_rows == 2


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("tinyint", 70_000),
        ("int2", 2**40),
        ("year", -70_000),
        ("serial", 2**40),
        ("timestamptz", 1_767_225_600.5),
        ("date", 20_454),
        ("datetime2(3)", 1_767_225_600_000_000_000),
        ("smalldatetime", 2_461_041.5),
        ("time", 86_399),
        ("timetz", 3_600),
        ("uuid", 7),
        ("binary(1)", 1),
    ],
)
def test_numbers_are_read_whatever_other_databases_mean_by_a_type(tmp_path: Path, declared: str, value: float) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, n {declared})", rows=[(1, None), (2, value)])
    with open_source(f"sqlite:///{path}") as source:
        assert source.read("t", ["n"]).read_all().column("n").to_pylist() == [None, value]


@pytest.mark.parametrize(
    ("stored", "type", "read"),
    [
        (90_000_000, "interval", dt.timedelta(seconds=90)),
        ("90000000", "interval", dt.timedelta(seconds=90)),
        ("3 days 00:00:00", "text", "3 days 00:00:00"),
        ("1 month", "text", "1 month"),
        (1.5, "double", 1.5),
    ],
)
def test_an_interval_is_what_sqlite_keeps_of_it(tmp_path: Path, stored: object, type: str, read: object) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, span INTERVAL)", rows=[(1, None), (2, stored)])
    with open_source(f"sqlite:///{path}") as source:
        assert str(source.schema.table("t").column("span").type) == type
        assert source.read("t", ["span"]).read_all().column("span").to_pylist() == [None, read]


def test_a_text_among_the_numbers_of_an_interval_stops_the_read(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, span INTERVAL)", rows=[(1, 5), (2, "5 days of Anna")])
    with open_source(f"sqlite:///{path}") as source:
        with pytest.raises(SourceFailure, match="column 'span'") as error:
            source.read("t").read_all()
        assert "Anna" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "type"),
    [
        ("varchar2(3)", "text"),
        ("character varying(3)", "text"),
        ("national char(3)", "text"),
        ("nvarchar(3)", "varchar(3)"),
        ("CHAR(3)", "char(3)"),
    ],
)
def test_texts_are_limited_by_the_words_of_sqlite_alone(tmp_path: Path, declared: str, type: str) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, words {declared})")
    with open_source(f"sqlite:///{path}") as source:
        assert str(source.schema.table("t").column("words").type) == type


@pytest.mark.parametrize(("values", "reason"), [(("2026-01-01", 1_767_225_600), "whole number"), ((1_767_225_600, "2026-01-01"), "a text")])
def test_numbers_and_moments_in_one_column_stop_the_read_and_are_not_shown(tmp_path: Path, values: tuple[object, ...], reason: str) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP)", rows=list(enumerate(values)))
    with open_source(f"sqlite:///{path}") as source, pytest.raises(SourceFailure, match=f"column 'at': .*{reason}") as error:
        source.read("t").read_all()
    assert not any(str(value) in str(error.value) for value in values)


def test_whole_and_other_numbers_of_one_column_are_read_as_numbers(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, at datetime2)", rows=[(1, 7), (2, 7.5)])
    with open_source(f"sqlite:///{path}") as source:
        assert source.read("t", ["at"]).read_all().column("at").to_pylist() == [7.0, 7.5]


def test_a_default_that_is_a_moment_is_none_of_a_column_of_numbers(tmp_path: Path) -> None:
    columns = "seen datetime2 DEFAULT CURRENT_TIMESTAMP, since datetime2 DEFAULT 0, made datetime2 DEFAULT CURRENT_TIMESTAMP"
    path = made(tmp_path / "a.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})", rows=[(1, 7, 7, "2026-01-01 09:00:00")])
    with open_source(f"sqlite:///{path}") as source:
        kept = {c.name: (c.type.kind, c.default) for c in source.schema.table("t").columns if c.name != "id"}
    assert kept == {"seen": ("bigint", None), "since": ("bigint", "0"), "made": ("timestamp", "CURRENT_TIMESTAMP")}


def test_texts_longer_than_their_type_come_whole_with_what_references_them(tmp_path: Path) -> None:
    path = made(
        tmp_path / "long.db",
        "CREATE TABLE p (code VARCHAR(3) PRIMARY KEY, short VARCHAR(3), empty CHAR(1))",
        "CREATE TABLE c (p_code VARCHAR(3) REFERENCES p, other VARCHAR(3))",
        "INSERT INTO p VALUES ('abcd', 'äöü', NULL), ('a', 'b', NULL)",
        "INSERT INTO c VALUES ('a', 'b')",
    )
    with open_source(f"sqlite:///{path}") as source:
        types = {f"{t.name}.{c.name}": str(c.type) for t in source.schema.tables for c in t.columns}
        assert types == {
            "p.code": "text", "p.short": "varchar(3)", "p.empty": "char(1)", "c.p_code": "text", "c.other": "varchar(3)",
        }  # fmt: skip
        assert source.read("p").read_all().column("code").to_pylist() == ["a", "abcd"]


@pytest.mark.parametrize("kind", ["TEXT", "VARCHAR(10)"])
def test_a_text_that_is_no_utf8_stops_the_read_and_is_not_shown(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path / "a.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, secret {kind})")
    made(path, "INSERT INTO t VALUES (1, CAST(x'416e6e61ff' AS TEXT))")
    with open_source(f"sqlite:///{path}") as source:
        for read in (lambda: source.read("t"), lambda: source.where("t", "id = 1", ["secret"])):
            with pytest.raises(SourceFailure, match="column 'secret': a text is no UTF-8") as error:
                read().read_all()
            assert "Anna" not in str(error.value)


def test_a_null_in_a_key_stops_the_read(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER)", rows=[("a", 1), (None, 2)])
    with open_source(f"sqlite:///{path}") as source, pytest.raises(SourceFailure, match="column 'id': the source holds nulls"):
        source.read("t").read_all()


def test_rows_come_by_their_key_or_as_they_lie_whatever_the_columns(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        "CREATE TABLE keyed (name TEXT PRIMARY KEY, n INTEGER)",
        "CREATE TABLE bare (n INTEGER, rowid TEXT)",
        "CREATE TABLE hidden (rowid INTEGER, oid INTEGER, _rowid_ INTEGER)",
        "CREATE TABLE packed (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "CREATE INDEX i ON bare (n)",
        "CREATE INDEX j ON hidden (oid)",
        "INSERT INTO keyed VALUES ('b', 1), ('B', 2), ('ä', 3), ('a', 4)",
        "INSERT INTO bare VALUES (3, 'x'), (1, 'y'), (2, 'z')",
        "INSERT INTO hidden VALUES (1, 3, 3), (2, 2, 2), (3, 1, 1)",
        "INSERT INTO packed VALUES ('b', 1), ('a', 2), ('a', 1)",
    )
    with open_source(f"sqlite:///{path}") as source:
        assert source.read("keyed", ["n"]).read_all().column(0).to_pylist() == [2, 4, 1, 3]
        assert source.where("keyed", "n > 1", ["name"]).read_all().column(0).to_pylist() == ["B", "a", "ä"]
        assert source.read("bare", ["n"]).read_all().column(0).to_pylist() == [3, 1, 2]
        assert source.read("hidden", ["oid"]).read_all().column(0).to_pylist() == [3, 2, 1]
        assert source.read("packed", ["b"]).read_all().column(0).to_pylist() == [1, 2, 1]


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_all_reads_see_one_moment_and_nothing_is_written(tmp_path: Path, journal: str) -> None:
    path = made(
        tmp_path / "a.db",
        f"PRAGMA journal_mode = {journal}",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "CREATE TABLE u (id INTEGER)",
        "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
    )
    with open_source(f"sqlite:///{path}") as source:
        if journal == "WAL":
            made(path, "INSERT INTO t VALUES (3, 'z')", "DELETE FROM t WHERE id = 1", "DROP TABLE u")
        else:  # a snapshot keeps others from writing
            other = sqlite3.connect(path, timeout=0)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN EXCLUSIVE")
            other.close()
        reads = [iter(source.read(name)) for name in ("t", "u", "t")]
        assert [sum(b.num_rows for b in read) for read in reads] == [2, 0, 2]
        assert source.where("t", "a >= 'x'", ["id"]).read_all().to_pydict() == {"id": [1, 2]}
        assert (source.count("t"), source.count("u")) == (2, 0)
        source.check_unchanged()


class _Overtaken(ColumnReader):
    """A reader before whose first transaction another connection commits."""

    overtaken = False

    def begin(self) -> None:
        if not self.overtaken:
            self.overtaken = True
            made(self.path, "INSERT INTO t VALUES (2)")
        super().begin()


def test_what_is_committed_between_the_two_transactions_makes_both_begin_again(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    connection = sqlite3.connect(path, isolation_level=None)
    with closing(connection), closing(_Overtaken(path)) as reader:
        reader.path = path
        assert begin_together(path, connection, reader)
        column = Column("id", SqlType("bigint"))
        assert sum(b.num_rows for b in reader.batches([column], [], "t", 100)) == 2
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)


# a process of its own: within one, two copies of SQLite do not see each other's locks
_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
number = 0
while True:
    number += 1
    for statement in ("BEGIN IMMEDIATE", f"INSERT INTO t VALUES ({number})", f"INSERT INTO u VALUES ({number})", "COMMIT"):
        connection.execute(statement)
    if number == 10:
        print(flush=True)
"""


def test_a_database_that_others_write_all_the_time_is_read_at_one_moment(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE u (id INTEGER PRIMARY KEY)",
    )
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    try:
        for _ in range(5):
            with open_source(f"sqlite:///{path}") as source:
                by_columns = source.read("t").read_all().num_rows
                by_rows = source.where("u", "id > 0", ["id"]).read_all().num_rows
                assert by_columns == by_rows == source.count("t") > 0
    finally:
        writer.kill()
        writer.communicate()


def test_a_file_that_is_locked_damaged_or_no_database_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.source.sqlite._WAIT_SECONDS", 0.1)
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", rows=[(i, "Anna " * 200) for i in range(200)])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceFailure, match="another process has it locked"), open_source(f"sqlite:///{path}"):
        pass
    holder.close()
    text = tmp_path / "text.db"
    text.write_text("this is no database, but long enough to be looked at as one " * 20)
    with pytest.raises(InputError, match="no SQLite database"), open_source(f"sqlite:///{text}"):
        pass
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * 4096 * 8 + data[8192 + 4096 * 8 :])
    with pytest.raises(SourceFailure) as error, open_source(f"sqlite:///{path}") as source:
        source.read("t").read_all()
    assert "Anna" not in str(error.value)


def test_generated_columns_are_read_only_when_asked_for(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, twice INTEGER GENERATED ALWAYS AS (id * 2) STORED)",
        "INSERT INTO t (id) VALUES (4)",
    )
    with open_source(f"sqlite:///{path}") as source:
        assert source.read("t").read_all().to_pylist() == [{"id": 4}]
        assert source.read("t", ["twice"]).read_all().to_pylist() == [{"twice": 8}]


def test_huge_cells_make_small_batches(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, raw BLOB)", rows=[(i, b"x" * 3_000_000) for i in range(30)])
    told: list[tuple[str, int, int]] = []
    with open_source(f"sqlite:///{path}", lambda table, rows, of: told.append((table, rows, of))) as source:
        for read in (lambda: source.read("t"), lambda: source.where("t", "id >= 0", ["id", "raw"])):
            sizes = [(b.num_rows, b.nbytes) for b in read()]
            assert sum(rows for rows, _ in sizes) == 30
            assert max(size for _, size in sizes) <= 32 << 20
    assert told[-1] == ("t", 30, 30)


@pytest.mark.parametrize("condition", ["a = ", "b = 1", "1=1) OR (1=1", "a = (SELECT 1)", "nothing(a)"])
def test_what_is_no_condition_is_the_policys_fault(tmp_path: Path, condition: str) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (1, 'Anna Smith')")
    with open_source(f"sqlite:///{path}") as source, by_alchemy(path) as other:
        reads = [lambda s=s: s.where("t", condition, ["id"]) for s in (source, other)]
        reads += [lambda s=s: s.read("t", ["id"], [condition]) for s in (source, other)]
        for read in reads:
            with pytest.raises(PolicyInvalid, match="the condition on 't'") as error:
                read().read_all()
            assert "Smith" not in str(error.value)


_SLOW = """
import sys
from masking.source import open_source
with open_source(sys.argv[1]) as source:
    try:
        print("ready", flush=True)
        source.where("t", "abs(a) + abs(a) + abs(a) < 0", ["a"]).read_all()
        while True:
            for batch in source.read("t"):
                pass
    except KeyboardInterrupt:
        print("stopped", flush=True)
        sys.exit(7)
"""


def test_ctrl_c_stops_a_read(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (a INTEGER)")
    made(path, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000000) INSERT INTO t SELECT i FROM s")
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW, f"sqlite:///{path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (7, "stopped\n", "")


def test_a_read_of_any_database_ends_the_one_before(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)", rows=[(i,) for i in range(50_000)])
    with by_alchemy(path) as source:
        first = iter(source.read("t"))
        next(first)
        assert source.read("t").read_all().num_rows == 50_000
        with pytest.raises(SourceFailure, match="another read"):
            list(first)


def test_a_structure_that_changed_under_any_database_is_noticed(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with by_alchemy(path) as source:
        source.check_unchanged()
        made(path, "ALTER TABLE t ADD COLUMN a TEXT")
        with pytest.raises(SourceFailure, match="the source changed under us: the table 't'"):
            source.check_unchanged()


def test_databases_without_a_known_snapshot_are_refused() -> None:
    with pytest.raises(InputError), open_source("firebird://host/db"):
        pass
