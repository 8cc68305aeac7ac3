"""What a loaded database holds: the bundle's values, and everything the schema says, enforced by the database itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import ask, connect, contents, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loading_sources import (
    BIGINT,
    KINDS,
    ArrowSource,
    arrow_table,
    build,
    complete,
    kind,
    kinds_rows,
    kinds_table,
    shop,
    shop_rows,
    simple,
    simple_rows,
)

import bundles
import provisioning
from provisioning.errors import ConstraintBroken, ReadBackDiffers, SeedRefused, TargetInUse
from schemas.model import Check, Column, ForeignKey, Rows, Schema, Table
from schemas.types import SqlType

REFUSALS = {
    "a second row of one key": "INSERT INTO {customers} (id, email) VALUES (9, 'x@y')",
    "a second row of one unique value": "INSERT INTO {customers} (id, email) VALUES (90, 'a@example.com')",
    "a value that is not in the enum": "INSERT INTO {customers} (id, email, mood) VALUES (90, 'x@y', 'mad')",
    "a row that breaks a check": "INSERT INTO {customers} (id, email) VALUES (90, 'nothing')",
    "a row that breaks a check of times": "INSERT INTO {customers} (id, email, since) VALUES (90, 'x@y', '1999-01-01 00:00:00+00:00')",
    "a reference to itself that finds nothing": "INSERT INTO {customers} (id, email, referrer_id) VALUES (90, 'x@y', 91)",
    "a reference that finds nothing": "INSERT INTO {orders} (id, customer_id, net, tax, total, placed) VALUES (9, 1, 1, 1, 2, '2025-01-01')",
    "money that does not add up": "INSERT INTO {orders} (id, customer_id, net, tax, total, placed) VALUES (9, 9, 0.1, 0.2, 0.31, '2025-01-01')",
    "a check over many digits": "INSERT INTO {orders} (id, customer_id, net, tax, total, placed, exact) VALUES (9, 9, 1, 1, 2, '2025-01-01', '100')",
    "a null": "INSERT INTO {orders} (id, customer_id, net, tax, total) VALUES (9, 9, 1, 1, 2)",
    "a second row of a composite key": "INSERT INTO {lines} VALUES (3, 2, NULL)",
    "a reference to a unique column that finds nothing": "INSERT INTO {lines} VALUES (3, 7, 'Z')",
    "a second row of a unique index": "INSERT INTO {orders} (id, customer_id, net, tax, total, placed) SELECT 4, 9, 1, 1, 2, placed FROM {orders} WHERE 1 = 0 UNION ALL SELECT 1, 9, 1, 1, 2, '2025-01-07'",
    "a composite reference that finds nothing": "INSERT INTO pairs VALUES (5, 'q', 2, 'x')",
}


def named(url: str, statement: str) -> str:
    return statement.format(customers="customers", orders=table(url, "sales.orders"), lines=table(url, "sales.order lines"))


def test_every_type_comes_back_as_it_was(url: str, store: Path) -> None:
    bundle = build(Schema("kinds", (kinds_table(),)), {"kinds": kinds_rows()}, store)
    receipt = provisioning.load(bundle, url)
    assert receipt.content_digest == bundle.content_digest
    assert receipt.tables == {"kinds": 5}
    assert ask(url, 'SELECT id, "bigint" FROM kinds ORDER BY id')[1:3] == [(5, None), (6, -(2**63))]


def test_numbers_and_times_mean_the_same_in_the_database(url: str, store: Path) -> None:
    bundle = build(Schema("kinds", (kinds_table(),)), {"kinds": kinds_rows()}, store)
    provisioning.load(bundle, url)
    assert ask(url, "SELECT count(*) FROM kinds WHERE numeric_narrow < -1") == [(2,)]
    assert ask(url, "SELECT count(*) FROM kinds WHERE \"date\" = '9999-12-31' AND boolean = false") == [(1,)]
    assert ask(url, "SELECT count(*) FROM kinds WHERE uuid = 'ffffffff-ffff-4fff-bfff-fffffffffffe'") == [(1,)]
    assert ask(url, "SELECT count(*) FROM kinds WHERE \"timestamptz\" < '1999-01-01 00:00:00+00:00'") == [(2,)]


def test_the_database_enforces_every_constraint(url: str, store: Path) -> None:
    bundle = build(shop(), complete(shop_rows()), store)
    receipt = provisioning.load(bundle, url)
    assert receipt.content_digest == bundle.content_digest
    left_out = {n.what for n in receipt.not_enforced}
    before = contents(url)
    for what, statement in REFUSALS.items():
        if url.startswith("duckdb") and what in ("a reference that finds nothing", "a reference to a unique column that finds nothing"):
            continue  # DuckDB takes no reference to another namespace, and the receipt says so
        with pytest.raises(Exception) as refusal:
            ask(url, named(url, statement))
        assert type(refusal.value).__name__ not in ("ParserException", "BinderException", "OperationalError", "SyntaxError"), what
    assert contents(url) == before
    if url.startswith("duckdb"):
        assert left_out == {
            "foreign key (customer_code) references customers (code)",
            "foreign key (customer_id) references customers (id)",
            "foreign key (lead_id) references people (id)",
        }
    else:
        assert left_out == set()


def test_rows_can_be_added_after_the_load(url: str, store: Path) -> None:
    provisioning.load(build(shop(), complete(shop_rows()), store), url)
    orders = table(url, "sales.orders")
    ask(url, "INSERT INTO customers (email, referrer_id) VALUES ('new@example.com', 9)")
    ask(url, f"INSERT INTO {orders} (customer_id, net, tax, total, placed) VALUES (41, 0.1, 0.2, 0.3, '2025-03-01')")
    ask(url, "INSERT INTO empty (a) VALUES (5)")
    assert ask(url, "SELECT id, mood FROM customers WHERE email = 'new@example.com'") == [(41, "calm")]
    assert ask(url, "SELECT count(*) FROM customers WHERE since IS NULL OR token IS NULL") == [(0,)]
    [(number, doubled)] = ask(url, f"SELECT id, double_net FROM {orders} WHERE customer_id = 41")
    assert (number, float(doubled)) == (4, 0.2)
    assert ask(url, "SELECT id FROM empty") == [(1,)]


def test_rows_can_be_added_to_a_cycle_in_which_every_key_is_not_null(url: str, store: Path) -> None:
    provisioning.load(build(shop(), complete(shop_rows()), store), url)
    steps = ["BEGIN", "INSERT INTO teams VALUES (3, 3)", "INSERT INTO people VALUES (3, 3)", "COMMIT"]
    if url.startswith("postgresql"):
        steps.insert(1, "SET CONSTRAINTS ALL DEFERRED")
    ask(url, *steps)
    assert ask(url, "SELECT count(*) FROM people") == [(3,)]


def test_postgresql_and_sqlite_refuse_a_broken_cycle(request: pytest.FixtureRequest, tmp_path: Path, store: Path) -> None:
    bundle = build(shop(), complete(shop_rows()), store)
    for url in (request.getfixturevalue("postgres_url"), f"sqlite:///{tmp_path / 't.db'}"):
        provisioning.load(bundle, url)
        for statement in ("UPDATE people SET team_id = 9", "UPDATE teams SET lead_id = 9"):
            with pytest.raises(Exception, match=r"(?i)foreign key"):
                ask(url, statement)


def test_comments_and_indexes_are_there(url: str, store: Path) -> None:
    provisioning.load(build(shop(), complete(shop_rows()), store), url)
    if url.startswith("duckdb"):
        assert ask(url, "SELECT comment FROM duckdb_tables() WHERE table_name = 'customers'") == [("people who buy",)]
        assert ask(url, "SELECT count(*) FROM duckdb_indexes()") == [(2,)]
    elif url.startswith("sqlite"):
        [(made,)] = ask(url, "SELECT sql FROM sqlite_master WHERE name = 'customers'")
        assert "/* people who buy */" in made
        assert "/* where to write; it's * / odd */" in made
        assert ask(url, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") == [(2,)]
    else:
        assert ask(url, "SELECT obj_description('customers'::regclass)") == [("people who buy",)]
        assert ask(url, "SELECT col_description('customers'::regclass, 2)") == [("where to write; it's */ odd",)]
        assert ask(url, "SELECT count(*) FROM pg_indexes WHERE schemaname = 'sales' AND indexdef LIKE '%placed%'") == [(2,)]
        assert ask(url, "SELECT count(*) FROM pg_constraint WHERE conname IN ('customer of order', 'one email', 'looks like mail')") == [
            (3,)
        ]


def test_a_target_that_holds_a_table_of_the_bundle_is_refused(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    ask(url, "CREATE TABLE children (x integer)", "INSERT INTO children VALUES (1)")
    before = contents(url)
    with pytest.raises(TargetInUse, match=r"children.*--replace"):
        provisioning.load(bundle, url)
    assert contents(url) == before


def test_replace_replaces_the_tables_of_the_bundle_and_no_others(url: str, store: Path) -> None:
    ask(url, "CREATE TABLE other (x integer)", "INSERT INTO other VALUES (1)")
    provisioning.load(build(shop(), complete(shop_rows()), store), url)
    receipt = provisioning.load(build(shop(), complete(shop_rows()), store), url, replace=True)
    assert receipt.tables["customers"] == 3
    ask(url, "INSERT INTO customers (email) VALUES ('new@example.com')")
    assert ask(url, "SELECT max(id) FROM customers") == [(41,)]
    assert ask(url, "SELECT x FROM other") == [(1,)]


def test_tables_that_others_depend_on_are_not_replaced(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    provisioning.load(bundle, url)
    ask(url, "CREATE TABLE mine (parent_id bigint REFERENCES parents (id))", "INSERT INTO mine VALUES (4)")
    before = contents(url)
    smaller = build(simple(3), simple_rows(3), store)
    with pytest.raises(TargetInUse, match="mine"):
        provisioning.load(smaller, url, replace=True)
    assert contents(url) == before


def test_a_view_in_the_place_of_a_table_is_kept(url: str, store: Path) -> None:
    ask(url, "CREATE VIEW parents AS SELECT 1 AS id")
    with pytest.raises(TargetInUse, match="view"):
        provisioning.load(build(simple(), simple_rows(), store), url, replace=True)
    assert ask(url, "SELECT id FROM parents") == [(1,)]


def test_a_bundle_whose_time_is_over_is_refused(url: str, store: Path) -> None:
    held, end = contents(url), datetime(2030, 1, 1, tzinfo=UTC)
    tables = {t.name: arrow_table(t, simple_rows()[t.name]) for t in simple().tables}
    with pytest.raises(SeedRefused, match="expired at 2020-01-01 00:00 UTC"):
        provisioning.load(bundles.build(ArrowSource(simple(), tables), store=store, expires=end.replace(year=2020)), url)
    bundle = bundles.build(ArrowSource(simple(), tables), store=store, expires=end)
    with pytest.raises(SeedRefused, match="expired at 2030-01-01 00:00 UTC"):
        provisioning.load(bundle, url, now=end)
    assert contents(url) == held
    assert provisioning.load(bundle, url, now=end.replace(year=2029)).content_digest == bundle.content_digest


@pytest.mark.parametrize("replace", [False, True])
def test_a_row_without_its_parent_stops_the_load_and_leaves_the_target(url: str, store: Path, replace: bool) -> None:
    if replace:
        provisioning.load(build(simple(), simple_rows(mark="old"), store), url)
    before = contents(url)
    bundle = build(simple(), simple_rows(orphan=True), store)
    with pytest.raises(ConstraintBroken, match=r"children|parent_id"):
        provisioning.load(bundle, url, replace=replace)
    assert contents(url) == before


def test_values_that_come_back_different_stop_the_load(url: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = build(simple(), simple_rows(), store)
    other = build(simple(), simple_rows(mark="x"), store)
    monkeypatch.setattr(bundles.Bundle, "tables", other.tables)
    with pytest.raises(ReadBackDiffers, match="'parents', column 'name'"):
        provisioning.load(bundle, url)
    assert contents(url) == {}


def test_a_row_too_few_stops_the_load(url: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = build(simple(), simple_rows(), store)
    monkeypatch.setattr(bundles.Bundle, "tables", build(simple(6), simple_rows(6), store).tables)
    with pytest.raises(ReadBackDiffers, match="5 rows where the bundle has 6"):
        provisioning.load(bundle, url)
    assert contents(url) == {}


def test_an_interrupt_passes_through_and_leaves_the_target(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    for stage in ("load", "check"):

        def interrupt(progress: bundles.Progress, stage: str = stage) -> None:
            if progress.stage == stage and progress.table == "children":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            provisioning.load(bundle, url, on_progress=interrupt)
        assert contents(url) == {}
    provisioning.load(bundle, url)


def test_progress_counts_every_row_twice(url: str, store: Path) -> None:
    seen: list[bundles.Progress] = []
    provisioning.load(build(simple(3000), simple_rows(3000), store), url, on_progress=seen.append)
    for stage in ("load", "check"):
        rows = [p.rows for p in seen if p.stage == stage]
        assert rows == sorted(rows)
        assert rows[-1] == 6000
        assert {p.total for p in seen} == {6000}


def test_many_rows_keep_their_order_though_keys_do_not_rise(url: str, store: Path) -> None:
    count = 150_000
    rows = {
        "parents": [{"id": (n * 7919) % count, "name": str(n)} for n in range(count)],
        "children": [{"id": n, "parent_id": n, "born": None} for n in range(count)],
    }
    children = simple().table("children")
    nullable = Table(
        "children",
        (*children.columns[:2], Column("born", kind("date"), null=1.0)),
        Rows(count),
        key=("id",),
        foreign_keys=children.foreign_keys,
    )
    bundle = build(Schema("many", (simple().table("parents"), nullable)), rows, store)
    assert provisioning.load(bundle, url).content_digest == bundle.content_digest


def test_chains_and_circles_of_rows_are_loaded_too(url: str, store: Path) -> None:
    def chained(name: str) -> Table:
        columns = (Column("id", BIGINT), Column("before", BIGINT, null=0.1))
        return Table(name, columns, Rows(300), key=("id",), foreign_keys=(ForeignKey(("before",), name, ("id",)),))

    rows = {
        "chain": [{"id": n, "before": n + 1 if n < 299 else None} for n in range(300)],
        "circle": [{"id": n, "before": (n + 1) % 300} for n in range(300)],
    }
    bundle = build(Schema("chains", (chained("chain"), chained("circle"))), rows, store)
    receipt = provisioning.load(bundle, url)
    assert receipt.content_digest == bundle.content_digest
    left_out = [(n.table, n.query is not None) for n in receipt.not_enforced]
    assert left_out == ([("chain", True), ("circle", True)] if url.startswith("duckdb") else [])


def test_what_a_target_cannot_enforce_is_on_the_receipt(tmp_path: Path, store: Path) -> None:
    words = Table("words", (Column("word", kind("text")),), Rows(1), key=("word",), checks=(Check("word ~ '^[a-z]+$'"),))
    bundle = build(Schema("words", (words,)), {"words": [{"word": "abc"}]}, store)
    sqlite = provisioning.load(bundle, f"sqlite:///{tmp_path / 'a.db'}").to_json()
    assert [(n["table"], n["what"], n["verified"]) for n in sqlite["not_enforced"]] == [("words", "check word ~ '^[a-z]+$'", False)]
    duckdb = provisioning.load(bundle, f"duckdb:///{tmp_path / 'b.db'}")
    assert duckdb.not_enforced == ()


def test_why_duckdb_enforces_something_not_is_in_plain_words(tmp_path: Path, store: Path) -> None:
    checks = {
        "pg_column_size(word) < 99": "DuckDB has no function pg_column_size",
        "bit_count(word) < 99": "DuckDB has no bit_count(VARCHAR)",
        "trim(word) > now()": "DuckDB compares no VARCHAR with TIMESTAMP WITH TIME ZONE",
        "word !~ '(?=x)'": "DuckDB does not take it: invalid perl operator: (?=",
    }
    words = Table("words", (Column("word", kind("text")),), Rows(1), key=("word",), checks=tuple(map(Check, checks)))
    receipt = provisioning.load(build(Schema("words", (words,)), {"words": [{"word": "abc"}]}, store), f"duckdb:///{tmp_path / 'a.db'}")
    assert {n.what.removeprefix("check "): n.reason for n in receipt.not_enforced} == checks


def test_a_key_that_duckdb_cannot_declare_is_verified_by_query(tmp_path: Path, store: Path) -> None:
    rows = complete(shop_rows())
    rows["teams"][0]["lead_id"] = 77
    target = tmp_path / "t.db"
    with pytest.raises(ConstraintBroken, match=r"'teams': 1 row breaks .* references people"):
        provisioning.load(build(shop(), rows, store), f"duckdb:///{target}")
    assert not target.exists()


@pytest.mark.parametrize("version", [15, None])
def test_checks_that_take_a_newer_server_are_left_out(
    postgres_url: str, store: Path, monkeypatch: pytest.MonkeyPatch, version: int | None
) -> None:
    if version is not None:
        monkeypatch.setattr("provisioning.loaders.postgresql._version", lambda _: version)
    notes = Table("notes", (Column("said", SqlType("text")),), Rows(1), checks=(Check("json_valid(said)"),))
    receipt = provisioning.load(build(Schema("s", (notes,)), {"notes": [{"said": "{}"}]}, store), postgres_url)
    assert [n.what for n in receipt.not_enforced] == (["check json_valid(said)"] if version else [])


def test_an_enum_type_is_shared_and_kept(postgres_url: str, store: Path) -> None:
    moods = SqlType("enum", values=("a", "b"), name="mood")

    def schema(name: str, values: SqlType = moods) -> Schema:
        return Schema(name, (Table(name, (Column("id", BIGINT), Column("mood", values)), Rows(1), key=("id",)),))

    for name in ("one", "two"):
        provisioning.load(build(schema(name), {name: [{"id": 1, "mood": "b"}]}, store), postgres_url)
    assert ask(postgres_url, "SELECT count(*) FROM one JOIN two USING (mood)") == [(1,)]
    changed = schema("one", SqlType("enum", values=("b", "c"), name="mood"))
    with pytest.raises(TargetInUse, match="two"):
        provisioning.load(build(changed, {"one": [{"id": 1, "mood": "c"}]}, store), postgres_url, replace=True)
    assert ask(postgres_url, "SELECT mood::text FROM one") == [("b",)]
    ask(postgres_url, "DROP TABLE two")
    provisioning.load(build(changed, {"one": [{"id": 1, "mood": "c"}]}, store), postgres_url, replace=True)
    assert ask(postgres_url, "SELECT mood::text FROM one") == [("c",)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=15))
def test_any_name_will_do(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    odd = Table(name, (Column("id", BIGINT), Column(f"{name}!", BIGINT)), Rows(1), key=("id",), checks=())
    bundle = build(Schema("odd", (odd,)), {name: [{"id": 1, f"{name}!": 2}]}, folder)
    for dialect in ("duckdb", "sqlite"):
        provisioning.load(bundle, f"{dialect}:///{folder / dialect}")


def test_every_type_has_a_value_in_these_tests() -> None:
    from schemas.types import KINDS as ALL

    assert {type.kind for type, _ in KINDS.values()} == set(ALL)


def test_a_connection_sees_nothing_before_the_end(postgres_url: str, store: Path) -> None:
    with connect(postgres_url) as watcher:
        seen: list[int] = []

        def look(_: bundles.Progress) -> None:
            seen.append(watcher.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()[0])

        provisioning.load(build(simple(), simple_rows(), store), postgres_url, on_progress=look)
        assert set(seen) == {0}


def test_documents_are_compared_by_meaning(url: str, store: Path) -> None:
    documents = [
        '{"bb": 1, "a": {"z": [1, 2], "y": "x, \\"q\\": [1 , 2]"}}',
        '{"b":100.0,"a":1e2,"c":1e22,"d":12345678901234567890}',
        '["between documents 5bd5b2cf", "x,\\"between documents 5bd5b2cf\\""]',
        '"\\u00e9\\ud83e\\udd8a"',
        "[]",
        "null",
    ]
    texts = Table("texts", (Column("id", BIGINT), Column("doc", kind("json"))), Rows(6), key=("id",))
    bundle = build(Schema("s", (texts,)), {"texts": [{"id": n, "doc": d} for n, d in enumerate(documents)]}, store)
    assert provisioning.load(bundle, url).content_digest == bundle.content_digest


def test_a_document_that_comes_back_different_stops_the_load(url: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Table("texts", (Column("id", BIGINT), Column("doc", kind("json"))), Rows(1), key=("id",))
    one, other = (build(Schema("s", (texts,)), {"texts": [{"id": 1, "doc": doc}]}, store) for doc in ('{"a":1}', '{"a":2}'))
    monkeypatch.setattr(bundles.Bundle, "tables", other.tables)
    with pytest.raises(ReadBackDiffers, match="'texts', column 'doc'"):
        provisioning.load(one, url)
    assert contents(url) == {}
