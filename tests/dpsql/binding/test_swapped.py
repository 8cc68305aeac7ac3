"""Queries whose parts are swapped with those of others are bound or refused, never crashed on, and claim enough for what one unit changes."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

import pytest
import sqlglot
from sqlglot import expressions as exp

from dpsql.binding import bind
from dpsql.binding.queries import NOT_UNDERSTOOD
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import emit
from dpsql.tree import Query
from tests.dpsql.binding.test_accepted import FORMS, SHOP
from tests.dpsql.binding.test_sensitivity_of_forms import Pairs, hold
from tests.dpsql.shop_databases import neighbours

TREES = [sqlglot.parse_one(sql, dialect=dialect) for dialect, sql in FORMS]
LONGEST = 5_000


def kind(node: exp.Expr) -> str:
    """What may stand in the place of a part."""
    if isinstance(node, exp.Table):
        return "table"
    if isinstance(node, exp.Query):
        return "query"
    if isinstance(node, exp.If) and isinstance(node.parent, exp.Case):
        return "branch"  # of a CASE, where no other value may stand
    return "value" if isinstance(node, exp.Condition) else type(node).__name__


PARTS: dict[str, list[exp.Expr]] = defaultdict(list)
for tree in TREES:
    for part in tree.walk():
        PARTS[kind(part)].append(part)


def swapped(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Queries with one to three parts of other queries in the places of their own, and the dialect of each."""
    draw = random.Random(seed)
    for _ in range(count):
        tree = draw.choice(TREES).copy()
        for _ in range(draw.randint(1, 3)):
            place = draw.choice([part for part in tree.walk() if part is not tree])
            place.replace(draw.choice(PARTS[kind(place)]).copy())
        dialect = draw.choice(["postgres", "duckdb"])
        sql = tree.sql(dialect=dialect)
        if len(sql) < LONGEST:
            yield sql, dialect


def bound(sql: str, dialect: str) -> Query | None:
    """The bound query, None where it is refused with a reason; what is offered in its place is bound."""
    said, instead = "", None
    try:
        return bind(sql, SHOP, dialect=dialect)
    except QueryRefused as refusal:
        said, instead = str(refusal), refusal.instead
    except QueryInvalid:
        pass
    assert NOT_UNDERSTOOD not in said
    assert instead is None or bind(instead, SHOP, dialect=dialect)
    return None


def hold_bound(seed: int, count: int) -> int:
    """How many of the queries are bound."""
    found = 0
    for sql, dialect in swapped(seed, count):
        query = bound(sql, dialect)
        found += query is not None
        for release in () if query is None else query.releases:
            for expression in (*(k.expression for k in release.keys), *(a.argument for a in release.aggregates if a.argument is not None)):
                assert emit(expression, "duckdb")
                assert emit(expression, "postgres")
    return found


@pytest.mark.slow
def test_queries_with_swapped_parts_are_bound_or_refused_with_a_reason() -> None:
    assert hold_bound(1, 250) > 10


@pytest.mark.slow
def test_thousands_of_queries_with_swapped_parts_are_bound_or_refused_with_a_reason() -> None:
    assert hold_bound(2, 4_000) > 200


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return neighbours(range(1, 60, 8), few=6)


@pytest.mark.slow
def test_one_unit_changes_a_query_with_swapped_parts_by_no_more_than_is_claimed(pairs: Pairs) -> None:
    draw, held = random.Random(3), 0
    for sql, dialect in swapped(3, 3_000):
        query = bound(sql, dialect)
        for release in () if query is None else query.releases:
            with suppress(QueryRefused):  # a plan may need bounds that its rows have not
                held += hold(release, pairs, draw)
    assert held > 200
