"""Spellings of one question are one release, and questions that differ in meaning never are."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.any_order import in_one_order
from dpsql.binding import bind
from dpsql.compiling.dialects import Dialect, quoted
from dpsql.compiling.relations import Relations
from dpsql.kept import Digests, in_order, renamed
from dpsql.ledger import open_ledger
from dpsql.planning import plan
from dpsql.planning.model import Settings
from dpsql.service import Service
from dpsql.tree import Relation, all_fields
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, tables

SHOP = shop()
DUCKDB = Dialect("duckdb")
RELATIONS = Relations(SHOP.schema, DUCKDB)
ENGINE = engine_over(tables())

SAME = [
    ("FROM users WHERE age > 30 AND active AND visits < 9", "FROM users WHERE visits < 9 AND (active AND 30 < age)"),
    ("FROM users WHERE age > 30 OR NOT (active AND visits < 9)", "FROM users WHERE NOT (visits < 9 AND active) OR age > 30"),
    ("FROM users WHERE city IN ('Berlin', 'Paris')", "FROM users WHERE city IN ('Paris', 'Berlin')"),
    ("FROM users WHERE city = name OR age >= visits", "FROM users WHERE visits <= age OR name = city"),
    ("FROM users WHERE age + visits <> 5 * age", "FROM users WHERE age * 5 <> visits + age"),
    ("FROM users JOIN orders o ON users.id = o.user_id WHERE active", "FROM orders o JOIN users ON active AND o.user_id = users.id"),
    (
        "FROM users u JOIN orders o ON u.id = o.user_id JOIN plans p ON p.id = u.plan_id",
        "FROM plans p JOIN users u ON u.plan_id = p.id JOIN orders o ON o.user_id = u.id",
    ),
    (
        "FROM (SELECT u.id, COUNT(*) AS n FROM users u JOIN orders o ON u.id = o.user_id GROUP BY u.id) t WHERE n > 2",
        "FROM (SELECT u.id, COUNT(*) AS n FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.id) t WHERE 2 < n",
    ),
    (
        "FROM users u LEFT JOIN orders o ON u.id = o.user_id AND o.total > 5",
        "FROM users u LEFT JOIN orders o ON o.total > 5 AND o.user_id = u.id",
    ),
]
OTHER = [
    ("FROM users WHERE age > 30 AND active", "FROM users WHERE age > 30 OR active"),
    ("FROM users WHERE age > visits", "FROM users WHERE visits > age"),
    ("FROM users WHERE age > visits", "FROM users WHERE age >= visits"),
    ("FROM users WHERE active", "FROM users WHERE NOT active"),
    ("FROM users WHERE age - visits > 5", "FROM users WHERE visits - age > 5"),
    ("FROM users WHERE age / visits > 5", "FROM users WHERE visits / age > 5"),
    ("FROM users WHERE age % visits = 5", "FROM users WHERE visits % age = 5"),
    ("FROM users WHERE city || name = 'ab'", "FROM users WHERE name || city = 'ab'"),
    ("FROM users WHERE COALESCE(age, visits) = 5", "FROM users WHERE COALESCE(visits, age) = 5"),
    ("FROM users WHERE NULLIF(age, visits) = 5", "FROM users WHERE NULLIF(visits, age) = 5"),
    (
        "FROM users WHERE CASE WHEN active THEN age WHEN visits > 5 THEN 7 END = 7",
        "FROM users WHERE CASE WHEN visits > 5 THEN 7 WHEN active THEN age END = 7",
    ),
    ("FROM users WHERE age IN (visits, 5)", "FROM users WHERE visits IN (age, 5)"),
    ("FROM users WHERE active AND (age > 30 OR visits < 9)", "FROM users WHERE (active AND age > 30) OR visits < 9"),
    ("FROM users u LEFT JOIN orders o ON u.id = o.user_id", "FROM orders o LEFT JOIN users u ON u.id = o.user_id"),
    ("FROM users u LEFT JOIN orders o ON u.id = o.user_id", "FROM users u JOIN orders o ON u.id = o.user_id"),
    (
        "FROM users u LEFT JOIN orders o ON u.id = o.user_id AND o.total > 5",
        "FROM users u LEFT JOIN orders o ON u.id = o.user_id WHERE o.total > 5",
    ),
    ("FROM users u LEFT JOIN orders o ON u.id = o.user_id AND active", "FROM users u LEFT JOIN orders o ON u.id = o.user_id WHERE active"),
    (
        "FROM orders a JOIN orders b ON a.user_id = b.user_id WHERE a.total > b.discount",
        "FROM orders a JOIN orders b ON a.user_id = b.user_id WHERE a.total > a.discount",
    ),
    (
        "FROM users WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = users.id)",
        "FROM users WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = users.id)",
    ),
]


def digests(sql: str) -> frozenset[str]:
    """Those of all that is measured for `sql`."""
    (release,) = bind(sql, SHOP).releases
    planned = plan(in_order(release, DUCKDB), SHOP, Settings())
    found = Digests(planned, RELATIONS, DUCKDB)
    return frozenset([*map(found.part, planned.parts), *map(found.threshold, planned.thresholds)])


@pytest.mark.parametrize(("one", "other"), SAME)
@pytest.mark.parametrize("asked", ["COUNT(*)", "SUM(age)"])
def test_what_differs_in_an_order_without_a_meaning_is_paid_for_once(tmp_path: Path, one: str, other: str, asked: str) -> None:
    if asked == "SUM(age)" and "(SELECT" in one:
        asked = "COUNT(n)"
    with Service(SHOP, ENGINE, open_ledger(tmp_path / "ledger.db"), "shop", Limit(1e3, 1e-6)) as service:
        first = service.ask(f"SELECT {asked} {one}", analyst="ada")
        again = service.ask(f"SELECT {asked} {other}", analyst="bob")
    assert (first.source, again.source) == ("private", "kept")
    assert again.rows() == first.rows()


def test_keys_and_arguments_in_another_order_are_paid_for_once() -> None:
    one = "SELECT status = note, active OR age > 5, SUM(total * discount) FROM users u JOIN orders o ON u.id = o.user_id GROUP BY 1, 2"
    other = "SELECT SUM(discount * total), 5 < age OR active, note = status FROM orders o JOIN users u ON u.id = o.user_id GROUP BY 2, 3"
    assert digests(one) == digests(other)
    assert digests(one) != digests(one.replace("SUM(total * discount)", "SUM(total - discount)"))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_differs_in_meaning_is_another_release(one: str, other: str) -> None:
    assert not digests(f"SELECT COUNT(*) {one}") & digests(f"SELECT COUNT(*) {other}")


NUMBERS = st.sampled_from(["age", "visits", "balance", "score", "3", "40"])
OPERATIONS = st.sampled_from(["+", "*", "-", "/", "COALESCE", "NULLIF", "CASE"])
numbers = st.recursive(NUMBERS, lambda below: st.tuples(OPERATIONS, below, below), max_leaves=3)
comparisons = st.one_of(
    st.tuples(st.sampled_from(["=", "<>", ">", "<=", "IS DISTINCT FROM"]), numbers, numbers),
    st.tuples(st.just("IN"), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=3).map(tuple)),
    st.sampled_from(["active", "country || city = 'DEParis'", "city || country = 'ParisDE'", "o.total > 500"]),
)
conditions: st.SearchStrategy[Any] = st.recursive(
    comparisons,
    lambda below: st.one_of(
        st.tuples(st.just("NOT"), below), st.tuples(st.sampled_from(["AND", "OR"]), st.lists(below, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
ANY = {"AND", "OR", "=", "<>", "IS DISTINCT FROM", "+", "*"}
MIRRORED = {">": "<", "<=": ">="}


def spelled(tree: Any, data: st.DataObject | None) -> str:
    """The SQL of a condition, in an order of operands that `data` draws, where there is any."""

    def turned() -> bool:
        return data is not None and data.draw(st.booleans())

    match tree:
        case str():
            return tree
        case ("NOT", below):
            return f"(NOT {spelled(below, data)})"
        case ("AND" | "OR" as word, below):
            below = list(below) if data is None else data.draw(st.permutations(below))
            return "(" + f" {word} ".join(spelled(one, data) for one in below) + ")"
        case ("IN", a, listed):
            return f"({a} IN ({', '.join(listed if data is None else data.draw(st.permutations(listed)))}))"
        case ("COALESCE" | "NULLIF" as name, a, b):
            return f"{name}({spelled(a, data)}, {spelled(b, data)})"
        case ("CASE", a, b):
            return f"CASE WHEN active THEN {spelled(a, data)} WHEN age > 40 THEN {spelled(b, data)} END"
        case (sign, a, b):
            a, b = spelled(a, data), spelled(b, data)
            if (sign in ANY or sign in MIRRORED) and turned():
                return f"({b} {MIRRORED.get(sign, sign)} {a})"
            return f"({a} {sign} {b})"
    raise AssertionError(tree)


SOURCES = ("users u", "orders o", "plans p")
ORDERS = [
    one for one in permutations(SOURCES) if SOURCES[0] in one[:2]
]  # others join all orders to all plans first, which is planned otherwise
ON = ({"u", "o"}, ("=", "u.id", "o.user_id")), ({"u", "p"}, ("=", "p.id", "u.plan_id"))


def joined(condition: Any, data: st.DataObject | None) -> str:
    """A query of three tables, joined in an order and with conditions at places that `data` draws."""
    sources = list(SOURCES) if data is None else data.draw(st.sampled_from(ORDERS))
    if data is not None and data.draw(st.booleans()):
        every = spelled(("AND", (condition, *(on for _, on in ON))), data)
        return f"SELECT COUNT(*), SUM(total) FROM {', '.join(sources)} WHERE {every}"
    text, there, waiting = sources[0], {sources[0][-1]}, list(ON)
    for source in sources[1:]:
        there.add(source[-1])
        on = [one for one in waiting if one[0] <= there]
        waiting = [one for one in waiting if one not in on]
        text += f" JOIN {source} ON {' AND '.join([spelled(one, data) for _, one in on])}"
    return f"SELECT COUNT(*), SUM(total) FROM {text} WHERE {spelled(condition, data)}"


@given(conditions, st.data())
@settings(max_examples=30)
def test_any_spelling_has_one_digest(condition: Any, data: st.DataObject) -> None:
    assert digests(joined(condition, data)) == digests(joined(condition, None))


def counted(relation: Relation) -> Counter[tuple[Any, ...]]:
    """The rows of a relation, each so often."""
    shown = ", ".join(quoted(field.name) for field in sorted(relation.fields, key=lambda field: field.name))
    with ENGINE.read() as reading:
        return Counter(map(tuple, reading.rows(f"SELECT {shown} FROM ({RELATIONS.sql(relation)}) AS r")))


@given(conditions, st.data())
@settings(max_examples=30)
def test_one_order_asks_for_the_same_rows(condition: Any, data: st.DataObject) -> None:
    (release,) = bind(joined(condition, data), SHOP).releases
    names = [field.name for field in all_fields(release.rows)]
    made = in_one_order(release.rows, lambda one: renamed(RELATIONS.sql(one), names))
    assert counted(made) == counted(release.rows)


@given(conditions, conditions)
@settings(max_examples=30)
def test_one_digest_is_one_meaning(one: Any, other: Any) -> None:
    """Of conditions apart, and of one turned into another by what has an order."""
    for different in (other, swapped(one), ("NOT", one)):
        a, b = (bind(joined(condition, None), SHOP).releases[0].rows for condition in (one, different))
        if digests(joined(one, None)) & digests(joined(different, None)):
            assert sum(counted(a).values()) == sum(counted(b).values())


def swapped(tree: Any) -> Any:
    """A condition with the operands of all swapped that has two in an order."""
    match tree:
        case ("AND" | "OR" as word, below):
            return word, tuple(map(swapped, below))
        case ("NOT", below):
            return "NOT", swapped(below)
        case ("IN", _, _) | str():
            return tree
        case (sign, a, b):
            return sign, swapped(b), swapped(a)
    raise AssertionError(tree)


def test_the_first_public_rows_are_the_same_whatever_is_asked_of_them(tmp_path: Path) -> None:
    joined_to_first = "FROM users JOIN (SELECT id, category FROM products LIMIT 2) p ON category = 'tools'"
    found = []
    for asked in ("COUNT(*)", "COUNT(*), COUNT(NULLIF(p.id, 0))"):
        with Service(SHOP, ENGINE, open_ledger(tmp_path / f"{len(found)}.db"), "shop", Limit(1e9, 1e-6)) as service:
            found.append(service.ask(f"SELECT {asked} {joined_to_first}", analyst="ada", settings=Settings(epsilon=1e5)).rows()[0][0])
    assert found[0] == found[1]
