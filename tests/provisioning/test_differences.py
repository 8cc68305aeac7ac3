"""What differs between a database and the bundle that it was loaded from, counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import ask
from loading_sources import build, complete, kinds_rows, kinds_table, shop, shop_rows, simple, simple_rows

from provisioning import load
from provisioning.differences import Difference, changed_since
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType


def test_a_database_that_nobody_changed_does_not_differ_whatever_it_holds(url: str, store: Path) -> None:
    schema = Schema("all", (kinds_table(), *shop().tables), enums=shop().enums)
    bundle = build(schema, {"kinds": kinds_rows(), **complete(shop_rows())}, store)
    load(bundle, url)
    assert changed_since(url, bundle) == {}


def test_rows_are_counted_by_what_became_of_them(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    load(bundle, url)
    ask(
        url,
        "DELETE FROM children WHERE id IN (0, 1)",
        "INSERT INTO children VALUES (70, 3, '2020-01-01')",
        "UPDATE children SET born = '1999-01-01' WHERE id = 4",
        "UPDATE children SET born = born WHERE id = 3",
    )
    assert changed_since(url, bundle) == {"children": Difference(added=1, removed=2, changed=1)}


def test_a_row_put_back_as_it_was_is_no_difference(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    load(bundle, url)
    ask(url, "DELETE FROM children WHERE id = 2", "INSERT INTO children VALUES (2, 2, '2020-01-03')")
    assert changed_since(url, bundle) == {}


def test_moved_times_are_no_difference_where_the_weeks_are_said(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    receipt = load(bundle, url, as_of="2030-01-01")
    assert changed_since(url, bundle, weeks=receipt.shifted_weeks) == {}
    assert changed_since(url, bundle) == {"children": Difference(changed=5)}


def test_tables_and_columns_that_came_or_went_are_differences(url: str, store: Path) -> None:
    bundle = build(simple(), simple_rows(), store)
    load(bundle, url)
    ask(
        url,
        "CREATE TABLE visits (id INTEGER)",
        "INSERT INTO visits VALUES (1), (1)",
        "DROP TABLE children",
        "ALTER TABLE parents ADD COLUMN x TEXT",
    )
    assert changed_since(url, bundle) == {
        "children": Difference(removed=5, altered=True),
        "parents": Difference(altered=True),
        "visits": Difference(added=2, altered=True),
    }


@pytest.mark.parametrize("keyed", [True, False])
def test_rows_without_a_key_are_compared_as_a_whole(url: str, store: Path, keyed: bool) -> None:
    columns = (Column("a", SqlType("bigint")), Column("b", SqlType("text"), null=0.1))
    schema = Schema("s", (Table("things", columns, Rows(4), key=("a",) if keyed else ()),))
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": None}, {"a": 3, "b": "x"}]
    bundle = build(schema, {"things": rows if keyed else [*rows, {"a": 1, "b": "x"}]}, store)
    load(bundle, url)
    ask(url, "UPDATE things SET b = 'y' WHERE a = 2")
    assert changed_since(url, bundle) == {"things": Difference(changed=1) if keyed else Difference(added=1, removed=1)}
