"""Joining the sources of a FROM, and showing that each outcome row belongs to one unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from sqlglot import expressions as exp

from dpsql.binding.constants import constant
from dpsql.binding.full_joins import full_join
from dpsql.binding.mending import Mendable
from dpsql.binding.pruning import columns_of
from dpsql.binding.sources import Kept, Names, with_unit
from dpsql.binding.two_units import pairs_of_units, within_one_unit
from dpsql.declaration import Declaration
from dpsql.errors import QueryRefused
from dpsql.functions import call
from dpsql.tree import Call, Column, Expression, Filter, Join, Relation, Scan, subrelations
from schemas.model import ForeignKey

TRUE = constant(True)
MOST_COPIED = 60  # parts of a side of a FULL JOIN, which is written more than once
MOST_UNIQUES = 8  # keys of two sides together that are remembered of a join by neither


@dataclass(frozen=True)
class Step:
    """A source of FROM, and how it is joined to those before it. The first one's `kind` is 'first'; `node` is its place in the query."""

    alias: str
    kept: Kept
    kind: str
    condition: Expression | None
    node: exp.Join | None = None


@dataclass(frozen=True)
class Joined:
    """The rows of a FROM with their WHERE.

    `determined` are the fields with one value a unit, `units` those that hold the unit's id in every row, `private_fields` those of
    private sources, `padded` those that are null where a left join found no partner. `dropped` says that public rows without a partner
    were left out, though the query keeps them. `uniques` are sets of fields whose values do not repeat.
    """

    relation: Relation
    private: bool
    determined: frozenset[str]
    units: frozenset[str] = frozenset()
    private_fields: frozenset[str] = frozenset()
    padded: frozenset[str] = frozenset()
    dropped: bool = False
    uniques: tuple[frozenset[str], ...] = ()


class Equal:
    """Which fields are equal: classes of fields (union-find)."""

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


Pairs = set[tuple[str, str]]


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
    """Yield the pairs of fields that conditions hold equal: each value of one to one of the other.

    Many whole numbers are equal to the same double, as which they are compared.
    """
    for condition in conditions:
        if isinstance(condition, Call) and condition.function == "=":
            a, b = condition.arguments
            if isinstance(a, Column) and isinstance(b, Column) and (a.facts.kind == "double") == (b.facts.kind == "double"):
                yield a, b


def join(steps: Sequence[Step], where: Expression | None, declaration: Declaration, names: Names) -> Joined:
    """Join sources in their order and filter them; QueryRefused where a row could belong to two units."""
    steps, dropped = _swapped(steps)
    if len(steps) > 1 and steps[1].kind == "full":
        whole = _fully(steps[:2], declaration, names)
        steps = [Step(steps[0].alias, whole, "first", None), *steps[2:]]
    certain = set(_pairs([c for s in steps if s.kind != "left" for c in conjuncts(s.condition)] + list(conjuncts(where))))
    steps = _units(steps, certain, declaration, names)
    relation = steps[0].kept.relation
    unit = relation.unit
    private = steps[0].kept.private
    uniques = list(steps[0].kept.uniques)
    determined = set(steps[0].kept.determined) | ({unit} if unit is not None else set())
    padded = set(steps[0].kept.padded)
    rest = list(conjuncts(where))
    for step in steps[1:]:
        kept = step.kept
        mine = kept.relation.unit
        if private and kept.private:
            _same_unit(steps, step, relation, certain, declaration, names)
        here = {f.name for f in relation.fields} | {f.name for f in kept.relation.fields}
        on = list(conjuncts(step.condition))
        if step.kind in ("inner", "cross"):
            movable = [c for c in rest if isinstance(c, Call) and c.function == "=" and columns_of(c) <= here and _spans(c, relation)]
            on += movable
            rest = [c for c in rest if c not in movable]
        left_names = {f.name for f in relation.fields}
        pairs = {(a, b) if a in left_names else (b, a) for a, b in _pairs(on) if (a in left_names) != (b in left_names)}
        right_unique = any(u <= {b for _, b in pairs} for u in kept.uniques)
        left_unique = any(u <= {a for a, _ in pairs} for u in uniques)
        kind: Literal["inner", "left"] = "left" if step.kind == "left" else "inner"
        rows, most = _rows(relation, kept.relation, private, kept.private, right_unique, left_unique, kind)
        determined |= _determined(determined, kept, on, pairs, right_unique, kind, left_names)
        padded |= {f.name for f in kept.relation.fields} if kind == "left" else kept.padded
        unit = unit if unit is not None else mine
        private = private or kept.private
        relation = Join(relation, kept.relation, kind, _all(on), unit, rows, most, left_unique, right_unique)
        # rows without a partner have null in the right side's fields: that no value repeats holds, that there is but one row does not
        before, added = uniques, [u for u in kept.uniques if u or kind == "inner"]
        uniques = (before if right_unique else []) + (added if left_unique else [])
        uniques = uniques or [a | b for a in before for b in added][:MOST_UNIQUES]
    if private and unit is None:
        raise QueryRefused("it cannot be shown whose the rows of this FROM are")
    if rest:
        relation = Filter(relation, _all(rest))
    equal = _holding(certain, steps)
    units = {f.name for f in relation.fields if equal.same(f.name, unit)} | {u for s in steps for u in s.kept.units if equal.same(u, unit)}
    units |= {u for u in steps[0].kept.units if steps[0].kept.private}
    fields = frozenset(f.name for step in steps if step.kept.private for f in step.kept.relation.fields)
    return Joined(relation, private, frozenset(determined), frozenset(units - padded), fields, frozenset(padded), dropped, tuple(uniques))


def _fully(steps: Sequence[Step], declaration: Declaration, names: Names) -> Kept:
    """A FULL JOIN of two private sources, each with its own way to the unit; QueryRefused where partners may be of two units."""
    steps = [replace(s, kept=with_unit(s.kept, declaration, names) if s.kept.pending else s.kept) for s in steps]
    first, second = steps
    if any(sum(1 for _ in islice(subrelations(s.kept.relation), MOST_COPIED + 1)) > MOST_COPIED for s in steps):
        raise QueryRefused("a FULL JOIN is understood of fewer tables and subqueries inside of each other")
    left, right = first.kept.relation, second.kept.relation
    condition = _all(list(conjuncts(second.condition)))
    pairs = set(_pairs(conjuncts(second.condition)))
    equal = _holding(pairs, [])
    _keys_hold(equal, pairs, [left, right], declaration, names)
    if not equal.same(left.unit, right.unit):
        raise _two_units(steps, second, declaration)
    mine = {f.name for f in left.fields}
    across = {(a, b) if a in mine else (b, a) for a, b in pairs if (a in mine) != (b in mine)}
    once = any(u <= {b for _, b in across} for u in second.kept.uniques) or any(u <= {a for a, _ in across} for u in first.kept.uniques)
    joined = full_join(left, right, condition, names, once=once)
    unit = frozenset({joined.fields[0].name})
    return Kept(joined, {}, True, unit, units=unit, padded=frozenset(f.name for f in joined.fields) - unit)


def semi_join(
    left: Joined, kept: Kept, condition: Expression, kind: Literal["semi", "anti"], declaration: Declaration, names: Names
) -> Joined:
    """Keep the rows of `left` that have a partner, or none; QueryRefused where the partner may be another unit's."""
    right = with_unit(kept, declaration, names) if kept.pending else kept
    if not columns_of(condition) <= {f.name for f in (*left.relation.fields, *right.relation.fields)}:
        raise QueryRefused("a subquery is understood of conditions on the rows right outside of it, not further out")
    if right.private:
        outer = Step("", Kept(left.relation, {}, True), "first", None)
        inner = Step("", right, "inner", condition)
        certain = set(_pairs(conjuncts(condition)))
        known = _holding(certain | {(u, left.relation.unit or u) for u in left.units}, [outer, inner])
        _keys_hold(known, certain, [left.relation, right.relation], declaration, names)
        if not known.same(left.relation.unit, right.relation.unit):
            raise QueryRefused(
                "IN and EXISTS are understood of rows of the same unit of privacy, joined by its id or by a foreign key on the way to it, "
                "and of public tables"
            )
    relation = Join(left.relation, right.relation, kind, condition, left.relation.unit, left.relation.rows_a_unit, left.relation.most_rows)
    return replace(left, relation=relation)


def _pairs(conditions: Iterable[Expression]) -> Iterator[tuple[str, str]]:
    return ((a.name, b.name) for a, b in equalities(conditions))


def _holding(certain: Pairs, steps: Sequence[Step]) -> Equal:
    """Which fields are equal in every row, given that the pairs in `certain` are.

    What ON of a left join says holds for the rows with a partner. Where a pair that holds touches a field of the right side, which would
    be null without a partner, there was one.
    """
    equal = Equal()
    waiting = list(certain)
    left = {n: s for n, s in enumerate(steps) if s.kind == "left"}
    touched: set[str] = set()
    while waiting:
        for a, b in waiting:
            equal.merge(a, b)
            touched |= {a, b}
        matched = [n for n, s in left.items() if touched & {f.name for f in s.kept.relation.fields}]
        waiting = [pair for n in matched for pair in _pairs(conjuncts(left.pop(n).condition))]
    return equal


def _same_unit(steps: Sequence[Step], step: Step, left: Relation, certain: Pairs, declaration: Declaration, names: Names) -> None:
    """Raise QueryRefused where a row on the left could be joined to one of another unit.

    A side without a unit of its own takes that of a source that its foreign key joins it to, which is checked where that is joined.
    """
    if left.unit is None or step.kept.relation.unit is None:
        return
    own = set(_pairs(conjuncts(step.condition))) if step.kind == "left" else set()
    equal = _holding(certain | own, [s for s in steps if s is not step])
    before = [s.kept.relation for s in steps[: steps.index(step)]]
    _keys_hold(equal, certain | own, [*before, step.kept.relation], declaration, names)
    if not equal.same(left.unit, step.kept.relation.unit):
        raise _two_units(steps, step, declaration)


def _keys_hold(equal: Equal, pairs: Pairs, relations: Sequence[Relation], declaration: Declaration, names: Names) -> None:
    """Merge the units of rows that a foreign key on the way to the unit joins, or a key of theirs: they belong to the same one.

    A key of a public table tells of no unit: rows of many are joined to the same row of it. All columns of a key must be of one stored
    row: those of two rows of a unit may together be the key of another unit's.
    """
    owners = {field.name: relation.unit for relation in relations for field in relation.fields}
    both = pairs | {(b, a) for a, b in pairs}
    found: dict[tuple[str, str, str, str, str], set[tuple[str, str]]] = {}
    same: dict[tuple[str, str, str, str, str], set[str]] = {}
    for a, b in both:
        unit, other = owners.get(a), owners.get(b)
        if a in names.origins and b in names.origins and unit is not None and other is not None:
            mine, parent = names.origins[a], names.origins[b]
            rows = (unit, other, mine.table, mine.scan, parent.scan)
            if (mine.table, mine.column) == (parent.table, parent.column):
                same.setdefault(rows, set()).add(mine.column)
            reach = declaration.reach(mine.table)
            if reach is not None and reach.path and reach.path[0].table == parent.table:
                found.setdefault(rows, set()).add((mine.column, parent.column))
    for (unit, other, table, *_), shared in same.items():
        reach = declaration.reach(table)
        if reach is None:
            continue
        keys = [*declaration.schema.table(table).unique_sets(), *([reach.path[0].columns] if reach.path else [])]
        if any(set(key) <= shared for key in keys):  # one row, or two of one parent
            equal.merge(unit, other)
    for (unit, other, table, *_), columns in found.items():
        reach = declaration.reach(table)
        assert reach is not None
        key = reach.path[0]
        if set(zip(key.columns, key.target, strict=True)) <= columns:
            equal.merge(unit, other)


def _determined(
    before: set[str],
    kept: Kept,
    on: Sequence[Expression],
    pairs: Pairs,
    right_unique: bool,
    kind: str,
    left_names: set[str],
) -> set[str]:
    """The fields of the right side that have one value for each unit.

    In a left join they do where what decides on a partner has one too.
    """
    used = {name for c in on for name in columns_of(c)} & left_names
    if kind == "left" and not used <= before:
        return set()
    found = set(kept.determined)
    if right_unique and {a for a, _ in pairs} <= before:
        found |= {f.name for f in kept.relation.fields}
    return found


def _swapped(steps: Sequence[Step]) -> tuple[list[Step], bool]:
    """RIGHT joins as LEFT ones; a public table that keeps its rows beside private ones loses them, which is told."""
    made = list(steps)
    dropped = False
    for position, step in enumerate(made):
        if step.kind == "right":
            if position != 1:
                raise QueryRefused("a RIGHT JOIN is understood of two tables; write it as a LEFT JOIN")
            made[0], made[1] = replace(step, kind="first", condition=None), replace(made[0], kind="left", condition=step.condition)
        if step.kind == "full" and not (made[0].kept.private and step.kept.private):
            if step.kept.private or not made[0].kept.private:
                made[0], made[1] = replace(step, kind="first", condition=None), replace(made[0], kind="left", condition=step.condition)
            else:
                made[1] = replace(step, kind="left")
            dropped = True
    private = made[0].kept.private
    for position, step in enumerate(made[1:], 1):
        if step.kind == "left" and step.kept.private and not private:
            made[position] = replace(step, kind="inner")
            dropped = True
        private = private or step.kept.private
    return made, dropped


def _units(steps: list[Step], certain: Pairs, declaration: Declaration, names: Names) -> list[Step]:
    """`steps` with the unit of every private source: by a table of the query that it references, else by a join of its own.

    What a left join holds equal counts for its right side alone: a left row without a partner would have no unit.
    """
    always = certain | {(b, a) for a, b in certain}
    made = list(steps)
    for position, step in enumerate(made):
        kept = step.kept
        if not kept.pending:
            continue
        key = kept.pending[0]
        own = set(_pairs(conjuncts(step.condition))) if step.kind == "left" else set()
        both = always | own | {(b, a) for a, b in own}
        if any(_references(kept, key, other, both, names) for other in made if other is not step and not other.kept.pending):
            # the unit of the other one is this one's too; without a unit of its own, the join takes that
            made[position] = replace(step, kept=replace(kept, pending=()))
        else:
            made[position] = replace(step, kept=with_unit(kept, declaration, names))
    return made


def _references(kept: Kept, key: ForeignKey, other: Step, both: Pairs, names: Names) -> bool:
    """Whether `both` holds the columns of a foreign key equal to those of the rows it references, which `other` has with their unit."""
    if other.kept.relation.unit is None:
        return False
    theirs: dict[str, set[tuple[str, str]]] = {}
    for field in other.kept.relation.fields:
        origin = names.origins.get(field.name)
        if origin is not None and origin.table == key.table:
            theirs.setdefault(origin.scan, set()).add((origin.column, field.name))
    pairs = list(zip(key.columns, key.target, strict=True))
    return any(
        all(any(target == of and (kept.columns[column].name, name) in both for of, name in one) for column, target in pairs)
        for one in theirs.values()
    )


def _rows(
    left: Relation, right: Relation, left_private: bool, right_private: bool, right_unique: bool, left_unique: bool, kind: str
) -> tuple[int | None, int | None]:
    """How many rows a unit has after a join, by keys and as declared."""

    def rows(mine: int | None, other: int | None) -> int | None:
        if left_private and right_unique:
            return mine
        if left_unique and right_private and kind != "left":
            return other
        if left_unique and right_private and left_private and mine is not None and other is not None:
            return mine + other  # those with a partner, and those without
        if left_private and right_private:
            return mine * max(other, 1) if mine is not None and other is not None else None
        return None

    return rows(left.rows_a_unit, right.rows_a_unit), rows(left.most_rows, right.most_rows)


def _two_units(steps: Sequence[Step], step: Step, declaration: Declaration) -> QueryRefused:
    unit = f"{declaration.unit_table}.{declaration.unit_column}"
    first = next((s for s in steps if s is not step and s.kept.private and _unit_column(s)), None)
    mine, theirs = _unit_column(step), None if first is None else _unit_column(first)
    reason = f"a row of this join could belong to two units of privacy ({unit}) at once: '{step.alias}' is not joined by it"
    node = step.node
    if mine is None or first is None or theirs is None or node is None or node.args.get("using") is not None:
        return QueryRefused(reason)
    sides = (first.alias, theirs), (step.alias, mine)
    one, other = first.kept.relation, step.kept.relation
    if isinstance(one, Scan) and isinstance(other, Scan) and one.table == other.table and one.rows_a_unit == 1:
        # joined by the unit each row would find itself alone
        named = {name for name, field in step.kept.columns.items() if not field.facts.identifies}
        return Mendable(f"{reason}; count the rows of each group, and work with the noisy counts", node, pairs_of_units(*sides, named))
    return Mendable(reason, node, within_one_unit(*sides))


def _unit_column(step: Step) -> str | None:
    return next((c for c, f in step.kept.columns.items() if f.name == step.kept.relation.unit), None)


def _spans(condition: Expression, left: Relation) -> bool:
    """Whether a condition touches both sides of a join."""
    names = {f.name for f in left.fields}
    used = columns_of(condition)
    return bool(used & names) and bool(used - names)


def _all(conditions: Sequence[Expression]) -> Expression:
    if not conditions:
        return TRUE
    return conditions[0] if len(conditions) == 1 else call("and", *conditions)
