"""What checks say about columns."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.check_facts import facts_of

COLUMNS = ("a", "b", "price", "code", "State")


@pytest.mark.parametrize(
    ("sql", "column", "attribute", "expected"),
    [
        ("price > 0", "price", "low", Decimal(0)),
        ("(price > (0)::numeric)", "price", "open_low", True),
        ("0 <= price", "price", "low", Decimal(0)),
        ("price > '-5'::integer", "price", "low", Decimal(-5)),
        ("price BETWEEN -5 AND 9.5", "price", "high", Decimal("9.5")),
        ("price >= 1 AND (price < 10)", "price", "open_high", True),
        ("state IN ('x', 'y')", "State", "values", ["x", "y"]),
        ("state = ANY (ARRAY['x'::text, 'y'::text])", "State", "values", ["x", "y"]),
        ("state = 'x' OR state = 'y'", "State", "values", ["x", "y"]),
        ("state IS NULL OR state IN ('x')", "State", "values", ["x"]),
        ("length(code) = 3", "code", "min_length", 3),
        ("char_length(code) <= 7", "code", "max_length", 7),
        ("code <> ''", "code", "min_length", 1),
        ("code ~ '^[A-Z]{3}$'", "code", "pattern", "^[A-Z]{3}$"),
        ("code LIKE 'A_%'", "code", "like", "A_%"),
        ("a IS NOT NULL", "a", "present", True),
        ("NOT a IS NULL", "a", "present", True),
        ("a > '2010-01-01' AND a > '2009-01-01'", "a", "low_text", "2010-01-01"),
        ("b > a", "b", "after", [("a", True)]),
        ("a <= b", "b", "after", [("a", False)]),
        ("price = round(a * b, 2)", "price", "equals", 'ROUND("a" * "b", 2)'),
        ("a + b = price", "price", "sources", ("a", "b")),
        ("a < '2010-01-01'", "a", "high_text", "2010-01-01"),
    ],
)
def test_a_check_is_understood(sql, column, attribute, expected):
    facts = facts_of([sql], COLUMNS)
    assert facts.unclear == []
    assert getattr(facts.of(column), attribute) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "price * 2 > a + b",
        "lower(code) = code",
        "price <> 7",
        "a > 1 OR b > 1",
        "code ~ 'x'",
        "NOT (a > 1)",
        "code NOT LIKE '%z%'",
        "code LIKE 'A%' AND code LIKE '%Z'",
        "a BETWEEN SYMMETRIC 2 AND 1",
        "a IS NULL",
        "a IS NOT NULL OR b > 1",
    ],
)
def test_a_check_that_says_more_is_named(sql):
    assert facts_of([sql], COLUMNS).unclear


def test_the_clear_parts_of_a_conjunction_count():
    facts = facts_of(["price > 0 AND abs(a) < 5"], COLUMNS)
    assert facts.of("price").low == 0
    assert len(facts.unclear) == 1
