"""Leaving out the columns of stored tables that nothing uses, so that the SQL says what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dpsql.tree import (
    Column,
    DistinctRows,
    Expression,
    Filter,
    FirstRows,
    Join,
    OneRow,
    PerUnit,
    Project,
    PublicGroups,
    Relation,
    Scan,
    Union,
    subexpressions,
)


def pruned(relation: Relation, above: Iterable[Expression | None]) -> Relation:
    """Return `relation` without the fields of scans and projections that neither it nor the expressions `above` use."""
    used = {name for expression in above if expression is not None for name in columns_of(expression)}
    used |= {relation.unit} if relation.unit is not None else set()
    while True:
        known = used | set(_used(relation, used))
        if known == used:
            return _without(relation, used)
        used = known


def columns_of(expression: Expression) -> frozenset[str]:
    """The names of the fields that an expression uses."""
    return frozenset(e.name for e in subexpressions(expression) if isinstance(e, Column))


def _used(relation: Relation, above: set[str]) -> Iterator[str]:
    if relation.unit is not None:
        yield relation.unit
    match relation:
        case Filter():
            yield from columns_of(relation.condition)
            yield from _used(relation.input, above)
        case Project():
            for field, expression in zip(relation.fields, relation.expressions, strict=True):
                if field.name in above:
                    yield from columns_of(expression)
            yield from _used(relation.input, above)
        case Join():
            yield from columns_of(relation.condition)
            yield from _used(relation.left, above)
            yield from _used(relation.right, above)
        case PerUnit() | PublicGroups():
            for expression in (*relation.keys, *(a.argument for a in relation.aggregates if a.argument is not None)):
                yield from columns_of(expression)
            yield from _used(relation.input, above)
        case Union():
            for one in relation.inputs:
                yield from (f.name for f in one.fields)
                yield from _used(one, above)
        case DistinctRows() | FirstRows():
            yield from (f.name for f in relation.fields)
            if isinstance(relation, FirstRows):
                for term in relation.order:
                    yield from columns_of(term.expression)
            yield from _used(relation.input, above)
        case Scan() | OneRow():
            pass


def _without(relation: Relation, used: set[str]) -> Relation:
    match relation:
        case Scan():
            kept = [(f, s) for f, s in zip(relation.fields, relation.sources, strict=True) if f.name in used]
            return replace(relation, fields=tuple(f for f, _ in kept), sources=tuple(s for _, s in kept))
        case Project():
            kept_ = [(f, e) for f, e in zip(relation.fields, relation.expressions, strict=True) if f.name in used]
            return replace(
                relation,
                input=_without(relation.input, used),
                fields=tuple(f for f, _ in kept_),
                expressions=tuple(e for _, e in kept_),
            )
        case Join():
            return replace(relation, left=_without(relation.left, used), right=_without(relation.right, used))
        case Union():
            return replace(relation, inputs=tuple(_without(one, used) for one in relation.inputs))
        case Filter() | PerUnit() | PublicGroups() | DistinctRows() | FirstRows():
            return replace(relation, input=_without(relation.input, used))
        case OneRow():
            return relation
