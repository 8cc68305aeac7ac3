"""Joining the sources of a FROM, and showing that each outcome row belongs to one unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dpsql.binding.sources import Kept, Names, with_unit
from dpsql.declaration import Declaration
from dpsql.errors import QueryRefused
from dpsql.functions import call
from dpsql.tree import Call, Column, Expression, Facts, Filter, Join, Literal, Relation, subexpressions

TRUE = Literal(True, Facts("boolean", False, values=(True,)))


@dataclass(frozen=True)
class Step:
    """A source of FROM, and how it is joined to those before it. The first one's `kind` is 'first'."""

    alias: str
    kept: Kept
    kind: str
    condition: Expression | None


@dataclass(frozen=True)
class Joined:
    """The rows of a FROM with their WHERE.

    `determined` are the fields with one value a unit, `units` those that hold the unit's id, `private_aliases` the private sources;
    `dropped` says that public rows without a partner were left out, though the query keeps them.
    """

    relation: Relation
    private: bool
    determined: frozenset[str]
    units: frozenset[str] = frozenset()
    private_aliases: frozenset[str] = frozenset()
    dropped: bool = False


class Equal:
    """Which fields are equal in every row: classes of fields (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        while self._parent.get(name, name) != name:
            name = self._parent[name]
        return name

    def merge(self, a: str, b: str) -> None:
        self._parent[self.find(a)] = self.find(b)

    def same(self, a: str | None, b: str | None) -> bool:
        return a is not None and b is not None and self.find(a) == self.find(b)


def conjuncts(condition: Expression | None) -> Iterator[Expression]:
    """Yield the conditions that AND joins."""
    if condition is None:
        return
    if isinstance(condition, Call) and condition.function == "and":
        for argument in condition.arguments:
            yield from conjuncts(argument)
    else:
        yield condition


def equalities(conditions: Iterable[Expression]) -> Iterator[tuple[Column, Column]]:
    """Yield the pairs of fields that conditions hold equal."""
    for condition in conditions:
        if isinstance(condition, Call) and condition.function == "=":
            a, b = condition.arguments
            if isinstance(a, Column) and isinstance(b, Column):
                yield a, b


def join(steps: Sequence[Step], where: Expression | None, declaration: Declaration, names: Names) -> Joined:
    """Join sources in their order and filter them; QueryRefused where a row could belong to two units."""
    steps, dropped = _swapped(steps)
    conditions = [c for step in steps for c in conjuncts(step.condition)] + list(conjuncts(where))
    held = [(a.name, b.name) for a, b in equalities(conditions)]
    steps = _units(steps, where, declaration, names)
    equal = Equal()
    for a, b in held:
        equal.merge(a, b)
    relation = steps[0].kept.relation
    unit = steps[0].kept.relation.unit
    private = steps[0].kept.private
    uniques = list(steps[0].kept.uniques)
    determined = set(steps[0].kept.determined)
    rest = list(conjuncts(where))
    for step in steps[1:]:
        kept = step.kept
        mine = kept.relation.unit
        if private and kept.private and unit is not None and mine is not None and not equal.same(unit, mine):
            raise QueryRefused(_two_units(steps, step, declaration))
        here = {f.name for f in relation.fields} | {f.name for f in kept.relation.fields}
        on = list(conjuncts(step.condition))
        if step.kind in ("inner", "cross"):
            movable = [c for c in rest if isinstance(c, Call) and c.function == "=" and _names(c) <= here and _spans(c, relation)]
            on += movable
            rest = [c for c in rest if c not in movable]
        joined = {(a.name, b.name) for a, b in equalities(on)}
        pairs = joined | {(b, a) for a, b in joined}
        left_names = {f.name for f in relation.fields}
        to_right = {b for a, b in pairs if a in left_names and b not in left_names}
        to_left = {b for a, b in pairs if b in left_names and a not in left_names}
        right_unique = any(u <= to_right for u in kept.uniques)
        left_unique = any(u <= to_left for u in uniques)
        rows, most = _rows(relation, kept.relation, private, kept.private, right_unique, left_unique, step.kind)
        if right_unique and {a for a, b in pairs if b in to_right and a in left_names} <= determined:
            determined |= {f.name for f in kept.relation.fields}
        determined |= kept.determined if step.kind != "left" or private else set()
        unit = unit if unit is not None else mine
        private = private or kept.private
        kind = "left" if step.kind == "left" else "inner"
        relation = Join(relation, kept.relation, kind, _all(on), unit, rows, most)  # type: ignore[arg-type]
        uniques = (uniques if right_unique else []) + (list(kept.uniques) if left_unique else [])
    if private and unit is None:
        raise QueryRefused("it cannot be shown whose the rows of this FROM are")
    if rest:
        relation = Filter(relation, _all(rest))
    names_of_unit = {f.name for f in relation.fields if equal.same(f.name, unit)} | {u for s in steps for u in s.kept.units}
    aliases = frozenset(step.alias for step in steps if step.kept.private)
    return Joined(relation, private, frozenset(determined), frozenset(names_of_unit), aliases, dropped)


def _swapped(steps: Sequence[Step]) -> tuple[list[Step], bool]:
    """RIGHT joins as LEFT ones; a public table that keeps its rows beside private ones loses them, which is told."""
    made = list(steps)
    dropped = False
    for position, step in enumerate(made):
        if step.kind == "right":
            if position != 1:
                raise QueryRefused("a RIGHT JOIN is understood of two tables; write it as a LEFT JOIN")
            made[0], made[1] = replace(step, kind="first", condition=None), replace(made[0], kind="left", condition=step.condition)
        if step.kind == "full":
            raise QueryRefused("a FULL JOIN is not understood here; use an inner or a left join")
    private = made[0].kept.private
    for position, step in enumerate(made[1:], 1):
        if step.kind == "left" and step.kept.private and not private:
            made[position] = replace(step, kind="inner")
            dropped = True
        private = private or step.kept.private
    return made, dropped


def _units(steps: list[Step], where: Expression | None, declaration: Declaration, names: Names) -> list[Step]:
    """`steps` with the unit of every private source: by a table of the query that it references, else by a join of its own.

    What a left join holds equal counts for its right side alone: a left row without a partner would have no unit.
    """
    certain = [c for step in steps if step.kind != "left" for c in conjuncts(step.condition)] + list(conjuncts(where))
    always = {frozenset((a.name, b.name)) for a, b in equalities(certain)}
    made = list(steps)
    for position, step in enumerate(made):
        kept = step.kept
        if not kept.pending:
            continue
        key = kept.pending[0]
        own = equalities(conjuncts(step.condition)) if step.kind == "left" else ()
        both = always | {frozenset((a.name, b.name)) for a, b in own}
        for other in made:
            if other.kept.table != key.table or other is step or (other.kept.pending and other.kept.table == kept.table):
                continue
            pairs = [frozenset((kept.columns[c].name, other.kept.columns[t].name)) for c, t in zip(key.columns, key.target, strict=True)]
            if all(pair in both for pair in pairs):
                made[position] = replace(step, kept=replace(kept, pending=()))
                break
        else:
            made[position] = replace(step, kept=with_unit(kept, declaration, names))
    return made


def _rows(
    left: Relation, right: Relation, left_private: bool, right_private: bool, right_unique: bool, left_unique: bool, kind: str
) -> tuple[int | None, int | None]:
    """How many rows a unit has after a join, by keys and as declared."""

    def rows(mine: int | None, other: int | None) -> int | None:
        if left_private and right_unique:
            return mine
        if left_unique and right_private:
            return other if kind != "left" or other is None else max(other, 1)
        if left_private and right_private:
            return mine * other if mine is not None and other is not None else None
        return None

    return rows(left.rows_a_unit, right.rows_a_unit), rows(left.most_rows, right.most_rows)


def _two_units(steps: Sequence[Step], step: Step, declaration: Declaration) -> str:
    unit = f"{declaration.unit_table}.{declaration.unit_column}"
    mine = _unit_column(step)
    first = next((s for s in steps if s.kept.private and s is not step and s.kept.relation.unit is not None), steps[0])
    mend = f"; add: AND {first.alias}.{_unit_column(first)} = {step.alias}.{mine}" if mine and _unit_column(first) else ""
    return f"a row of this join could belong to two units of privacy ({unit}) at once: '{first.alias}' and '{step.alias}' are not joined by it{mend}"


def _unit_column(step: Step) -> str | None:
    return next((c for c, f in step.kept.columns.items() if f.name == step.kept.relation.unit), None)


def _names(expression: Expression) -> set[str]:

    return {e.name for e in subexpressions(expression) if isinstance(e, Column)}


def _spans(condition: Expression, left: Relation) -> bool:
    """Whether a condition touches both sides of a join."""
    names = {f.name for f in left.fields}
    used = _names(condition)
    return bool(used & names) and bool(used - names)


def _all(conditions: Sequence[Expression]) -> Expression:
    if not conditions:
        return TRUE
    return conditions[0] if len(conditions) == 1 else call("and", *conditions)
