"""How many public rows may be put beside a private one is held by the query alone."""

from __future__ import annotations

import pytest

from dpsql.binding import bind
from dpsql.errors import QueryRefused
from tests.dpsql.shop import shop

SHOP = shop()


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
    assert bind(f"SELECT COUNT(*) FROM {rows}", SHOP)


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
        bind(f"SELECT COUNT(*) FROM {rows}", SHOP)
