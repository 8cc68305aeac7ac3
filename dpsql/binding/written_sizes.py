"""How long SQL becomes where a database puts what a column of a subquery is in place of its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dpsql import tree
from dpsql.errors import QueryRefused
from dpsql.functions import emit
from dpsql.tree import Column, Expression, Literal, Release

LONGEST = 200_000  # characters: planners take some ten bytes, and some ten nanoseconds, for each of them, several times


def hold_sizes(release: Release) -> None:
    """Raise QueryRefused where a database would work with far longer expressions than the query has.

    Some functions are written with an argument more than once; through several subqueries that grows by a power.
    """
    sizes: dict[str, int] = {}
    for relation in reversed(list(tree.subrelations(release.rows))):
        _hold(relation, sizes)
    for expression in _of_release(release):
        _size(expression, sizes)


def _of_release(release: Release) -> Iterator[Expression]:
    yield from (key.expression for key in release.keys)
    yield from _arguments(release.aggregates)


def _arguments(aggregates: Iterable[tree.Aggregate]) -> Iterator[Expression]:
    yield from (one.argument for one in aggregates if one.argument is not None)


def _hold(relation: tree.Relation, sizes: dict[str, int]) -> None:
    match relation:
        case tree.Project(_, fields, expressions):
            sizes.update({field.name: _size(one, sizes) for field, one in zip(fields, expressions, strict=True)})
        case tree.Union(inputs, fields):
            for place, field in enumerate(fields):
                sizes[field.name] = max(sizes.get(one.fields[place].name, 0) for one in inputs)
        case tree.PerUnit() | tree.PublicGroups():
            keys = relation.fields[1:] if isinstance(relation, tree.PerUnit) else relation.fields
            sizes.update({field.name: _size(one, sizes) for field, one in zip(keys, relation.keys)})
            for argument in _arguments(relation.aggregates):
                _size(argument, sizes)
        case tree.Filter() | tree.Join():
            _size(relation.condition, sizes)
        case tree.FirstRows():
            for term in relation.order:
                _size(term.expression, sizes)


def _size(expression: Expression, sizes: dict[str, int]) -> int:
    if isinstance(expression, Literal):
        return 0
    if isinstance(expression, Column):
        return sizes.get(expression.name, 0)
    size = 0
    for dialect in ("duckdb", "postgres"):
        text = emit(expression, dialect)
        names = {one.name for one in tree.subexpressions(expression) if isinstance(one, Column) and sizes.get(one.name)}
        size = max(size, len(text) + sum(text.count(emit(Column(name, expression.facts), dialect)) * sizes[name] for name in names))
    if size > LONGEST:
        raise QueryRefused("too long an expression is compared, or worked with, too often, through several subqueries")
    return size
