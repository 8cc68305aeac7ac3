"""What is wrong in `subset:` and in virtual references is said, all at once, with the nearest word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from subsets import made

from masking.errors import PolicyInvalid
from masking.policy.model import VirtualReference
from masking.source import open_source
from masking.subset import Graph, read_subset, reference_graph, select
from schemas.errors import Mark
from schemas.model import Schema


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    url = made(
        tmp_path_factory.mktemp("spec") / "shop.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, country TEXT, email TEXT UNIQUE)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users)",
        'CREATE TABLE "sales.lines" (order_id INTEGER REFERENCES orders, payload JSON)',
    )
    with open_source(url) as source:
        return source.schema


@pytest.fixture(scope="module")
def graph(schema: Schema) -> Graph:
    return reference_graph(schema)


def test_a_whole_spec_is_read(graph: Graph) -> None:
    said = {"root": "users", "where": "country = 'DE'", "percent": 5, "children": {"orders.sales.lines": "all", "orders": 10}}
    spec = read_subset({**said, "whole": ["orders"]}, graph, "sqlite")
    assert (spec.root, spec.where, spec.percent, spec.whole) == ("users", "country = 'DE'", 5.0, ("orders",))
    assert [(c.path, c.limit) for c in spec.children] == [(("orders",), 10), (("orders", "sales.lines"), None)]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "`root:` must name the table to start from"),
        ({"root": "user"}, "there is no table 'user'; did you mean 'users'?"),
        ({"root": "users", "wher": "id = 1"}, "'wher' is not known here; did you mean 'where'?"),
        ({"root": "users", "where": "contry = 'DE'"}, "there is no column 'contry'; did you mean 'country'?"),
        ({"root": "users", "where": "country = "}, "this is not a SQL expression"),
        ({"root": "users", "where": "id IN (SELECT 1)"}, "not a query"),
        ({"root": "users", "where": 5}, "`where:` must be a SQL condition"),
        ({"root": "users", "percent": 0}, "`percent:` must be a number above 0 and at most 100"),
        ({"root": "users", "percent": 100.5}, "`percent:` must be"),
        ({"root": "users", "percent": True}, "`percent:` must be"),
        ({"root": "users", "percent": "5"}, "`percent:` must be"),
        ({"root": "users", "children": ["orders"]}, "`children:` must say how many"),
        ({"root": "users", "children": {"orders": 0}}, "must be a whole number from 1 on, or `all`"),
        ({"root": "users", "children": {"order": 1}}, "there is no table 'order'; did you mean 'orders'?"),
        ({"root": "users", "children": {"sales.lines": 1}}, "'sales.lines' has no reference to 'users'; those that have are orders"),
        ({"root": "users", "children": {"orders.sales.lines": 1}}, "children 'orders.sales.lines' need 'orders' before them"),
        ({"root": "users", "whole": "orders"}, "`whole:` must be a list of tables"),
        ({"root": "users", "whole": ["odrers"]}, "there is no table 'odrers'; did you mean 'orders'?"),
    ],
)
def test_what_is_wrong_is_said(graph: Graph, said: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyInvalid) as error:
        read_subset(said, graph, "sqlite", "crm.yaml", Mark(7, 1))
    assert message in str(error.value)
    assert str(error.value).startswith("crm.yaml:7:1: subset: ")


def test_every_problem_is_said_at_once(graph: Graph) -> None:
    with pytest.raises(PolicyInvalid) as error:
        read_subset({"root": "users", "percent": -1, "where": "nope = 1", "children": {"orders": "some"}}, graph, "sqlite")
    assert len(error.value.problems) == 3


def test_a_table_that_the_policy_drops_is_no_root(schema: Schema) -> None:
    with pytest.raises(PolicyInvalid, match="the table 'orders' is dropped by the policy"):
        read_subset({"root": "orders"}, reference_graph(schema, dropped=["orders"]), "sqlite")


def test_references_of_dropped_tables_are_no_edges(schema: Schema) -> None:
    assert [str(r) for r in reference_graph(schema).references] == ["orders.user_id to users.id", "sales.lines.order_id to orders.id"]
    assert reference_graph(schema, dropped=["orders"]).references == ()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (VirtualReference("order", ("user_id",), "users", ("id",)), "there is no table 'order'; did you mean 'orders'?"),
        (VirtualReference("orders", ("usr_id",), "users", ("id",)), "table 'orders' has no column 'usr_id'; did you mean 'user_id'?"),
        (VirtualReference("orders", ("user_id",), "users", ("idd",)), "table 'users' has no column 'idd'; did you mean 'id'?"),
        (VirtualReference("orders", ("user_id",), "users", ("country",)), "must go to a key or to unique columns, which users.country"),
        (VirtualReference("sales.lines", ("payload",), "users", ("id",), path="$.["), "is no path that can be followed"),
    ],
)
def test_what_is_wrong_in_a_virtual_reference_is_said(schema: Schema, reference: VirtualReference, message: str) -> None:
    with pytest.raises(PolicyInvalid) as error:
        reference_graph(schema, [reference])
    assert message in str(error.value)


def test_a_condition_that_the_database_refuses_is_the_policys_fault(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", "CREATE TABLE users (id INTEGER PRIMARY KEY)", rows={"users": [(1,)]})
    with open_source(url) as source:
        graph = reference_graph(source.schema)
        spec = read_subset({"root": "users", "where": "no_such_function(id)"}, graph, source.dialect)
        with pytest.raises(PolicyInvalid, match="condition on 'users': SQLite does not take it: no such function"):
            select(source, spec, graph, b"secret")
