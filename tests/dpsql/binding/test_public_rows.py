"""What is grouped, united or told apart without units holds public rows alone, whatever the binding took it for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dpsql.binding import bind
from dpsql.binding.public_rows import hold_public
from dpsql.errors import QueryRefused
from dpsql.tree import DistinctRows, Facts, Filter, Join, Literal, Project, PublicGroups, Relation, Scan, Union, subrelations
from tests.dpsql.shop import shop

SHOP = shop()
PRIVATE, PUBLIC = "users", "plans"
TRUE = Literal(True, Facts("boolean"))

MIXING: list[Callable[[Relation], Relation]] = [
    lambda rows: PublicGroups(rows, (), (), ()),
    lambda rows: DistinctRows(Project(rows, (), (), None)),
    lambda rows: Union((rows, rows), (), None),
]


def scan(table: str) -> Scan:
    return Scan(table, (), (), None)


@pytest.mark.parametrize("mixed", MIXING)
def test_private_rows_without_units_are_refused_however_deep_they_are(mixed: Callable[[Relation], Relation]) -> None:
    for table in (PRIVATE, "orders"):
        for rows in (scan(table), Join(scan(PUBLIC), Filter(scan(table), TRUE), "inner", TRUE, None)):
            with pytest.raises(QueryRefused):
                hold_public(Filter(mixed(rows), TRUE), SHOP)


@pytest.mark.parametrize("mixed", MIXING)
def test_public_rows_are_not(mixed: Callable[[Relation], Relation]) -> None:
    hold_public(Join(scan(PRIVATE), mixed(Filter(scan(PUBLIC), TRUE)), "left", TRUE, None), SHOP)


def test_all_tables_of_a_query_are_seen() -> None:
    both = "SELECT user_id FROM orders UNION ALL SELECT user_id FROM orders"
    (release,) = bind(f"SELECT COUNT(*) FROM users u JOIN ({both}) o ON o.user_id = u.id", SHOP).releases
    tables = [one.table for one in subrelations(release.rows) if isinstance(one, Scan)]
    assert sorted(tables) == ["orders", "orders", "users"]
