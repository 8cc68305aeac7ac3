"""Where a subset starts: conditions, percentages, children on request, tables that come whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from subsets import chosen, kept, made

from masking.source import open_source


@pytest.fixture
def shop(tmp_path: Path) -> str:
    return made(
        tmp_path / "shop.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, country TEXT, invited_by INTEGER REFERENCES users)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users)",
        "CREATE TABLE lines (order_id INTEGER NOT NULL REFERENCES orders, n INTEGER NOT NULL)",
        "CREATE TABLE settings (name TEXT PRIMARY KEY, user_id INTEGER REFERENCES users)",
        rows={
            "users": [(i, "DE" if i % 4 == 0 else "FR", None) for i in range(400)],
            "orders": [(i, i % 400) for i in range(4000)],
            "lines": [(i % 4000, i // 4000) for i in range(12_000)],
            "settings": [("theme", 7), ("size", None)],
        },
    )


def test_a_percentage_is_of_the_rows_that_the_condition_accepts_rounded_up(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "users", "where": "country = 'DE'", "percent": 10.5})
        assert found.counts["users"] == 11
        assert all(i % 4 == 0 for i in kept(source, found, "users", "id"))


def test_a_percentage_draws_the_same_rows_under_the_same_secret_and_others_under_another(shop: str) -> None:
    with open_source(shop) as source:
        first, again, other = (
            kept(source, chosen(source, {"root": "users", "percent": 20}, secret=secret), "users", "id")
            for secret in (b"one secret", b"one secret", b"another one")
        )
    assert first == again
    # 80 of 400 twice alike by chance: less than 1e-80
    assert first != other


def test_a_larger_percentage_holds_a_smaller_one(shop: str) -> None:
    with open_source(shop) as source:
        small, large = (set(kept(source, chosen(source, {"root": "users", "percent": p}), "users", "id")) for p in (5, 25))
    assert len(small) == 20
    assert small < large


def test_the_rows_of_a_table_without_a_key_are_drawn_too(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "lines", "percent": 1})
        assert found.counts["lines"] == 120
        assert set(kept(source, found, "lines", "order_id")) == set(kept(source, found, "orders", "id"))


def test_children_come_on_request_so_many_for_each_parent(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "users", "where": "id < 10", "children": {"orders": 3, "orders.lines": "all"}})
        orders = kept(source, found, "orders", "id", "user_id")
        assert Counter(user for _, user in orders) == dict.fromkeys(range(10), 3)
        assert found.counts["lines"] == 3 * len(orders)
        assert set(kept(source, found, "lines", "order_id")) == {order for order, _ in orders}
        assert found.counts["users"] == 10

        assert {i for i, _ in orders} != {u + 400 * k for u in range(10) for k in range(3)}, "drawn, not the first"


def test_children_without_a_key_are_limited_too(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "orders", "where": "id < 10", "children": {"lines": 2}})
        assert Counter(kept(source, found, "lines", "order_id")) == dict.fromkeys(range(10), 2)


def test_a_limit_counts_by_each_reference_and_keeps_what_there_is(tmp_path: Path) -> None:
    url = made(
        tmp_path / "two.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE deals (id INTEGER PRIMARY KEY, buyer INTEGER REFERENCES users, seller INTEGER REFERENCES users)",
        rows={"users": [(1,), (2,), (3,)], "deals": [(i, 1, 2) for i in range(5)] + [(9, 3, 1)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "users", "where": "id = 1", "children": {"deals": 2}})
        deals = kept(source, found, "deals", "buyer", "seller")
        assert sorted(deals) == [(1, 2), (1, 2), (3, 1)]
        assert kept(source, found, "users", "id") == [1, 2, 3]


def test_rows_that_come_along_bring_no_children(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "orders", "where": "id = 5"})
        assert found.counts == {"users": 1, "orders": 1, "lines": 0, "settings": 0}


def test_a_table_comes_whole_with_what_it_references(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "users", "where": "id = 1", "whole": ["settings"]})
        assert kept(source, found, "settings", "name") == ["size", "theme"]
        assert kept(source, found, "users", "id") == [1, 7]


def test_any_part_of_a_table_can_be_asked_for(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "users", "where": "id % 3 = 1"})
        for first, rows in ((0, 400), (7, 9), (399, 1), (400, 0)):
            assert found.rows("users", first, rows).to_pylist() == [i % 3 == 1 for i in range(first, first + rows)]
        assert found.rows("lines", 5, 3).to_pylist() == [False] * 3


def test_self_references_are_children_of_one_step(tmp_path: Path) -> None:
    url = made(
        tmp_path / "tree.db",
        "CREATE TABLE nodes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES nodes)",
        rows={"nodes": [(i, i // 2 if i > 1 else None) for i in range(1, 64)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "nodes", "where": "id = 4", "children": {"nodes": "all", "nodes.nodes": 1}})
        ids = kept(source, found, "nodes", "id")
        assert ids[:5] == [1, 2, 4, 8, 9]
        assert [i // 4 for i in ids[5:]] == [4, 4] and ids[5] // 2 != ids[6] // 2


def test_nothing_accepted_is_an_empty_subset(shop: str) -> None:
    with open_source(shop) as source:
        found = chosen(source, {"root": "users", "where": "id < 0", "percent": 50, "children": {"orders": 1}})
        assert set(found.counts.values()) == {0}
