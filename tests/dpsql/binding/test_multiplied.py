"""How many public rows may be put beside a private one is held before the data is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpsql.accounting import Limit
from dpsql.binding import bind, multiplied
from dpsql.binding.multiplied import hold_product, multiplying
from dpsql.errors import QueryRefused
from dpsql.ledger import open_ledger
from dpsql.service import Service
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, tables

SHOP = shop()
THOUSANDS = dict.fromkeys(SHOP.public, 1000)


def held(rows: str) -> None:
    for release in bind(f"SELECT COUNT(*) FROM {rows}", SHOP).releases:
        hold_product(release.rows, THOUSANDS)


def values(rows: int, name: str) -> str:
    return f"(VALUES {', '.join(f'({n})' for n in range(rows))}) AS {name}(x)"


@pytest.mark.parametrize(
    "rows",
    [
        f"users u, {values(1000, 'a')}, {values(1000, 'b')}",
        "users u, products a, products b",
        "users u JOIN products a ON a.id = u.plan_id JOIN products b ON b.id = u.age, products c, products d",
        "products a, products b, products c, users u WHERE a.id = u.plan_id AND b.id = u.age AND c.id = u.visits",
        "users u JOIN (SELECT COUNT(*) AS n FROM products a, products b, products c) x ON x.n > u.age",
        f"users u WHERE EXISTS (SELECT 1 FROM products a, products b, {values(2, 'c')} WHERE a.id = u.plan_id)",
    ],
)
def test_what_a_key_joins_or_is_within_the_bound_is_understood(rows: str) -> None:
    held(rows)


@pytest.mark.parametrize(
    "rows",
    [
        f"users u, {values(1000, 'a')}, {values(1000, 'b')}, {values(2, 'c')}",
        f"users u, products a, products b, {values(2, 'c')}",
        f"products a, products b, {values(2, 'c')}, users u",
        f"users u LEFT JOIN products a ON a.id > u.age LEFT JOIN products b ON b.id > u.age JOIN {values(2, 'c')} ON c.x < u.age",
        f"(SELECT u.id FROM users u, products a) x, products b, {values(2, 'c')}",
        f"users u, (SELECT a.id, b.x FROM products a, {values(2, 'b')} GROUP BY a.id, b.x) y, products c",
        "users u, (SELECT id FROM products UNION ALL SELECT id FROM products) y, products c",
        f"users v WHERE v.id IN (SELECT u.id FROM users u, products a, products b, {values(2, 'c')})",
    ],
)
def test_too_many_public_rows_beside_each_private_one_are_refused(rows: str) -> None:
    with pytest.raises(QueryRefused, match="more than 1,000,000 public rows"):
        held(rows)


def test_lists_of_a_query_are_held_by_it_alone() -> None:
    with pytest.raises(QueryRefused, match="more than 1,000,000 public rows"):
        bind(f"SELECT COUNT(*) FROM users u, {values(1000, 'a')}, {values(1000, 'b')}, {values(2, 'c')}", SHOP)


def test_sizes_matter_only_where_several_rows_come_beside_one() -> None:
    def of(rows: str) -> tuple[str, ...]:
        (release,) = bind(f"SELECT COUNT(*) FROM {rows}", SHOP).releases
        return multiplying(release.rows, SHOP.public)

    assert of("users u JOIN products a ON a.id = u.plan_id") == ()
    assert of("users u, products a, products b") == ("products",)


def test_public_tables_count_as_they_are_and_nothing_is_charged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_over(tables())
    size = engine.public_table("products", ("id",), 1000).num_rows
    query = "SELECT COUNT(*) FROM users u, products a, products b"
    with Service(SHOP, engine, open_ledger(tmp_path / "ledger.db"), "shop", Limit(1e3, 1e-6)) as asked:
        monkeypatch.setattr(multiplied, "MOST", size**2 - 1)
        for ask in (asked.prepare, lambda sql: asked.explain(sql, analyst="ada"), lambda sql: asked.ask(sql, analyst="ada")):
            with pytest.raises(QueryRefused, match="public rows beside each private one"):
                ask(query)
        assert [e.kind for e in asked.ledger.entries()] == ["limit", "refusal"]
        monkeypatch.setattr(multiplied, "MOST", size**2)
        asked.ask(query, analyst="ada")
