"""Aggregates that stay inside of the query: what is shown of each group, made of its keys and of aggregates over its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.aggregates import Aggregates, has_aggregate, is_aggregate
from dpsql.binding.naming import output_name
from dpsql.binding.scopes import Scope, Visible, told_apart
from dpsql.binding.selecting import Selecting
from dpsql.binding.understood import excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import ranges
from dpsql.tree import Aggregate, Column, Expression, Facts, Field, Filter, Project, Relation


class Grouping:
    """The groups of one SELECT by `keys`: fields of the keys, and of the aggregates that it names, each once."""

    def __init__(self, selecting: Selecting, keys: Sequence[Expression]) -> None:
        self.selecting = selecting
        self.state = selecting.state
        self.keys = list(keys)
        self.fields = [self._key_field(k) for k in self.keys]
        self.aggregates: list[Aggregate] = []
        self.outcomes: list[Field] = []
        self._binder = Aggregates(selecting.expressions, within=True)

    def shown(self) -> dict[str, Expression]:
        """The select list over the groups, by its names."""
        outputs: list[tuple[str, Expression]] = []
        for number, node in enumerate(self.selecting.node.expressions):
            name = output_name(node, self.state.sql, self.state.dialect)
            name = name if name != "?column?" else f"?column?{number}"
            outputs.append((name, self._over_groups(node.unalias())))
        return told_apart(outputs, self.state.dialect)

    def having(self) -> Expression | None:
        """The condition on groups."""
        having = self.selecting.node.args.get("having")
        condition = None if having is None else self._over_groups(having.this)
        if condition is not None and condition.facts.kind != "boolean":
            raise QueryInvalid("HAVING needs a condition")
        return condition

    def projected(
        self, grouped: Relation, condition: Expression | None, outputs: dict[str, Expression]
    ) -> tuple[Relation, dict[str, Field], dict[str, Expression]]:
        """Return `grouped` with what `outputs` works out of it, the fields that are seen, and those of them that are worked out."""
        relation: Relation = grouped if condition is None else Filter(grouped, condition)
        computed: dict[str, Expression] = {n: e for n, e in outputs.items() if not isinstance(e, Column)}
        new = {n: self.state.names.field(n, e.facts) for n, e in computed.items()}
        if computed:
            fields = relation.fields
            relation = Project(relation, (*fields, *new.values()), (*(f.column for f in fields), *computed.values()), relation.unit)
        visible = {n: Field(e.name, e.facts) if isinstance(e, Column) else new[n] for n, e in outputs.items()}
        return relation, visible, computed

    def facts(self, aggregate: Aggregate) -> Facts:
        """What is known of an aggregate over the rows of a group, of which there is one at least: where all have a value, so has it."""
        if aggregate.argument is None:
            return aggregate.facts
        inner = aggregate.argument.facts
        if aggregate.function in ("min", "max", "quantile"):
            kind = "double" if aggregate.continuous and inner.is_number else inner.kind
            return replace(inner, kind=kind, values=None if kind == "double" else inner.values)
        if aggregate.function == "avg":
            return ranges.number("double", inner.nullable, (inner.lo, inner.hi), None)
        return replace(aggregate.facts, nullable=inner.nullable) if aggregate.function == "sum" else aggregate.facts

    def outcome(self, node: exp.Expr) -> Field:
        """The field of an aggregate."""
        made = self._binder.bind(node)
        if made not in self.aggregates:
            self.aggregates.append(made)
            self.outcomes.append(self.state.names.field(made.function, self.facts(made)))
        return self.outcomes[self.aggregates.index(made)]

    def key(self, bound: Expression) -> Field | None:
        """The field that an expression over single rows is: a key, or what has one value in each group."""
        if bound in self.keys:
            return self.fields[self.keys.index(bound)]
        return None

    def added(self, bound: Expression) -> Field:
        """The field of a further key, which has one value in each group."""
        self.keys.append(bound)
        self.fields.append(self._key_field(bound))
        return self.fields[-1]

    def _key_field(self, key: Expression) -> Field:
        field = self.state.names.field(key.name.partition("_")[2] if isinstance(key, Column) else "key", key.facts)
        if isinstance(key, Column) and key.name in self.state.names.origins:
            self.state.names.origins[field.name] = self.state.names.origins[key.name]
        return field

    def _over_groups(self, node: exp.Expr) -> Expression:
        """An expression over keys and aggregates: each of them stands under a name of its own."""
        columns: dict[str, Field] = {}

        def shown(field: Field) -> exp.Expr:
            columns[field.name] = field
            return exp.column(field.name, quoted=True)

        def replaced(part: exp.Expr) -> exp.Expr:
            if is_aggregate(part):
                return shown(self.outcome(part))
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
        return self.state.expressions(scope).bind(made)

    def _key(self, node: exp.Expr) -> Field | None:
        try:
            bound = self.selecting.expressions.bind(node)
        except (QueryInvalid, QueryRefused):
            if isinstance(node, exp.Column):
                raise
            return None
        return self.key(bound)
