"""Snapshots: what a database holds now becomes a bundle, whatever the user did to rows and tables, and restores to equal data anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from databases import ask, file_of
from loading_sources import (
    ArrowSource,
    arrow_table,
    build,
    complete,
    kinds_rows,
    kinds_table,
    shop,
    shop_rows,
    simple,
    simple_rows,
)

import bundles
from bundles import Bundle
from provisioning import load
from provisioning.errors import SchemaRefused, TargetFailure
from provisioning.snapshots import present
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType
from tests.spread import one_in


def snapshot(url: str, bundle: Bundle, store: Path, tag: str = "snapshot:v1", weeks: int = 0) -> Bundle:
    with present(url, bundle, shifted_weeks=weeks) as source:
        return bundles.build(source, store=store, tag=tag)


def loaded(url: str, schema: Schema, rows: dict[str, list[dict[str, Any]]], store: Path) -> Bundle:
    bundle = build(schema, rows, store)
    load(bundle, url)
    return bundle


def values(bundle: Bundle, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = bundle.table(table).to_arrow().to_pylist()
    return rows


@pytest.mark.parametrize("second", one_in(2, ["duckdb", "sqlite", "postgresql"]))
def test_a_snapshot_restores_to_equal_data_in_any_database(
    request: pytest.FixtureRequest, url: str, second: str, store: Path, tmp_path: Path
) -> None:
    schema = Schema("all", (kinds_table(), *shop().tables), enums=shop().enums)
    bundle = loaded(url, schema, {"kinds": kinds_rows(), **complete(shop_rows())}, store)
    ask(url, "UPDATE kinds SET text = 'changed' WHERE id = 5", "DELETE FROM kinds WHERE id = 12")
    taken = snapshot(url, bundle, store)
    assert taken.content_digest != bundle.content_digest
    assert [row["id"] for row in values(taken, "kinds")] == [-3, 5, 6, 7]
    other = request.getfixturevalue("another_postgres_url") if second == "postgresql" else f"{second}:///{tmp_path / 'second.db'}"
    receipt = load(taken, other)
    assert receipt.content_digest == taken.content_digest
    again = snapshot(other, taken, store, "snapshot:v2")
    assert {n: t.columns for n, t in again.tables.items()} == {n: t.columns for n, t in taken.tables.items()}
    assert again.content_digest == taken.content_digest
    assert bundles.verify(taken).ok


def test_the_order_in_which_rows_were_written_does_not_show(url: str, store: Path) -> None:
    bundle = loaded(url, simple(), simple_rows(), store)
    before = snapshot(url, bundle, store)
    ask(url, "DELETE FROM children WHERE id = 1", "INSERT INTO children VALUES (1, 1, '2020-01-02')")
    assert snapshot(url, bundle, store, "snapshot:v2").manifest_digest == before.manifest_digest


def test_kind_class_and_lineage_are_inherited_and_nothing_personal_is_added(url: str, store: Path) -> None:
    plain = simple()
    parents = plain.table("parents")
    name = replace(parents.column("name"), data_class="personal")
    schema = replace(plain, tables=(replace(parents, columns=(parents.columns[0], name)), plain.table("children")))
    tables = {t.name: arrow_table(t, simple_rows()[t.name]) for t in schema.tables}
    bundle = bundles.build(ArrowSource(schema, tables, "sanitized", {"certificate": {"policy": "p"}}), store=store)
    load(bundle, url)
    ask(url, "ALTER TABLE children ADD COLUMN note TEXT")
    taken = snapshot(url, bundle, store)
    assert (taken.kind, taken.data_class) == ("sanitized", "personal")
    assert taken.schema.table("parents").column("name").data_class == "personal"
    assert taken.schema.table("children").column("born").data_class == "internal"
    assert taken.schema.table("children").column("note").data_class == "personal"
    of = taken.provenance["snapshot_of"]
    assert of["manifest_digest"] == bundle.manifest_digest
    assert of["provenance"] == bundle.provenance
    assert "certificate" not in taken.provenance  # it speaks of other values than these


def test_tables_and_columns_of_migrations_are_in_the_snapshot(url: str, store: Path) -> None:
    bundle = loaded(url, simple(), simple_rows(), store)
    ask(
        url,
        "CREATE TABLE badges (code VARCHAR(20) NOT NULL PRIMARY KEY, parent_id BIGINT REFERENCES parents (id), weight NUMERIC(6,2), given DATE)",
        "INSERT INTO badges VALUES ('b', 1, 1.25, '2024-02-29'), ('a', NULL, NULL, NULL)",
        "ALTER TABLE parents ADD COLUMN score DOUBLE PRECISION"
        if url.startswith("post")
        else "ALTER TABLE parents ADD COLUMN score DOUBLE",
        "UPDATE parents SET score = 0.5 WHERE id = 3",
    )
    taken = snapshot(url, bundle, store)
    badges = taken.schema.table("badges")
    assert badges.key == ("code",)
    assert [(k.columns, k.table, k.target) for k in badges.foreign_keys] == [(("parent_id",), "parents", ("id",))]
    assert [row["code"] for row in values(taken, "badges")] == ["a", "b"]
    assert [row["score"] for row in values(taken, "parents")] == [None, None, None, 0.5, None]
    assert bundles.verify(taken).ok


def test_dropped_tables_and_columns_are_gone_with_what_hung_on_them(url: str, store: Path) -> None:
    bundle = loaded(url, simple(), simple_rows(), store)
    if url.startswith("postgresql"):
        ask(url, "DROP TABLE parents CASCADE")
    else:  # which know no CASCADE
        ask(
            url,
            "CREATE TABLE copy AS SELECT * FROM children",
            "DROP TABLE children",
            "DROP TABLE parents",
            "ALTER TABLE copy RENAME TO children",
        )
    ask(url, "ALTER TABLE children DROP COLUMN born")
    taken = snapshot(url, bundle, store)
    assert [t.name for t in taken.schema.tables] == ["children"]
    assert [c.name for c in taken.schema.table("children").columns] == ["id", "parent_id"]
    assert taken.schema.table("children").foreign_keys == ()
    assert "table parents: dropped" in taken.provenance["left_out"]


def test_a_constraint_stays_where_rows_keep_it_and_goes_where_they_break_it(url: str, store: Path) -> None:
    bundle = loaded(url, simple(), simple_rows(), store)

    def without_constraints(table: str) -> None:
        columns = "id BIGINT, parent_id BIGINT, born DATE" if table == "children" else "id BIGINT, name TEXT"
        ask(
            url,
            f"CREATE TABLE copy ({columns})",
            f"INSERT INTO copy SELECT * FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE copy RENAME TO {table}",
        )

    without_constraints("children")
    kept = snapshot(url, bundle, store)
    assert [k.table for k in kept.schema.table("children").foreign_keys] == ["parents"]
    ask(url, "INSERT INTO children VALUES (99, 77, NULL), (99, 78, NULL)")
    broken = snapshot(url, bundle, store, "snapshot:v2")
    assert broken.schema.table("children").foreign_keys == ()
    assert broken.schema.table("children").key == ()
    assert broken.schema.table("children").column("born").nullable
    assert "table children: the reference (parent_id) to parents" in broken.provenance["left_out"]


def test_a_dropped_check_stays_where_rows_keep_it_and_goes_where_they_break_it(postgres_url: str, store: Path) -> None:
    bundle = loaded(postgres_url, shop(), complete(shop_rows()), store)
    names = ask(postgres_url, "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'customers'::regclass")
    assert len(names) == 3
    ask(postgres_url, *(f'ALTER TABLE customers DROP CONSTRAINT "{name}"' for (name,) in names))
    assert len(snapshot(postgres_url, bundle, store).schema.table("customers").checks) == 3
    ask(postgres_url, "UPDATE customers SET email = 'nowhere' WHERE id = (SELECT min(id) FROM customers)")
    taken = snapshot(postgres_url, bundle, store, "snapshot:v2")
    assert len(taken.schema.table("customers").checks) == 2
    assert "table customers: the check looks like mail" in taken.provenance["left_out"]


def test_a_type_that_no_bundle_holds_is_named(url: str, store: Path) -> None:
    type = {"duckdb": "STRUCT(a INTEGER)", "sqlite": "GEOMETRY", "postgresql": "inet"}[url.partition(":")[0]]
    bundle = loaded(url, simple(), simple_rows(), store)
    ask(url, f"ALTER TABLE parents ADD COLUMN odd {type}")
    with pytest.raises(SchemaRefused, match="table 'parents', column 'odd'"):
        snapshot(url, bundle, store)


def test_rows_that_a_policy_hides_stop_the_snapshot(postgres_url: str, store: Path) -> None:
    bundle = loaded(postgres_url, simple(), simple_rows(), store)
    role = f"snapshots_{os.getpid()}"
    ask(postgres_url, f"CREATE ROLE {role}", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        as_role = f"{postgres_url}&options=-c%20role%3D{role}"
        assert snapshot(as_role, bundle, store).config.rows == bundle.config.rows
        ask(postgres_url, "ALTER TABLE children ENABLE ROW LEVEL SECURITY")
        with pytest.raises(TargetFailure, match='row-level security policy for table "children"'):
            snapshot(as_role, bundle, store)
    finally:
        ask(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_values_beyond_the_type_that_a_database_does_not_enforce_widen_it(url: str, store: Path) -> None:
    columns = (Column("id", SqlType("bigint")), Column("code", SqlType("varchar", length=3)), Column("small", SqlType("smallint")))
    schema = Schema("s", (Table("things", columns, Rows(1), key=("id",)),))
    bundle = loaded(url, schema, {"things": [{"id": 1, "code": "abc", "small": 1}]}, store)
    if url.startswith("sqlite"):
        ask(url, "UPDATE things SET code = 'longer', small = 70000")
    elif url.startswith("duckdb"):
        ask(url, "UPDATE things SET code = 'longer'")
    taken = snapshot(url, bundle, store)
    assert bundles.verify(taken).ok
    things = taken.schema.table("things")
    assert things.column("code").type.kind == ("varchar" if url.startswith("post") else "text")
    assert things.column("small").type.kind == ("bigint" if url.startswith("sqlite") else "smallint")


def test_the_anchor_moves_with_the_times(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    receipt = load(bundle, url, as_of="2031-05-06")
    taken = snapshot(url, bundle, store, weeks=receipt.shifted_weeks)
    day = datetime.fromtimestamp(taken.schema.anchor / 1e6, UTC).date()
    assert (datetime(2031, 5, 6).date() - day).days in range(7)


def test_our_own_tables_are_not_in_a_snapshot(url: str, store: Path) -> None:
    bundle = loaded(url, simple(), simple_rows(), store)
    before = snapshot(url, bundle, store)
    if url.startswith("sqlite"):
        ask(url, "CREATE TABLE companyos_sandbox_marker (sandbox TEXT)")
    else:
        ask(url, "CREATE SCHEMA companyos_sandbox", "CREATE TABLE companyos_sandbox.marker (sandbox TEXT)")
    assert snapshot(url, bundle, store).manifest_digest == before.manifest_digest


def test_a_duckdb_file_that_another_process_writes_is_refused_with_what_to_do(tmp_path: Path, store: Path) -> None:
    url = f"duckdb:///{tmp_path / 'a.duckdb'}"
    bundle = loaded(url, simple(), simple_rows(), store)
    script = f"import duckdb; c = duckdb.connect({str(file_of(url))!r}); print('open', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(TargetFailure, match="close it there and try again"):
        snapshot(url, bundle, store)
    process.communicate("\n")


def test_what_others_write_meanwhile_is_not_seen(another_postgres_url: str, store: Path) -> None:
    bundle = loaded(another_postgres_url, simple(), simple_rows(), store)
    with present(another_postgres_url, bundle) as source:
        source.read("parents").read_all()
        ask(another_postgres_url, "DELETE FROM children")
        assert source.read("children").read_all().num_rows == 5
