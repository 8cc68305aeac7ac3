"""A SELECT whose rows keep their unit: plain rows, distinct rows, and aggregates grouped by the unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import expressions as exp

from dpsql.binding.aggregates import Aggregates, has_aggregate, is_aggregate
from dpsql.binding.constants import MOMENTS
from dpsql.binding.expressions import Expressions
from dpsql.binding.joins import Joined
from dpsql.binding.mending import Mendable
from dpsql.binding.naming import output_name
from dpsql.binding.pruning import columns_of
from dpsql.binding.scopes import Scope, Visible, folded
from dpsql.binding.sources import Kept
from dpsql.binding.state import Environment, State
from dpsql.binding.understood import check, excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import ranges
from dpsql.tree import Aggregate, Call, Column, DistinctRows, Expression, Facts, Field, Filter, PerUnit, Project, Relation


@dataclass(frozen=True)
class Selecting:
    """One SELECT over private rows: its place in the query, what it sees, its joined and filtered rows, and the names of WITH."""

    node: exp.Select
    scope: Scope
    joined: Joined
    state: State
    known: Environment

    @property
    def expressions(self) -> Expressions:
        return self.state.expressions(self.scope)

    def is_unit(self, expression: Expression) -> bool:
        """Whether an expression is the id of the row's own unit."""
        return isinstance(expression, Column) and (expression.name == self.joined.relation.unit or expression.name in self.joined.units)

    def tells_unit(self, expression: Expression) -> bool:
        """Whether a value belongs to one unit alone: the unit's id, or a key of a row that is one unit's."""
        if self.is_unit(expression):
            return True
        if not isinstance(expression, Column) or expression.name not in self.state.names.origins:
            return False
        name, column = self.state.names.origins[expression.name]
        declaration = self.state.declaration
        reach = declaration.reach(name)
        if reach is None or expression.name not in self.joined.private_fields - self.joined.padded:
            return False
        key = reach.path[0] if reach.path else None
        return declaration.schema.table(name).is_unique(column) or (key is not None and key.columns == (column,))

    def no_limit(self) -> None:
        """Refuse LIMIT of rows."""
        for part in ("limit", "offset"):
            if self.node.args.get(part) is not None:

                def without(place: exp.Expr) -> None:
                    for name in ("limit", "offset", "order"):
                        place.set(name, None)

                raise Mendable("LIMIT of rows depends on other units' rows; aggregate first", self.node, without)

    def outputs(self) -> dict[str, Expression]:
        """The select list as expressions by their names."""
        columns: dict[str, Expression] = {}
        for position, expression in enumerate(self.node.expressions):
            for name, bound in self._output(expression, position):
                if name in columns:
                    raise QueryInvalid(f"two columns of the subquery are called '{name}'")
                columns[name] = bound
        return columns

    def _output(self, expression: exp.Expr, position: int) -> list[tuple[str, Expression]]:
        if isinstance(expression, exp.Star):
            check(expression)
            return [(n, f.column) for n, f in self.scope.star()]
        if isinstance(expression, exp.Column) and isinstance(expression.this, exp.Star):
            check(expression.this)
            return [(n, f.column) for n, f in self.scope.star(folded(expression.args.get("table")))]
        name = output_name(expression, self.state.sql, self.state.dialect)
        return [(name if name != "?column?" else f"?column?{position}", self.expressions.bind(expression))]


def rows(selecting: Selecting) -> Kept:
    """Return the rows of a SELECT without aggregates. Plain columns keep their fields; the others get new ones."""
    columns = {n: certain(e) for n, e in selecting.outputs().items()}
    joined, state = selecting.joined, selecting.state
    relation = joined.relation
    computed = {n: e for n, e in columns.items() if not isinstance(e, Column)}
    fields = {n: state.names.field(n, e.facts) for n, e in computed.items()}
    if computed:
        through = list(relation.fields)
        relation = Project(relation, (*through, *fields.values()), (*(f.column for f in through), *computed.values()), relation.unit)
    visible = {n: Field(e.name, e.facts) if isinstance(e, Column) else fields[n] for n, e in columns.items()}
    determined = joined.determined | {fields[n].name for n, e in computed.items() if columns_of(e) <= joined.determined}
    return Kept(relation, visible, joined.private, frozenset(determined), joined.uniques, units=joined.units)


def certain(value: Expression) -> Expression:
    """A value that is not null where it would be for days outside of the declared bounds alone, such as infinite ones."""
    if isinstance(value, Call) and value.function in ("extract", "format_date"):
        moment = next(a.facts for a in value.arguments if a.facts.kind in MOMENTS)
        if moment.bounded and not moment.nullable:
            return replace(value, facts=replace(value.facts, nullable=False))
    return value


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


def per_unit(selecting: Selecting, keys: list[Expression]) -> Kept:
    """Return aggregates of one unit's own rows, one row for each unit and each combination of the other keys."""
    return _Grouping(selecting, keys).kept()


class _Grouping:
    def __init__(self, selecting: Selecting, keys: list[Expression]) -> None:
        self._selecting = selecting
        self._state = selecting.state
        self._relation = selecting.joined.relation
        assert self._relation.unit is not None
        unit = next(f for f in self._relation.fields if f.name == self._relation.unit)
        self._unit = self._state.names.field("unit", replace(unit.facts, identifies=True))
        self._keys = [k for k in keys if not selecting.is_unit(k)]
        self._fields = [self._key_field(k) for k in self._keys]
        self._binder = Aggregates(selecting.expressions, within=True)
        self._aggregates: list[Aggregate] = []
        self._outcomes: list[Field] = []

    def kept(self) -> Kept:
        selecting, state = self._selecting, self._state
        selecting.no_limit()
        if selecting.joined.dropped:
            raise QueryRefused("a left join that keeps public rows without private ones would count them as one unit's; use an inner join")
        outputs: dict[str, Expression] = {}
        for number, node in enumerate(selecting.node.expressions):
            name = output_name(node, state.sql, state.dialect)
            name = name if name != "?column?" else f"?column?{number}"
            if name in outputs:
                raise QueryInvalid(f"two columns of the subquery are called '{name}'")
            outputs[name] = self._over_groups(node.unalias())
        having = selecting.node.args.get("having")
        condition = None if having is None else self._over_groups(having.this)
        if condition is not None and condition.facts.kind != "boolean":
            raise QueryInvalid("HAVING needs a condition")
        one = not self._keys
        grouped = PerUnit(
            self._relation,
            (self._unit, *self._fields, *self._outcomes),
            tuple(self._keys),
            tuple(self._aggregates),
            self._unit.name,
            1 if one else None,
            1 if one else self._relation.most_rows,
        )
        relation: Relation = grouped if condition is None else Filter(grouped, condition)
        computed = {n: e for n, e in outputs.items() if not isinstance(e, Column)}
        new = {n: state.names.field(n, e.facts) for n, e in computed.items()}
        if computed:
            fields = relation.fields
            relation = Project(relation, (*fields, *new.values()), (*(f.column for f in fields), *computed.values()), self._unit.name)
        state.by_unit |= {new[n].name for n, e in computed.items() if self._sums(e)}
        visible = {n: Field(e.name, e.facts) if isinstance(e, Column) else new[n] for n, e in outputs.items()}
        determined = frozenset(f.name for f in relation.fields) if one else frozenset({self._unit.name})
        keys = frozenset(f.name for f in self._fields)
        alone = any(selecting.tells_unit(k) for k in self._keys)
        uniques = (keys | {self._unit.name}, *((keys,) if alone else ()))
        return Kept(relation, visible, True, determined, uniques, units=frozenset({self._unit.name}))

    def _key_field(self, key: Expression) -> Field:
        field = self._state.names.field(key.name.partition("_")[2] if isinstance(key, Column) else "key", key.facts)
        if isinstance(key, Column) and key.name in self._state.names.origins:
            self._state.names.origins[field.name] = self._state.names.origins[key.name]
        return field

    def _sums(self, expression: Expression) -> bool:
        """Whether an outcome is made of sums and counts of a unit alone, so that its bound may be chosen privately too."""
        return expression.facts.step is not None and expression.facts.is_number and columns_of(expression) <= self._state.by_unit

    def _outcome(self, node: exp.Expr) -> Field:
        made = self._binder.bind(node)
        if made not in self._aggregates:
            self._aggregates.append(made)
            named = self._state.names.field(made.function, _within_facts(made))
            self._outcomes.append(named)
            if made.function in ("sum", "count"):
                self._state.by_unit.add(named.name)
        return self._outcomes[self._aggregates.index(made)]

    def _over_groups(self, node: exp.Expr) -> Expression:
        """An expression over keys and aggregates of one unit: each of them stands under a name of its own."""
        columns: dict[str, Field] = {}

        def shown(field: Field) -> exp.Expr:
            columns[field.name] = field
            return exp.column(field.name, quoted=True)

        def replaced(part: exp.Expr) -> exp.Expr:
            if is_aggregate(part):
                return shown(self._outcome(part))
            if isinstance(part, exp.Window):
                raise QueryRefused("window functions over rows would compare them with those of other units")
            if not has_aggregate(part) and not isinstance(
                part, exp.Literal | exp.Null | exp.Boolean | exp.Interval | exp.DataType | exp.Var
            ):
                found = self._key(part)
                if found is not None:
                    return shown(found)
            if isinstance(part, exp.Column):
                raise QueryInvalid(f"the column {excerpt(part)} must be in GROUP BY, or inside an aggregate")
            made = part.copy()
            for name, value in list(part.args.items()):
                if isinstance(value, exp.Expr):
                    made.set(name, replaced(value))
                elif isinstance(value, list):
                    made.set(name, [replaced(v) if isinstance(v, exp.Expr) else v for v in value])
            return made

        made = replaced(node)
        scope = Scope()
        scope.add(Visible("", columns))
        return self._state.expressions(scope).bind(made)

    def _key(self, node: exp.Expr) -> Field | None:
        """The field that an expression over single rows is: the unit, a key, or what has one value for each unit."""
        try:
            bound = self._selecting.expressions.bind(node)
        except (QueryInvalid, QueryRefused):
            if isinstance(node, exp.Column):
                raise
            return None
        if self._selecting.is_unit(bound):
            return self._unit
        if bound in self._keys:
            return self._fields[self._keys.index(bound)]
        if isinstance(bound, Column) and bound.name in self._selecting.joined.determined:
            self._keys.append(bound)
            self._fields.append(self._key_field(bound))
            return self._fields[-1]
        return None


def _within_facts(aggregate: Aggregate) -> Facts:
    """What is known of an aggregate over one unit's rows, of which there is one at least: where all have a value, so has the outcome."""
    if aggregate.argument is None:
        return aggregate.facts
    inner = aggregate.argument.facts
    if aggregate.function in ("min", "max", "quantile"):
        kind = "double" if aggregate.continuous and inner.is_number else inner.kind
        return replace(inner, kind=kind, values=None if kind == "double" else inner.values)
    if aggregate.function == "avg":
        return ranges.number("double", inner.nullable, (inner.lo, inner.hi), None)
    return replace(aggregate.facts, nullable=inner.nullable) if aggregate.function == "sum" else aggregate.facts
