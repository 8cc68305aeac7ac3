"""A SELECT whose rows keep their unit: plain rows, distinct rows, and aggregates grouped by the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.grouping import Grouping
from dpsql.binding.pruning import columns_of
from dpsql.binding.selecting import Selecting
from dpsql.binding.sources import Kept
from dpsql.errors import QueryRefused
from dpsql.tree import Column, DistinctRows, Expression, Field, PerUnit, Project


def rows(selecting: Selecting) -> Kept:
    """Return the rows of a SELECT without aggregates. Plain columns keep their fields; the others get new ones."""
    columns = selecting.outputs()
    joined, state = selecting.joined, selecting.state
    relation = joined.relation
    computed = {n: e for n, e in columns.items() if not isinstance(e, Column)}
    fields = {n: state.names.field(n, e.facts) for n, e in computed.items()}
    if computed:
        through = list(relation.fields)
        relation = Project(relation, (*through, *fields.values()), (*(f.column for f in through), *computed.values()), relation.unit)
    visible = {n: Field(e.name, e.facts) if isinstance(e, Column) else fields[n] for n, e in columns.items()}
    determined = joined.determined | {fields[n].name for n, e in computed.items() if columns_of(e) <= joined.determined}
    return Kept(relation, visible, joined.private, frozenset(determined), joined.uniques, units=joined.units, padded=joined.padded)


def distinct_rows(kept: Kept) -> Kept:
    """Return each combination of unit and shown columns once, where the unit is among them."""
    chosen = {f.name: f for f in kept.columns.values()}
    unit = kept.relation.unit
    fields = [f for f in kept.relation.fields if f.name in chosen or f.name == unit]
    made = DistinctRows(Project(kept.relation, tuple(fields), tuple(f.column for f in fields), unit))
    alone = set(chosen) <= kept.units | {unit}
    uniques = (frozenset(f.name for f in fields if f.name == unit),) if alone else ()
    if alone:
        # one row for each unit, which the projection's own key says
        only = [f for f in fields if f.name == unit]
        grouped = PerUnit(kept.relation, tuple(only), (), (), str(unit), 1, 1)
        return Kept(
            grouped, {n: replace(f, name=str(unit)) for n, f in kept.columns.items()}, True, frozenset({str(unit)}), uniques,
            units=frozenset({str(unit)}),
        )  # fmt: skip
    return replace(kept, relation=made, uniques=(), units=frozenset(kept.units & {f.name for f in fields}) | {str(unit)})


def per_unit(selecting: Selecting, keys: Sequence[Expression]) -> Kept:
    """Return aggregates of one unit's own rows, one row for each unit and each combination of the other keys."""
    return _Units(selecting, keys).kept()


class _Units(Grouping):
    """The groups of single units."""

    def __init__(self, selecting: Selecting, keys: Sequence[Expression]) -> None:
        super().__init__(selecting, [k for k in keys if not selecting.is_unit(k)])
        relation = selecting.joined.relation
        assert relation.unit is not None
        unit = next(f for f in relation.fields if f.name == relation.unit)
        nullable = selecting.scope.known.get(unit.name, unit.facts).nullable
        self._unit = self.state.names.field("unit", replace(unit.facts, nullable=nullable, identifies=True))

    def kept(self) -> Kept:
        selecting, state = self.selecting, self.state
        if selecting.node is not state.root:  # whose rows are not shown anyway, be they few or many
            selecting.no_limit()
        if selecting.joined.dropped:
            raise QueryRefused("a left join that keeps public rows without private ones would count them as one unit's; use an inner join")
        outputs, condition = self.shown(), self.having()
        one = not self.keys
        grouped = PerUnit(
            selecting.joined.relation,
            (self._unit, *self.fields, *self.outcomes),
            tuple(self.keys),
            tuple(self.aggregates),
            self._unit.name,
            1 if one else None,
            1 if one else selecting.joined.relation.most_rows,
        )
        relation, visible, computed = self.projected(grouped, condition, outputs)
        state.by_unit |= {visible[n].name for n, e in computed.items() if self._sums(e)}
        determined = frozenset(f.name for f in relation.fields) if one else frozenset({self._unit.name})
        keys = frozenset(f.name for f in self.fields)
        alone = any(selecting.tells_unit(k) for k in self.keys)
        uniques = (keys | {self._unit.name}, *((keys,) if alone else ()))
        return Kept(relation, visible, True, determined, uniques, units=frozenset({self._unit.name}))

    def _sums(self, expression: Expression) -> bool:
        """Whether an outcome is made of sums and counts of a unit alone, so that its bound may be chosen privately too."""
        return expression.facts.step is not None and expression.facts.is_number and columns_of(expression) <= self.state.by_unit

    def outcome(self, node: exp.Expr) -> Field:
        field = super().outcome(node)
        if self.aggregates[self.outcomes.index(field)].function in ("sum", "count"):
            self.state.by_unit.add(field.name)
        return field

    def key(self, bound: Expression) -> Field | None:
        if self.selecting.is_unit(bound):
            return self._unit
        found = super().key(bound)
        if found is None and isinstance(bound, Column) and bound.name in self.selecting.joined.determined:
            return self.added(bound)
        return found
