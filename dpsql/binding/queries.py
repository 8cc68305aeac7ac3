"""Telling what keeps its unit from what is released, and splitting off what is done with noisy tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import expressions as exp

from dpsql.binding.aggregates import Aggregates, is_aggregate
from dpsql.binding.expressions import Expressions
from dpsql.binding.joins import Joined, Step, join
from dpsql.binding.outcome import check_outcome, output_name
from dpsql.binding.parsing import parse
from dpsql.binding.pruning import columns_of, pruned
from dpsql.binding.scopes import Scope, Visible, folded
from dpsql.binding.sources import Kept, Names, equal, find_table, stored
from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import ranges
from dpsql.tree import (
    Aggregate,
    Column,
    DistinctRows,
    Expression,
    Facts,
    Field,
    Filter,
    Key,
    Literal,
    PerUnit,
    Project,
    Query,
    Relation,
    Release,
    Union,
    Value,
)


@dataclass(frozen=True)
class Open:
    """A part of the query that sees nothing private: SQL over noisy and public tables, and the names of its columns."""

    node: exp.Query
    names: tuple[str, ...]


@dataclass
class _State:
    declaration: Declaration
    dialect: str
    parameters: Sequence[Value]
    names: Names = field(default_factory=Names)
    releases: list[Release] = field(default_factory=list)
    public: dict[str, None] = field(default_factory=dict)
    by_unit: set[str] = field(default_factory=set)


Environment = Mapping[str, "Kept | Open"]


def bind(sql: str, declaration: Declaration, *, dialect: str = "postgres", parameters: Sequence[Value] = ()) -> Query:
    """Return the bound query that `sql` is.

    Raises QueryInvalid where it cannot be read or names what is not there, QueryRefused where it cannot be shown private.
    """
    node = parse(sql, dialect)
    state = _State(declaration, dialect, parameters)
    try:
        found = _query(node, {}, state)
    except RecursionError:
        raise QueryInvalid("the query is nested too deeply") from None
    if isinstance(found, Kept):
        by_unit = isinstance(node, exp.Select) and node.args.get("group") is not None
        shown = "one row for each unit of privacy" if by_unit else "rows as they are"
        raise QueryRefused(f"this would show {shown}; only aggregates over many units are answered", _aggregate_instead(node))
    residual = found.node
    _fill_parameters(residual, state)
    check_outcome(residual, {r.name for r in state.releases} | set(state.public), parameters)
    return Query(tuple(state.releases), tuple(state.public), residual.sql(dialect="duckdb"), found.names)


def _query(node: exp.Expr, environment: Environment, state: _State) -> Kept | Open:
    if isinstance(node, exp.Subquery):
        return _query(node.this, environment, state)
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, environment, state)
    if not isinstance(node, exp.Select):
        raise QueryRefused(f"{node.key.upper()} is not understood here")
    for part in (
        "kind",
        "hint",
        "into",
        "sample",
        "pivots",
        "laterals",
        "match",
        "locks",
        "connect",
        "qualify",
        "windows",
        "cluster",
        "sort",
    ):
        if node.args.get(part):
            raise QueryRefused(f"{part.upper()} is not understood here")
    return _select(node, environment, state)


def _with(node: exp.Query, environment: Environment, state: _State) -> tuple[dict[str, Kept | Open], list[exp.CTE]]:
    """The environment with the CTEs of `node`, and those that stay in the residual."""
    known = dict(environment)
    stay: list[exp.CTE] = []
    clause = node.args.get("with_") or node.args.get("with")
    if clause is None:
        return known, stay
    if clause.args.get("recursive"):
        raise QueryRefused("recursive queries are not answered")
    for cte in clause.expressions:
        name = folded(cte.args["alias"].this)
        assert name is not None
        found = _query(cte.this, known, state)
        columns = [c.name for c in cte.args["alias"].args.get("columns") or []]
        if columns and isinstance(found, Kept):
            found = _renamed(found, columns)
        known[name] = found
        if isinstance(found, Open):
            stay.append(exp.CTE(this=found.node, alias=cte.args["alias"].copy()))
            known[name] = replace(found, names=tuple(columns) or found.names)
    return known, stay


def _renamed(kept: Kept, columns: Sequence[str]) -> Kept:
    fields = list(kept.columns.values())
    if len(columns) > len(fields):
        raise QueryInvalid("there are more names than columns")
    names = [*columns, *list(kept.columns)[len(columns) :]]
    return replace(kept, columns=dict(zip(names, fields, strict=True)))


def _set_operation(node: exp.SetOperation, environment: Environment, state: _State) -> Kept | Open:
    known, stay = _with(node, environment, state)
    left, right = (_query(side, known, state) for side in (node.this, node.expression))
    if isinstance(left, Open) and isinstance(right, Open):
        made = node.copy()
        made.set("with", None)
        made.set("with_", None)
        made.set("this", left.node)
        made.set("expression", right.node)
        return Open(_with_ctes(made, stay), left.names)
    if isinstance(left, Open) or isinstance(right, Open):
        raise QueryRefused("a set operation between rows and aggregates cannot be answered; aggregate both sides")
    if not isinstance(node, exp.Union) or node.args.get("distinct", True):
        raise QueryRefused(f"{node.key.upper()} of rows mixes those of different units; use UNION ALL")
    return _union(left, right, state)


def _union(left: Kept, right: Kept, state: _State) -> Kept:
    if len(left.columns) != len(right.columns):
        raise QueryInvalid("both sides of UNION ALL need the same number of columns")
    if not (left.private and right.private):
        raise QueryRefused("UNION ALL of private and public rows cannot be answered; aggregate each side")
    sides, fields = [], []
    unit = state.names.field("unit", Facts("other", True, identifies=True))
    for (name, a), b in zip(left.columns.items(), right.columns.values(), strict=True):
        if a.facts.kind != b.facts.kind and not (a.facts.is_number and b.facts.is_number):
            raise QueryInvalid(f"the column '{name}' of UNION ALL is of type {a.facts.kind} on one side and {b.facts.kind} on the other")
        fields.append(state.names.field(name, ranges.merged([a.facts, b.facts], a.facts.nullable or b.facts.nullable)))
    for side in (left, right):
        own = next(f for f in side.relation.fields if f.name == side.relation.unit)
        chosen = [own, *side.columns.values()]
        sides.append(
            Project(
                side.relation,
                tuple(replace(f, name=f"{f.name}") for f in (state.names.field("u", c.facts) for c in chosen)),
                tuple(c.column for c in chosen),
                None,
            )
        )
    sides = [replace(s, unit=s.fields[0].name) for s in sides]

    def total(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    relation = Union(
        tuple(sides),
        (unit, *fields),
        unit.name,
        total(left.relation.rows_a_unit, right.relation.rows_a_unit),
        total(left.relation.most_rows, right.relation.most_rows),
    )
    return Kept(relation, dict(zip(left.columns, fields, strict=True)), True)


class _Select:
    """One SELECT over private rows."""

    def __init__(self, node: exp.Select, scope: Scope, joined: Joined, state: _State) -> None:
        self.node = node
        self.scope = scope
        self.joined = joined
        self.state = state
        self.expressions = Expressions(scope, state.dialect, state.parameters, state.by_unit)

    def bind(self) -> Kept | Open:
        node = self.node
        group = node.args.get("group")
        having, order = node.args.get("having"), node.args.get("order")
        grouped = group is not None or any(_has_aggregate(e) for e in node.expressions) or having is not None
        if group is not None:
            for part in ("grouping_sets", "cube", "rollup", "totals"):
                if group.args.get(part):
                    raise QueryRefused(f"{part.upper().replace('_', ' ')} is not answered; ask one query for each grouping")
        if not grouped and node.args.get("distinct") is None:
            if order is not None and node.args.get("limit") is None:
                order = None
            if node.args.get("limit") is not None or node.args.get("offset") is not None:
                raise QueryRefused("LIMIT of rows depends on other units' rows; aggregate first")
            return self._rows()
        if not grouped:
            return self._distinct()
        keys = self._keys(group)
        if any(self._is_unit(k) for k in keys):
            return self._per_unit(keys)
        return self._release(keys)

    def _is_unit(self, key: Expression) -> bool:
        return isinstance(key, Column) and self._own_unit(key.name)

    def _own_unit(self, name: str) -> bool:
        return name == self.joined.relation.unit or name in self.joined.units

    def _rows(self) -> Kept:
        """Rows that keep their unit."""
        columns: dict[str, Expression] = {}
        for position, expression in enumerate(self.node.expressions):
            for name, bound in self._outputs(expression, position):
                if name in columns:
                    raise QueryInvalid(f"two columns of the subquery are called '{name}'")
                columns[name] = bound
        return self._project(columns)

    def _project(self, columns: Mapping[str, Expression]) -> Kept:
        """Plain columns keep their fields; the others get new ones."""
        relation = self.joined.relation
        computed = {n: e for n, e in columns.items() if not isinstance(e, Column)}
        fields = {n: self.state.names.field(n, e.facts) for n, e in computed.items()}
        if computed:
            through = list(relation.fields)
            relation = Project(relation, (*through, *fields.values()), (*(f.column for f in through), *computed.values()), relation.unit)
        visible = {n: Field(e.name, e.facts) if isinstance(e, Column) else fields[n] for n, e in columns.items()}
        determined = self.joined.determined | {fields[n].name for n, e in computed.items() if columns_of(e) <= self.joined.determined}
        return Kept(relation, visible, self.joined.private, frozenset(determined), units=self.joined.units)

    def _outputs(self, expression: exp.Expr, position: int) -> list[tuple[str, Expression]]:
        if isinstance(expression, exp.Star):
            return [(n, f.column) for n, f in self.scope.star()]
        if isinstance(expression, exp.Column) and isinstance(expression.this, exp.Star):
            return [(n, f.column) for n, f in self.scope.star(folded(expression.args.get("table")))]
        return [(output_name(expression, position), self.expressions.bind(expression))]

    def _distinct(self) -> Kept | Open:
        """SELECT DISTINCT: with the unit among its columns it keeps it, else it releases which groups there are."""
        rows = self._rows()
        if any(self._own_unit(f.name) for f in rows.columns.values()):
            chosen = {f.name: f for f in rows.columns.values()}
            unit = rows.relation.unit
            fields = [f for f in rows.relation.fields if f.name in chosen or f.name == unit]
            made = DistinctRows(Project(rows.relation, tuple(fields), tuple(f.column for f in fields), unit))
            return replace(rows, relation=made)
        keys = [self.expressions.bind(e) for e in self.node.expressions]
        return self._release(keys)

    def _keys(self, group: exp.Group | None) -> list[Expression]:
        if group is None:
            return []
        nodes = list(group.expressions)
        if group.args.get("all") or any(isinstance(n, exp.Var) and n.name.upper() == "ALL" for n in nodes):
            nodes = [e for e in self.node.expressions if not _has_aggregate(e)]
        bound = []
        for node in nodes:
            key = self._key(node)
            if not isinstance(key, Literal) and key not in bound:
                bound.append(key)
        return bound

    def _key(self, node: exp.Expr) -> Expression:
        if isinstance(node, exp.Literal) and not node.args.get("is_string"):
            place = int(node.this) if str(node.this).isdigit() else 0
            if not 1 <= place <= len(self.node.expressions):
                raise QueryInvalid(f"GROUP BY {node.this} is not the place of a column")
            node = self.node.expressions[place - 1].unalias()
            if _has_aggregate(node):
                raise QueryInvalid("GROUP BY cannot name an aggregate")
            return self.expressions.bind(node)
        if isinstance(node, exp.Column) and not node.args.get("table"):
            name = folded(node.this)
            aliased = next((e.this for e in self.node.expressions if isinstance(e, exp.Alias) and folded(e.args["alias"]) == name), None)
            if aliased is not None and not any(name in s.columns for s in self.scope.sources):
                return self.expressions.bind(aliased)
        return self.expressions.bind(node)

    def _per_unit(self, keys: list[Expression]) -> Kept:
        """Aggregates of one unit's own rows."""
        relation = self.joined.relation
        unit = relation.unit
        assert unit is not None
        others = [k for k in keys if not self._is_unit(k)]
        binder = Aggregates(self.expressions, within=True)
        aggregates: list[Aggregate] = []
        unit_field = next(f for f in relation.fields if f.name == unit)
        out_unit = self.state.names.field("unit", replace(unit_field.facts, identifies=True))
        key_fields = [self.state.names.field("key", k.facts) for k in others]
        fields: list[Field] = []

        def inner(node: exp.Expr) -> Expression:
            """A select item as an expression over the grouped rows."""
            if is_aggregate(node):
                made = binder.bind(node)
                if made not in aggregates:
                    aggregates.append(made)
                    named = self.state.names.field(made.function, _within_facts(made))
                    fields.append(named)
                    if made.function in ("sum", "count"):
                        self.state.by_unit.add(named.name)
                return fields[aggregates.index(made)].column
            bound = None if _has_aggregate(node) else self.expressions.bind(node)
            if bound is not None:
                if self._is_unit(bound):
                    return out_unit.column
                for key, named in zip(others, key_fields, strict=True):
                    if bound == key:
                        return named.column
                if isinstance(bound, Literal):
                    return bound
            raise QueryRefused(f"in a subquery by unit, {node.sql()[:80]} must be a group key or an aggregate; compute with it outside")

        outputs = {output_name(e, n): inner(e.unalias()) for n, e in enumerate(self.node.expressions)}
        having = self.node.args.get("having")
        condition = None if having is None else self._over_groups(having.this, inner)
        for part in ("limit", "offset"):
            if self.node.args.get(part) is not None:
                raise QueryRefused("LIMIT of rows depends on other units' rows; aggregate first")
        rows = 1 if not others else None
        grouped = PerUnit(
            relation, (out_unit, *key_fields, *fields), tuple(others), tuple(aggregates), out_unit.name, rows, rows or relation.most_rows
        )
        determined = frozenset(f.name for f in grouped.fields) if rows == 1 else frozenset({out_unit.name})
        final: Relation = grouped if condition is None else Filter(grouped, condition)
        visible = {}
        computed = {n: e for n, e in outputs.items() if not isinstance(e, Column)}
        by_name = {f.name: f for f in final.fields}
        if computed:
            new = {n: self.state.names.field(n, e.facts) for n, e in computed.items()}
            final = Project(final, (*final.fields, *new.values()), (*(f.column for f in final.fields), *computed.values()), out_unit.name)
            by_name |= {n: f for n, f in new.items()}
        for name, e in outputs.items():
            visible[name] = by_name[e.name] if isinstance(e, Column) else by_name[name]
        return Kept(final, visible, True, determined, units=frozenset({out_unit.name}))

    def _over_groups(self, node: exp.Expr, inner: Callable[[exp.Expr], Expression]) -> Expression:
        """A condition over keys and aggregates of one unit: each of them stands under a name of its own."""
        columns: dict[str, Field] = {}

        def named(part: exp.Expr) -> exp.Expr:
            if is_aggregate(part) or isinstance(part, exp.Column):
                bound = inner(part)
                assert isinstance(bound, Column)
                columns[bound.name] = Field(bound.name, bound.facts)
                return exp.column(bound.name, quoted=True)
            return part

        replaced = node.copy().transform(named)
        scope = Scope()
        scope.add(Visible("", columns))
        return Expressions(scope, self.state.dialect, self.state.parameters).condition(replaced)

    def _release(self, keys: list[Expression]) -> Open:
        if self.joined.dropped and not self._ignores_nulls():
            raise QueryRefused(
                "a left join that keeps public rows without private ones would count them; use an inner join, "
                "or aggregates of private columns, which leave them out"
            )
        for key in keys:
            if key.facts.identifies:
                raise QueryRefused(
                    "an id of the privacy unit cannot be a group, since each would tell of one unit alone; it can be counted"
                )
            if key.facts.kind in ("other", "interval", "time"):
                raise QueryRefused(f"values of type {key.facts.kind} cannot be groups")
        return _Releasing(self, keys).open()

    def _ignores_nulls(self) -> bool:
        private = {f.name for s in self.scope.sources for f in s.columns.values() if s.alias in self.joined.private_aliases}
        aggregates = Aggregates(self.expressions, within=False)
        for expression in self.node.expressions:
            for found in expression.find_all(exp.AggFunc):
                argument = aggregates.bind(found).argument
                if argument is None or not columns_of(argument) & private:
                    return False
        return True


class _Releasing:
    """Makes a release of one SELECT, and the residual over its table."""

    def __init__(self, select: _Select, keys: list[Expression]) -> None:
        self._select = select
        self._keys = keys
        self._aggregates: list[Aggregate] = []
        self._binder = Aggregates(select.expressions, within=False)
        self._state = select.state
        self._name = f"r{len(self._state.releases)}"

    def open(self) -> Open:
        node = self._select.node
        shown, names = [], []
        for position, expression in enumerate(node.expressions):
            if isinstance(expression, exp.Star):
                raise QueryRefused("* stands for whole rows, which are never shown; name what is to be aggregated")
            name = output_name(expression, position, self._state.dialect)
            names.append(name)
            shown.append(exp.alias_(self.residual(expression.unalias()), name, quoted=True))
        made = exp.Select(expressions=shown).from_(exp.Table(this=exp.to_identifier(self._name, quoted=True)))
        if node.args.get("distinct") is not None and self._aggregates:
            if node.args["distinct"].args.get("on"):
                raise QueryRefused("DISTINCT ON is not answered")
            made = made.distinct()
        having = node.args.get("having")
        if having is not None:
            made = made.where(self.residual(having.this))
        self._order(node, made)
        for part in ("limit", "offset"):
            if node.args.get(part) is not None:
                made.set(part, node.args[part].copy())
        release = self._release()
        self._state.releases.append(release)
        return Open(made, tuple(names))

    def _order(self, node: exp.Select, made: exp.Select) -> None:
        order = node.args.get("order")
        if order is None:
            return
        outputs = {output_name(e, n, self._state.dialect): n for n, e in enumerate(node.expressions)}
        ordered = []
        for one in order.expressions:
            inner = one.this
            name = folded(inner.this) if isinstance(inner, exp.Column) and not inner.args.get("table") else None
            if isinstance(inner, exp.Literal) and not inner.args.get("is_string"):
                target: exp.Expr = inner.copy()
            elif name in outputs:
                target = exp.Literal.number(outputs[name] + 1)
            else:
                target = self.residual(inner)
            copied = one.copy()
            copied.set("this", target)
            if self._state.dialect == "postgres" and copied.args.get("nulls_first") is None:
                copied.set("nulls_first", bool(copied.args.get("desc")))
            ordered.append(copied)
        made.set("order", exp.Order(expressions=ordered))

    def residual(self, node: exp.Expr) -> exp.Expr:
        """`node` over the release's table: keys and aggregates become its columns."""
        if isinstance(node, exp.Window):
            made = node.copy()
            for part, value in list(made.args.items()):
                if part == "this":
                    inner = value.copy()
                    for name, argument in list(inner.args.items()):
                        inner.set(name, self._within(argument))
                    made.set("this", inner)
                else:
                    made.set(part, self._within(value))
            return made
        if is_aggregate(node):
            aggregate = self._binder.bind(node)
            if aggregate not in self._aggregates:
                self._aggregates.append(aggregate)
            return exp.column(f"a{self._aggregates.index(aggregate)}", quoted=True)
        if isinstance(node, exp.Parameter | exp.Placeholder):
            return _literal_node(self._select.expressions.bind(node))
        if not isinstance(node, exp.Literal | exp.Null | exp.Boolean | exp.DataType | exp.Interval | exp.Identifier) and not _has_aggregate(
            node
        ):
            bound = self._try(node)
            if bound is not None and bound in self._keys:
                return exp.column(f"k{self._keys.index(bound)}", quoted=True)
        if isinstance(node, exp.Column):
            self._select.scope.resolve(node)
            raise QueryInvalid(f"the column '{node.sql()[:60]}' must be in GROUP BY, or inside an aggregate")
        if isinstance(node, exp.Star):
            return node
        made = node.copy()
        for part, value in list(made.args.items()):
            made.set(part, self._within(value))
        return made

    def _within(self, value: object) -> object:
        if isinstance(value, exp.Query | exp.Subquery):
            raise QueryRefused("a subquery beside aggregates is not understood; put the aggregates in a subquery of their own")
        if isinstance(value, exp.Expr):
            return self.residual(value)
        if isinstance(value, list):
            return [self._within(v) for v in value]
        return value

    def _try(self, node: exp.Expr) -> Expression | None:
        try:
            return self._select.expressions.bind(node)
        except (QueryInvalid, QueryRefused):
            return None

    def _release(self) -> Release:
        joined = self._select.joined
        keys = tuple(
            Key(f"k{n}", key, columns_of(key) <= joined.determined and joined.relation.unit is not None) for n, key in enumerate(self._keys)
        )
        names = tuple(f"a{n}" for n in range(len(self._aggregates)))
        if not keys and not self._aggregates:
            raise QueryRefused("the query asks for nothing of the rows; count or sum something")
        return Release(self._name, pruned(joined.relation, keys, self._aggregates), keys, tuple(self._aggregates), names)


def _select(node: exp.Select, environment: Environment, state: _State) -> Kept | Open:
    known, stay = _with(node, environment, state)
    sources = _sources(node, known, state)
    private = [s for s in sources if isinstance(s[2], Kept) and s[2].private]
    if not private:
        return _open(node, known, stay, state)
    scope = Scope()
    steps: list[Step] = []
    where = node.args.get("where")
    for kind, alias, found, joined in sources:
        if isinstance(found, Open):
            raise QueryRefused("rows and noisy outcomes cannot be joined; join noisy outcomes with each other, or rows with rows")
        if any(s.alias == alias for s in steps):
            raise QueryInvalid(f"the name '{alias}' is used for two tables in one FROM; give one an alias")
        left = list(scope.sources)
        if kind in ("right", "full"):
            scope.sources = [replace(s, columns=_padded(s.columns)) for s in left]
        scope.add(Visible(alias, _padded(found.columns) if kind in ("left", "full") else found.columns))
        steps.append(Step(alias, found, kind, _on(joined, left, scope, state)))
    expressions = Expressions(scope, state.dialect, state.parameters, state.by_unit)
    condition = None if where is None else expressions.condition(where.this)
    joined_rows = join(steps, condition, state.declaration, state.names)
    return _Select(node, scope, joined_rows, state).bind()


def _padded(columns: Mapping[str, Field]) -> dict[str, Field]:
    """Columns of a side that a join fills with nulls."""
    return {name: replace(field, facts=replace(field.facts, nullable=True)) for name, field in columns.items()}


def _sources(node: exp.Select, known: Environment, state: _State) -> list[tuple[str, str, Kept | Open, exp.Join | None]]:
    """The sources of FROM: how each is joined, its alias, what it is, and its join."""
    clause = node.args.get("from_") or node.args.get("from")
    if clause is None:
        return []
    found = [("first", *_source(clause.this, known, state), None)]
    for joined in node.args.get("joins") or []:
        side, kind = (joined.side or "").lower(), (joined.kind or "").lower()
        if kind in ("semi", "anti", "asof", "positional") or (joined.method and joined.method.upper() != "NATURAL"):
            raise QueryRefused(f"a {kind or joined.method} join is not understood here")
        plain = not joined.args.get("on") and not joined.args.get("using") and not joined.method
        found.append((side or ("cross" if plain else "inner"), *_source(joined.this, known, state), joined))  # type: ignore[arg-type]
    return found  # type: ignore[return-value]


def _source(node: exp.Expr, known: Environment, state: _State) -> tuple[str, Kept | Open]:
    if isinstance(node, exp.Subquery):
        alias = folded(node.args["alias"].this) if node.args.get("alias") else f"subquery{id(node)}"
        return str(alias), _query(node.this, known, state)
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise QueryRefused(f"FROM is understood of tables and subqueries, not of {node.sql()[:60]}")
    if node.args.get("joins"):
        raise QueryRefused("joins inside brackets are not understood; write them one after the other")
    name = str(folded(node.this))
    alias = str(folded(node.args["alias"].this) if node.args.get("alias") else name)
    if not node.args.get("db") and name in known:
        return alias, known[name]
    if node.args.get("catalog"):
        raise QueryInvalid(f"write '{name}' without its database")
    schema = folded(node.args.get("db")) if node.args.get("db") else None
    table = find_table(f"{schema}.{name}" if schema and schema != "public" else name, state.declaration)
    return alias, stored(table, state.declaration, state.names)


def _on(joined: exp.Join | None, left: Sequence[Visible], scope: Scope, state: _State) -> Expression | None:
    """The condition of a join; USING and NATURAL merge their columns."""
    if joined is None:
        return None
    right = scope.sources[-1]
    names = [str(folded(i)) for i in joined.args.get("using") or []]
    if joined.method and joined.method.upper() == "NATURAL":
        names = [n for n in right.columns if any(n in s.columns for s in left)]
    if names:
        pairs = []
        for name in names:
            holders = [s for s in left if name in s.columns]
            if name not in right.columns or not holders:
                raise QueryInvalid(f"there is no column '{name}' on both sides of USING")
            kept = scope.merged.get(name, holders[0].columns[name])
            pairs.append((kept, right.columns[name]))
            scope.merged[name] = kept if (joined.side or "").lower() != "right" else right.columns[name]
        return equal(pairs)
    on = joined.args.get("on")
    return None if on is None else Expressions(scope, state.dialect, state.parameters, state.by_unit).condition(on)


def _open(node: exp.Select, known: Environment, stay: list[exp.CTE], state: _State) -> Open:
    """A SELECT over noisy and public tables, with what is inside it replaced."""
    made = node.copy()
    made.set("with", None)
    made.set("with_", None)

    def replaced(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Subquery | exp.Exists | exp.In) and isinstance(part.args.get("query") or part.this, exp.Query):
            inner = part.args.get("query") or part.this
            inner = inner.this if isinstance(inner, exp.Subquery) else inner
            found = _query(inner, known, state)
            if not isinstance(found, Open):
                raise QueryRefused("a subquery here would show rows as they are; aggregate them", _aggregate_instead(inner))
            part.set("query" if part.args.get("query") is not None else "this", found.node)
            return part
        if isinstance(part, exp.Table) and isinstance(part.this, exp.Identifier):
            name = str(folded(part.this))
            if name in known and not part.args.get("db"):
                if isinstance(known[name], Kept):
                    raise QueryRefused(f"'{name}' holds rows as they are; aggregate them")
                return part
            schema = folded(part.args.get("db")) if part.args.get("db") else None
            table = find_table(f"{schema}.{name}" if schema and schema != "public" else name, state.declaration)
            if table not in state.declaration.public:
                raise QueryRefused(f"the private table '{table}' cannot be used inside what is done with noisy outcomes")
            state.public[table] = None
            alias = part.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
            return exp.Table(this=exp.to_identifier(table, quoted=True), alias=alias)
        return part

    made = _replace_topmost(made, replaced)
    names = tuple(output_name(e, n, state.dialect) for n, e in enumerate(made.expressions))
    _fill_parameters(made, state)
    if any(isinstance(e, exp.Star) or (isinstance(e, exp.Column) and isinstance(e.this, exp.Star)) for e in made.expressions):
        names = ()
    elif state.dialect == "postgres":
        made.set("expressions", [exp.alias_(e.unalias(), n, quoted=True) for e, n in zip(made.expressions, names, strict=True)])
    return Open(_with_ctes(made, stay), names)


def _fill_parameters(node: exp.Expr, state: _State) -> None:
    """Put the parameters' values in where they stand."""
    for parameter in list(node.find_all(exp.Parameter, exp.Placeholder)):
        parameter.replace(_literal_node(Expressions(Scope(), state.dialect, state.parameters).bind(parameter)))


def _replace_topmost(node: exp.Select, replaced: Callable[[exp.Expr], exp.Expr]) -> exp.Select:
    """Replace tables and subqueries of `node`, not going into subqueries that were replaced whole."""

    def walk(part: exp.Expr) -> None:
        for value in list(part.args.values()):
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, exp.Expr):
                    continue
                is_query = isinstance(child, exp.Subquery | exp.Exists | exp.In) and isinstance(
                    child.args.get("query") or child.this, exp.Query
                )
                if is_query or isinstance(child, exp.Table):
                    made = replaced(child)
                    if made is not child:
                        child.replace(made)
                    if isinstance(child, exp.In):
                        walk(child.this)
                else:
                    walk(child)

    walk(node)
    return node


def _with_ctes(node: exp.Query, stay: list[exp.CTE]) -> exp.Query:
    if stay:
        for cte in stay:
            node = node.with_(cte.args["alias"], cte.this, append=True, copy=False)
    return node


def _has_aggregate(node: exp.Expr) -> bool:
    """Whether `node` aggregates, not counting what is inside subqueries."""
    if isinstance(node, exp.Query | exp.Subquery):
        return False
    if is_aggregate(node):
        return True
    return any(_has_aggregate(child) for child in node.iter_expressions())


def _within_facts(aggregate: Aggregate) -> Facts:
    """What is known of an aggregate over one unit's rows."""
    facts = aggregate.facts
    if aggregate.function in ("min", "max") and aggregate.argument is not None:
        return replace(aggregate.argument.facts, nullable=True)
    if aggregate.function == "avg" and aggregate.argument is not None:
        return ranges.number("double", True, (aggregate.argument.facts.lo, aggregate.argument.facts.hi), None)
    return facts


def _literal_node(bound: Expression) -> exp.Expr:
    from dpsql.functions.emission import literal

    assert isinstance(bound, Literal)
    return exp.maybe_parse(literal(bound, "duckdb"), dialect="duckdb")


def _aggregate_instead(node: exp.Query) -> str | None:
    """The nearest query that counts the rows that `node` shows."""
    if not isinstance(node, exp.Select):
        return None
    made = node.copy()
    for part in ("order", "limit", "offset", "distinct", "group", "having"):
        made.set(part, None)
    made.set("expressions", [exp.Count(this=exp.Star())])
    return str(made.sql(dialect="postgres"))
