"""Amounts of which checks let only one be above 0, such as debit and credit: a hidden column says in each row which of the two it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sqlglot import exp

from schemas.model import Recipe
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.types import SqlType

_COMPARED: dict[type[exp.Expr], Any] = {exp.EQ: eq, exp.NEQ: ne, exp.GT: gt, exp.GTE: ge, exp.LT: lt, exp.LTE: le}


class _Unread(ValueError):
    """SQL that says more than whether amounts are above 0."""


def either_or(checks: Sequence[str], amounts: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """Return the pairs of `amounts` (the columns' names by their casefolded ones) of which one must be 0, and the checks that hold by that.

    All that `checks` say of a pair holds where either one is 0 and the other is above, whatever that is.
    """
    found: dict[tuple[str, str], list[tuple[str, exp.Expr]]] = {}
    for sql in checks:
        try:
            tree = parse_expression(sql)
        except NotAnExpression:
            continue
        columns = dict.fromkeys(amounts.get(c.name.casefold(), "") for c in tree.find_all(exp.Column))
        if len(columns) == 2 and "" not in columns:
            one, other = sorted(columns, key=list(amounts.values()).index)
            found.setdefault((one, other), []).append((sql, tree))
    held: dict[tuple[str, str], list[str]] = {}
    for pair, said in found.items():
        free = not any(set(pair) & set(other) for other in held)
        if free and _all_hold(said, pair, (0, 1)) and _all_hold(said, pair, (1, 0)) and not _all_hold(said, pair, (1, 1)):
            held[pair] = [sql for sql, _ in said]
    return held


def one_of_two(which: str, case: str, amount: Recipe, type: SqlType) -> Recipe:
    """Return `amount` in rows where the column `which` is `case`, and 0 of the column's `type` in all others."""
    nothing = Recipe("constant", {"value": "0" if type.kind == "numeric" else 0})
    return Recipe("cases", {"by": which, "cases": {case: amount}, "else": nothing})


def _all_hold(said: Sequence[tuple[str, exp.Expr]], pair: tuple[str, str], signs: tuple[int, int]) -> bool:
    values = {name.casefold(): sign for name, sign in zip(pair, signs, strict=True)}
    try:
        return all(_truth(tree, values) for _, tree in said)
    except _Unread:
        return False


def _truth(node: exp.Expr, signs: Mapping[str, int]) -> bool:
    node = node.unnest()
    if isinstance(node, exp.And):
        return _truth(node.left, signs) and _truth(node.right, signs)
    if isinstance(node, exp.Or):
        return _truth(node.left, signs) or _truth(node.right, signs)
    if isinstance(node, exp.Not):
        return not _truth(node.this, signs)
    if type(node) not in _COMPARED:
        raise _Unread
    sides = [side.unnest() for side in (node.this, node.expression)]
    if all(type(side) in _COMPARED for side in sides):
        return bool(_COMPARED[type(node)](*(_truth(side, signs) for side in sides)))
    values = [_sign(side, signs) for side in sides]
    if 0 not in (_sign(side, {}) for side in sides if not side.find(exp.Column)):
        raise _Unread
    return bool(_COMPARED[type(node)](*values))


def _sign(node: exp.Expr, signs: Mapping[str, int]) -> int:
    """Whether an amount, or what none of them is below makes of amounts, is 0 or above it."""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return _sign(node.this, signs)
    if isinstance(node, exp.Column):
        return signs[node.name.casefold()]
    if isinstance(node, exp.Literal) and node.name.strip("0.") == "":
        return 0
    if isinstance(node, (exp.Add, exp.Mul)):
        return (max if isinstance(node, exp.Add) else min)(_sign(node.left, signs), _sign(node.right, signs))
    raise _Unread
