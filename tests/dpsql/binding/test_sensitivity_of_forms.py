"""The sensitivity oracle over every accepted form: whoever is taken away, no part changes by more than its plan claims."""

from __future__ import annotations

import random

import pytest

from dpsql.binding import bind
from dpsql.compiling.measuring import unit_bounds
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.measuring import Cells, clipped
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from dpsql.tree import Release
from tests.dpsql.binding.test_accepted import FORMS, SHOP
from tests.dpsql.shop_databases import neighbours

TRIES = 5
Pairs = list[tuple[DuckDBEngine, DuckDBEngine]]
SQL = sorted({sql for dialect, sql in FORMS if dialect == "postgres"})


def cells(made: Plan, engine: DuckDBEngine, bounds: dict[str, int], salt: int) -> Cells:
    with engine.read() as reading:
        return clipped(made, SHOP.schema, engine, reading, bounds, salt)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return neighbours(range(1, 60, 8), few=6)


@pytest.mark.slow
@pytest.mark.parametrize("sql", SQL)
def test_one_unit_changes_a_form_by_no_more_than_is_claimed(sql: str, pairs: Pairs) -> None:
    draw = random.Random(sql)
    for release in bind(sql, SHOP).releases:
        for _ in range(TRIES):
            hold(release, pairs, draw)


def hold(release: Release, pairs: Pairs, draw: random.Random) -> int:
    """Take one unit away, with bounds that are drawn, and compare with the claims; how many parts change at all."""
    made = plan(release, SHOP, Settings(max_groups=draw.choice([None, 1, 2, 5])))
    bounds = {t.name: 2 ** draw.randint(0, min(t.highest, draw.choice([2, 14]))) for t in made.thresholds}
    salt, pair = draw.getrandbits(62), draw.choice(pairs)
    one, other = (cells(made, engine, bounds, salt) for engine in pair)
    groups = made.groups if made.groups is not None else bounds["groups"]
    changed = 0
    for part in made.parts:
        if part.kind == "quantile":
            moved = moved_rows(one.bins.get(part.name, {}), other.bins.get(part.name, {}))
        else:
            moved = changes(one.sums.get(part.name, {}), other.sums.get(part.name, {}))
        assert len(moved) <= groups
        assert max(moved, default=0) <= unit_bounds(part, bounds).largest
        changed += bool(moved)
    return changed


def changes(one: dict, other: dict) -> list[int]:
    return [change for key in {*one, *other} if (change := abs(one.get(key, 0) - other.get(key, 0)))]


def moved_rows(one: dict, other: dict) -> list[int]:
    """By group, how many rows came or went."""
    return [moved for key in {*one, *other} if (moved := sum(changes(one.get(key, {}), other.get(key, {}))))]
