"""FULL JOIN of the rows of one unit: those of a left join, and those of the right side that have no partner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpsql.binding.constants import constant
from dpsql.binding.copying import copied, new_names
from dpsql.binding.sources import Names
from dpsql.tree import Expression, Facts, Field, Join, Project, Relation, Union


def full_join(left: Relation, right: Relation, condition: Expression, names: Names, *, once: bool) -> Union:
    """Return all rows of both sides, whose units the condition holds equal, beside each other where it holds.

    The outcome has the fields of both, and one that holds the unit of either. With `once` a key joins one side, so that a unit has no
    more rows than on both sides together.
    """
    assert left.unit is not None
    assert right.unit is not None
    unit = names.field("unit", _of_unit(left, right))
    both = Join(left, right, "left", condition, left.unit)
    # beside no row of the left side its columns are null, of their types
    other, beside, nothing = new_names(right, names), new_names(left, names), new_names(left, names)
    rest = copied(right, other)
    without = Join(rest, copied(left, beside), "anti", copied(condition, other | beside), rest.unit)
    alone = Join(without, copied(left, nothing), "left", constant(False), rest.unit)
    fields = tuple(replace(f, facts=replace(f.facts, nullable=True)) for f in (*left.fields, *right.fields))
    sides = [_side(both, left.unit, fields, unit, {}, names), _side(alone, str(rest.unit), fields, unit, other | nothing, names)]
    rows, most = _added(left.rows_a_unit, right.rows_a_unit, once), _added(left.most_rows, right.most_rows, once)
    return Union(tuple(sides), (unit, *fields), unit.name, rows, most)


def _side(relation: Relation, own: str, fields: Sequence[Field], unit: Field, renamed: dict[str, str], names: Names) -> Project:
    """The fields of the outcome from one of its halves, whose own unit is called `own`."""
    found = {f.name: f.column for f in relation.fields}
    expressions = (found[own], *(found[renamed.get(f.name, f.name)] for f in fields))
    inner = tuple(names.field("f", f.facts) for f in (unit, *fields))
    return Project(relation, inner, expressions, inner[0].name)


def _of_unit(left: Relation, right: Relation) -> Facts:
    """What is known of the unit of either side."""
    assert left.unit is not None
    facts = next(f.facts for f in left.fields if f.name == left.unit)
    nullable = facts.nullable or any(f.facts.nullable for f in right.fields if f.name == right.unit)
    return replace(facts, nullable=nullable, values=None, identifies=True)


def _added(mine: int | None, other: int | None, once: bool) -> int | None:
    if mine is None or other is None:
        return None
    return mine + other + (0 if once else mine * other)
