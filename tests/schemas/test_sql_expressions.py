"""What SQL joins by AND or OR has few levels however long it is, and says the same."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from schemas.sql_expressions import balanced, parse_expression


@pytest.mark.parametrize(
    "sql",
    [
        "a AND b AND c AND d AND e",
        "a OR b AND c OR d OR e AND f AND g AND h AND i OR j",
        "NOT (a OR b OR c OR d OR e) AND (f OR g) AND (h AND i AND j AND k AND (l OR m OR n OR o)) AND p AND q",
        "CASE WHEN a AND b AND c AND d THEN e OR f OR g OR h END AND i",
    ],
)
def test_a_balanced_condition_is_written_as_before(sql: str) -> None:
    tree = balanced(parse_one(sql, read="postgres"))
    assert tree.sql("postgres") == sql
    assert all(part.parent is node for node in tree.walk() for part in node.iter_expressions())


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_long_conditions_have_few_levels(word: str) -> None:
    tree = parse_expression(f" {word} ".join(f"a <> {i}" for i in range(5_000)))
    assert [column.depth for column in tree.find_all(exp.Literal)][-1] < 20
