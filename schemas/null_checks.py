"""Which columns are null where checks say that some are and others are not, such as that one of two is given.

Each column that such checks name is null in every row or in none: what holds then for all rows holds whatever the other values are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from operator import add, eq, ge, gt, le, lt, ne
from typing import Any

from sqlglot import exp

from schemas.sql_expressions import NotAnExpression, parse_expression

_MOST_COLUMNS = 10  # of which every choice is tried

_Values = frozenset[bool | int | None]
_ANY: _Values = frozenset({True, False, None})  # by identity, of any type
_NULL: _Values = frozenset({None})
_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {exp.EQ: eq, exp.NEQ: ne, exp.GT: gt, exp.GTE: ge, exp.LT: lt, exp.LTE: le}


@dataclass(frozen=True)
class Nulls:
    """For each column whether it is always null (else it never is), and the checks that hold by that."""

    always: Mapping[str, bool]
    held: Collection[str]


def nulls_that_hold(checks: Iterable[str], present: Collection[str], free: Collection[str]) -> Nulls:
    """Choose nulls by which the checks that ask for nulls hold: `present` columns have none, and `free` ones may have all or none.

    As few columns as may be are always null. A check that no choice fulfils together with those of fewer columns has no say.
    """
    named = {name.casefold(): name for name in (*present, *free)}
    always = dict.fromkeys(present, False)
    held: dict[str, tuple[exp.Expr, list[str]]] = {}
    for sql, tree, columns in sorted(_asking(checks, named), key=lambda told: len(told[2])):
        opened = [name for name in columns if name not in always]
        touched = [tree, *(one for one, its in held.values() if not set(opened).isdisjoint(its))]
        for chosen in _choices(opened) if len(opened) <= _MOST_COLUMNS else ():
            if not any(False in _value(one, {**always, **chosen}, named) for one in touched):
                always.update(chosen)
                held[sql] = tree, columns
                break
    return Nulls({name: null for name, null in always.items() if name in free}, held.keys())


def _asking(checks: Iterable[str], named: Mapping[str, str]) -> Iterator[tuple[str, exp.Expr, list[str]]]:
    """The checks that ask which columns are null, each read, with those of its columns that are `named`."""
    for sql in checks:
        try:
            tree = parse_expression(sql)
        except NotAnExpression:
            continue
        if any((isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)) or _counts_nulls(node) for node in tree.walk()):
            columns = dict.fromkeys(named.get(column.name.casefold()) for column in tree.find_all(exp.Column))
            yield sql, tree, [name for name in columns if name is not None]


def _choices(names: list[str]) -> Iterator[dict[str, bool]]:
    for count in range(len(names) + 1):
        for chosen in combinations(names, count):
            yield {name: name in chosen for name in names}


def _counts_nulls(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in ("num_nulls", "num_nonnulls")


def _value(node: exp.Expr, always: Mapping[str, bool], named: Mapping[str, str]) -> _Values:
    """What SQL may make of an expression: some of True, False, None for NULL, and whole numbers."""

    def of(part: exp.Expr) -> _Values:
        return _value(part, always, named)

    match node:
        case exp.Paren():
            return of(node.this)
        case exp.Column():
            return _NULL if always.get(named.get(node.name.casefold(), "")) else _ANY
        case exp.Null():
            return _NULL
        case exp.Boolean():
            return frozenset({bool(node.this)})
        case exp.Literal() if not node.is_string and node.this.isdigit():
            return frozenset({int(node.this)})
        case exp.And():
            return _each(_and, of(node.left), of(node.right))
        case exp.Or():
            return _not(_each(_and, _not(of(node.left)), _not(of(node.right))))
        case exp.Not():
            return _not(of(node.this))
        case exp.Is() if isinstance(node.expression, exp.Null):
            found = _is_null(node.this, always, named)
            return _not(found) if node.args.get("negate") else found
        case exp.Anonymous() if _counts_nulls(node):
            counts: _Values = frozenset({0})
            for part in node.expressions:
                null = _is_null(part, always, named)
                counts = _each(add, counts, null if node.name.lower() == "num_nulls" else _not(null))
            return counts
        case exp.Cast() if node.to.this in exp.DataType.INTEGER_TYPES:
            return of(node.this)
        case exp.Add():
            return _each(_of_two(add), of(node.left), of(node.right))
        case exp.RegexpLike() | exp.Like() | exp.ILike():
            return _each(None, of(node.this), of(node.expression))
        case exp.Binary() if type(node) in _COMPARED:
            return _each(_of_two(_COMPARED[type(node)]), of(node.left), of(node.right))
    return _ANY


def _is_null(node: exp.Expr, always: Mapping[str, bool], named: Mapping[str, str]) -> _Values:
    node = node.unnest()
    if isinstance(node, exp.Column):
        known = always.get(named.get(node.name.casefold(), ""))
        return frozenset({True, False}) if known is None else frozenset({known})
    found = _value(node, always, named)
    return frozenset({True, False}) if found is _ANY else frozenset(value is None for value in found)


def _each(result: Callable[[Any, Any], Any] | None, left: _Values, right: _Values) -> _Values:
    """What becomes of every pair of values; of those that may be anything, only AND knows."""
    if result is _and or (result is not None and left is not _ANY and right is not _ANY):
        return frozenset(result(one, other) for one in left for other in right)
    return _NULL if _NULL in (left, right) else _ANY


def _of_two(result: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: None if left is None or right is None else result(left, right)


def _and(left: Any, right: Any) -> Any:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _not(values: _Values) -> _Values:
    return frozenset(None if value is None else not value for value in values)
