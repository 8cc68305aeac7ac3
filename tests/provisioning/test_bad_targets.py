"""Targets that cannot be loaded into: each gets a clear error and loses nothing."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import psycopg
import pytest
from databases import ask, contents
from loading_sources import BIGINT, arrow_table, build, kind, simple, simple_rows

import provisioning
from bundles import Bundle
from provisioning.errors import ConstraintBroken, SchemaRefused, TargetFailure, TargetInUse, TargetInvalid
from provisioning.target import parse_target
from schemas.errors import CheckFailed, InputError, Refused, SystemFailure
from schemas.model import Check, Column, Rows, Schema, Table
from tests.spread import one_in

PROJECT = Path(__file__).parents[2]
FILES = ("duckdb", "sqlite")


@pytest.fixture
def bundle(store: Path) -> Bundle:
    return build(simple(), simple_rows(), store)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root@localhost/x", "cannot load into 'mysql:'.*postgresql.*duckdb.*sqlite"),
        ("postgress://localhost/x", "did you mean 'postgres"),
        ("shop.db", "^'shop.db' is no database URL; supported are"),
        ("", "^'' is no database URL; supported are"),
        ("duckdb:shop.db", "no database URL"),
        ("sqlite://shop.db", "three slashes: sqlite:///file.db"),
        ("duckdb:///", "names no file"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite:///x.db?mode=ro", "has options"),
        ("duckdb:///a\0b", "character"),
        ("postgresql://127.0.0.1:1/x?foo=bar", 'the database URL cannot be read: invalid URI query parameter: "foo"'),
    ],
)
def test_a_url_that_names_no_target(bundle: Bundle, url: str, message: str) -> None:
    with pytest.raises(TargetInvalid, match=message) as error:
        provisioning.load(bundle, url)
    assert error.value.exit_code == InputError.exit_code == 2


@pytest.mark.parametrize("there", [False, True])
def test_a_duckdb_file_with_the_name_of_a_schema_of_the_bundle_is_refused(store: Path, tmp_path: Path, there: bool) -> None:
    table = Table("Sales.items", (Column("id", BIGINT),), Rows(3), key=("id",))
    bundle = build(Schema("own", (table,)), {"Sales.items": [{"id": n} for n in range(3)]}, store)
    path = tmp_path / "sales.duckdb"
    if there:
        duckdb.connect(str(path)).close()
    with pytest.raises(TargetInvalid, match=r"'Sales.items' is in a schema of that name.*sales_data.duckdb"):
        provisioning.load(bundle, f"duckdb:///{path}")
    assert path.exists() == there
    provisioning.load(bundle, f"duckdb:///{tmp_path / 'sales_data.duckdb'}")


@pytest.mark.parametrize("dialect", FILES)
def test_a_file_of_the_other_kind_of_database_is_named_and_left_as_it_was(bundle: Bundle, tmp_path: Path, dialect: str) -> None:
    path = tmp_path / "shop.db"
    other, name = ("sqlite", "DuckDB") if dialect == "duckdb" else ("duckdb", "SQLite")
    provisioning.load(bundle, f"{other}:///{path}")
    held = path.read_bytes()
    with pytest.raises(TargetInvalid, match=f"'{path}' is .*no {name} (database|one; to load into it write sqlite:///{path})"):
        provisioning.load(bundle, f"{dialect}:///{path}", replace=True)
    assert path.read_bytes() == held


def test_urls_are_read_as_sqlalchemy_reads_them() -> None:
    assert parse_target("duckdb:///shop.db").path == Path("shop.db")
    assert parse_target("sqlite:////tmp/shop.db").path == Path("/tmp/shop.db")
    assert parse_target("sqlite+pysqlite:///a b%20.db").path == Path("a b%20.db")
    assert parse_target("postgresql+psycopg://u:p@h/d?x=1").url == "postgresql://u:p@h/d?x=1"
    assert parse_target("postgres://u@/d?host=/tmp").url == "postgresql://u@/d?host=/tmp"


@pytest.mark.parametrize("dialect", FILES)
def test_places_where_no_file_can_be(bundle: Bundle, tmp_path: Path, dialect: str) -> None:
    (tmp_path / "file").write_text("x")
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "x.db", "does not exist; make it first"),
        (tmp_path / "file" / "x.db", "is no folder"),
        (Path("/dev/null"), "no regular file"),
    ):
        with pytest.raises(TargetInvalid, match=message):
            provisioning.load(bundle, f"{dialect}:///{path}")


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize("replace", [False, True])
def test_a_file_that_is_no_database_is_kept(bundle: Bundle, tmp_path: Path, dialect: str, replace: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 2000)
    with pytest.raises(TargetInvalid, match=r"is no (DuckDB|SQLite) database"):
        provisioning.load(bundle, f"{dialect}:///{path}", replace=replace)
    assert path.read_text() == "my notes\n" * 2000


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written(bundle: Bundle, tmp_path: Path, dialect: str) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(TargetFailure, match="cannot write"):
        provisioning.load(bundle, f"{dialect}:///{folder / 'x.db'}")


def test_a_sqlite_file_that_another_holds(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE other (x)")
    holder.execute("BEGIN EXCLUSIVE")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k | {"timeout": 0.1}))
    with pytest.raises(TargetFailure, match=r"another process has .* locked"):
        provisioning.load(bundle, f"sqlite:///{path}")
    holder.execute("ROLLBACK")
    holder.close()


@pytest.mark.parametrize("held", [b"name,age\nAda,36\n", b'[{"a": 1}]', b""])
def test_a_file_of_which_duckdb_would_make_a_database_in_memory_is_refused(bundle: Bundle, tmp_path: Path, held: bytes) -> None:
    path = tmp_path / ("people.json" if held.startswith(b"[") else "people.csv")
    path.write_bytes(held)
    with pytest.raises(TargetInvalid, match="is no DuckDB database"):
        provisioning.load(bundle, f"duckdb:///{path}")
    assert path.read_bytes() == held


def test_a_duckdb_file_that_another_process_holds(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    script = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(TargetFailure, match=r"another process has .* open"):
            provisioning.load(bundle, f"duckdb:///{path}")
        holder.communicate("")


FULL_DISK = """
import resource, signal, sys
import bundles, provisioning
bundle = bundles.open("synthetic:latest", sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    provisioning.load(bundle, sys.argv[2])
except provisioning.errors.TargetFailure as error:
    print(error)
"""


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk(store: Path, tmp_path: Path, dialect: str, there: bool) -> None:
    build(simple(60_000), simple_rows(60_000), store)
    url = f"{dialect}:///{tmp_path / 'x.db'}"
    if there:
        ask(url, "CREATE TABLE other (x integer)")
    held = contents(url)
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(store), url], cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "no space is left on the disk" in ran.stdout, ran.stderr
    assert contents(url) == held
    assert {p.name for p in tmp_path.iterdir()} - {"x.db.wal"} == ({"store", "x.db"} if there else {"store"})


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_IOERR_WRITE, "no space is left on the disk"),
        (sqlite3.SQLITE_IOERR_READ, "SQLite failed on '.*': disk I/O error"),
        (sqlite3.SQLITE_IOERR_FSYNC, "SQLite failed on '.*': disk I/O error"),
    ],
)
def test_a_disk_that_fails_is_not_called_full(bundle: Bundle, tmp_path: Path, monkeypatch, code: int, told: str) -> None:
    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr("provisioning.loaders.sqlite._existing", fail)
    sqlite3.connect(tmp_path / "x.db").close()
    with pytest.raises(TargetFailure, match=told):
        provisioning.load(bundle, f"sqlite:///{tmp_path / 'x.db'}")


def test_a_disk_that_has_room_for_the_journal_of_duckdb_but_not_for_its_file(bundle: Bundle, store: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(store), f"duckdb:///{tmp_path / 'x.db'}"],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "no space is left on the disk" in ran.stdout, ran.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"store"}


def test_a_file_that_appears_during_the_load_is_kept(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(TargetInUse, match="in the meantime"):
        provisioning.load(bundle, f"sqlite:///{path}", on_progress=lambda _: path.write_text("mine"))
    assert path.read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {"store", "x.db"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:Geheim!7@127.0.0.1:1/x",
        "postgresql://someone:Geheim%217@127.0.0.1:1/x?connect_timeout=1",
        "postgresql://someone@127.0.0.1:1/x?password=Geheim!7",
        "postgresql+psycopg://someone:Geheim!7@no.such.host.invalid/x",
        "postgresql://someone:Geheim!7@[bad/x",
        "postgresql://someone:Geheim!7@/x?host=/nowhere&nonsense=Geheim!7",
        "mysql://someone:Geheim!7@127.0.0.1/x",
        "sqlite://someone:Geheim!7@127.0.0.1/x",
    ],
)
def test_a_password_is_never_shown(bundle: Bundle, url: str) -> None:
    with pytest.raises((SystemFailure, InputError)) as error:
        provisioning.load(bundle, url)
    assert "Geheim" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_database_that_is_not_there(bundle: Bundle, postgres: str) -> None:
    with pytest.raises(TargetFailure, match="no_such_database"):
        provisioning.load(bundle, postgres.replace("/postgres?", "/no_such_database?"))


def test_a_role_that_may_not_make_tables(bundle: Bundle, postgres_url: str) -> None:
    role = f"reader_{os.getpid()}"
    ask(postgres_url, f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(TargetFailure, match="lacks a privilege"):
            provisioning.load(bundle, postgres_url.replace("//postgres:", f"//{role}:"))
    finally:
        ask(postgres_url, f"DROP ROLE {role}")
    assert contents(postgres_url) == {}


def test_the_owner_of_a_ready_made_schema_needs_no_more(postgres_url: str, store: Path) -> None:
    role = f"owner_{os.getpid()}"
    ask(postgres_url, f"CREATE ROLE {role} LOGIN", f"CREATE SCHEMA sales AUTHORIZATION {role}")
    one = Table("sales.one", (Column("id", BIGINT),), Rows(1), key=("id",))
    try:
        provisioning.load(build(Schema("s", (one,)), {"sales.one": [{"id": 1}]}, store), postgres_url.replace("//postgres:", f"//{role}:"))
        assert ask(postgres_url, "SELECT id FROM sales.one") == [(1,)]
    finally:
        ask(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_one_load_at_a_time(bundle: Bundle, postgres_url: str) -> None:
    seen: list[str] = []

    def again(_: object) -> None:
        if not seen:
            try:
                provisioning.load(bundle, postgres_url)
            except TargetFailure as error:
                seen.append(str(error))

    provisioning.load(bundle, postgres_url, on_progress=again)
    assert "another load" in seen[0]


def test_a_server_that_dies_during_the_load(bundle: Bundle, postgres_url: str) -> None:
    def end(progress: object) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises(TargetFailure):
        provisioning.load(bundle, postgres_url, on_progress=end)
    assert contents(postgres_url) == {}


def one_column(column: Column, *checks: Check) -> Schema:
    return Schema("one", (Table("one", (Column("id", BIGINT), column), Rows(1), key=("id",), checks=checks),))


def test_a_value_that_postgresql_refuses_is_not_shown(store: Path, postgres_url: str) -> None:
    schema = one_column(Column("secret", kind("text")))
    bundle = build(schema, {"one": [{"id": 1, "secret": "my\0secret"}]}, store)
    with pytest.raises(ConstraintBroken, match="'one'") as error:
        provisioning.load(bundle, postgres_url)
    assert "my" not in str(error.value).replace("'one'", "")


def test_a_value_twice_is_not_shown(store: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": 1, "secret": "alice@example.com"}, {"id": 2, "secret": "alice@example.com"}]
    from schemas.model import Unique

    table = Table("one", (Column("id", BIGINT), Column("secret", kind("text"))), Rows(2), key=("id",), unique=(Unique(("secret",)),))
    monkeypatch.setattr("bundles.building._hold_constraints", lambda *a, **k: None, raising=False)
    bundle = build(Schema("one", (table,)), {"one": rows}, store)
    with pytest.raises(ConstraintBroken, match="one") as error:
        provisioning.load(bundle, url)
    assert "alice" not in str(error.value)
    assert error.value.exit_code == CheckFailed.exit_code == 1


def test_nan_has_no_place_in_sqlite(store: Path, tmp_path: Path) -> None:
    bundle = build(one_column(Column("x", kind("double"))), {"one": [{"id": 1, "x": float("nan")}]}, store)
    with pytest.raises(ConstraintBroken, match="'one', column 'x': SQLite holds no NaN"):
        provisioning.load(bundle, f"sqlite:///{tmp_path / 'x.db'}")
    assert not (tmp_path / "x.db").exists()


def test_a_check_that_postgresql_does_not_know(store: Path, postgres_url: str) -> None:
    schema = one_column(Column("x", BIGINT), Check("no_such_function(x) > 0"))
    bundle = build(schema, {"one": [{"id": 1, "x": 1}]}, store)
    with pytest.raises(SchemaRefused, match=r"'one', checks.*no_such_function"):
        provisioning.load(bundle, postgres_url)
    assert contents(postgres_url) == {}


@pytest.mark.parametrize(
    "sql", one_in(2, ["x > 0); DROP TABLE victim; --", "x > 0; DROP TABLE victim", "x > 0) OR (1 = 1", "x > 0 --", "'"])
)
def test_an_expression_cannot_reach_beyond_its_check(url: str, tmp_path: Path, sql: str) -> None:
    from loading_sources import ArrowSource

    import bundles

    ask(url, "CREATE TABLE victim (x integer)")
    for place in ("check", "default", "computed"):
        column = Column("x", BIGINT, default=sql if place == "default" else None)
        columns = (Column("id", BIGINT), column) + ((Column("y", BIGINT, null=0, computed=sql),) if place == "computed" else ())
        checks = (Check(sql),) if place == "check" else ()
        schema = Schema("one", (Table("one", columns, Rows(1), key=("id",), checks=checks),))
        source = ArrowSource(schema, {"one": arrow_table(schema.tables[0], [{"id": 1, "x": 1}])})
        try:
            provisioning.load(bundles.build(source, store=tmp_path / "store"), url, replace=True)
        except (InputError, CheckFailed):
            continue
        assert ask(url, "SELECT count(*) FROM one") == [(1,)]
    assert ask(url, "SELECT count(*) FROM victim") == [(0,)]


def test_a_name_that_postgresql_would_cut_is_refused(store: Path, postgres_url: str) -> None:
    long = Table("t" * 64, (Column("id", BIGINT),), Rows(1), key=("id",))
    with pytest.raises(InputError, match="63 bytes"):
        provisioning.load(build(Schema("s", (long,)), {}, store), postgres_url)


def test_postgresql_without_its_driver(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(InputError, match=r"pip install 'companyos-data\[postgres\]'"):
        provisioning.load(bundle, "postgresql://localhost/x")


def test_refusals_have_the_exit_code_of_a_policy(bundle: Bundle, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'x.db'}"
    provisioning.load(bundle, url)
    with pytest.raises(Refused) as error:
        provisioning.load(bundle, url)
    assert error.value.exit_code == 3
    assert duckdb.connect(str(tmp_path / "x.db")).execute("SELECT count(*) FROM parents").fetchall() == [(5,)]
    assert resource.getrlimit(resource.RLIMIT_FSIZE) and signal.SIGXFSZ


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("kind_of", FILES)
def test_a_bundle_whose_rows_are_lost_or_cut_is_said_to_be_damaged(bundle: Bundle, tmp_path: Path, kind_of: str, there: bool) -> None:
    [path] = bundle.table(bundle.schema.tables[0].name).paths()
    cut = path.read_bytes()[:-9]
    path.unlink()
    if there:
        path.write_bytes(cut)
    with pytest.raises(CheckFailed, match=f"blob sha256:{path.name} with rows of table .*(is missing|`companyos bundle verify`)"):
        provisioning.load(bundle, f"{kind_of}:///{tmp_path / 'out.db'}")
    assert not (tmp_path / "out.db").exists()


def test_a_reference_in_place_of_a_bundle_is_told_how_to_open_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give it bundles.open\('synthetic:v1'\)"):
        provisioning.load("synthetic:v1", f"sqlite:///{tmp_path / 'a.db'}")  # type: ignore[arg-type]
