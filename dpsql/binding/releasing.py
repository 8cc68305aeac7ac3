"""A release: aggregates over the rows of many units, by group, and what is done with their noisy outcome."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import expressions as exp

from dpsql.binding.aggregates import Aggregates, has_aggregate, is_aggregate
from dpsql.binding.constants import is_null
from dpsql.binding.division import divided, is_fractional
from dpsql.binding.group_keys import GroupKeys
from dpsql.binding.key_values import with_key_values
from dpsql.binding.looked_up import LookUp, looked_up
from dpsql.binding.made_moments import MADE
from dpsql.binding.mending import Mendable
from dpsql.binding.naming import output_name
from dpsql.binding.pruning import columns_of, pruned
from dpsql.binding.residual import constant_node
from dpsql.binding.scopes import folded
from dpsql.binding.selecting import Selecting
from dpsql.binding.state import Open
from dpsql.binding.understood import called, check, excerpt
from dpsql.binding.unnesting import refused_beside
from dpsql.binding.without_partner import adds_nothing
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.outcome_columns import DEVIATION, ERROR
from dpsql.tree import Aggregate, Column, Expression, Key, Literal, Release

GROUPINGS = "groupings"
UNCHANGED = exp.Literal | exp.Null | exp.Boolean | exp.DataType | exp.Interval | exp.Identifier | exp.Var


def release(selecting: Selecting, found: GroupKeys) -> Open:
    """Return the noisy outcome of a SELECT that aggregates, or that shows which groups there are."""
    for key, node in zip(found.keys, found.nodes, strict=True):
        if key.facts.identifies:
            raise Mendable(
                "an id of the privacy unit cannot be a group, since each would tell of one unit alone; it can be counted",
                selecting.node,
                lambda place, node=node: _without(place, node),  # type: ignore[misc]
            )
        if key.facts.kind in ("other", "interval", "time"):
            raise QueryRefused(f"values of type {key.facts.kind} cannot be groups")
    return _Releasing(selecting, found).open()


def _without(place: exp.Expr, key: exp.Expr) -> None:
    """Take a group key out of a SELECT."""
    kept = [e for e in place.expressions if e.unalias() != key] or [exp.Count(this=exp.Star())]
    if not any(has_aggregate(e) for e in kept):
        kept.append(exp.Count(this=exp.Star()))
    group = place.args.get("group")
    others = [] if group is None else [e for e in group.expressions if e != key]
    if any(isinstance(e, exp.Literal) for e in others):
        # places would be those of other columns now
        others = [e.unalias().copy() for e in kept if not has_aggregate(e)]
    place.set("expressions", kept)
    place.set("group", exp.Group(expressions=others) if others else None)
    place.set("distinct", None)
    place.set("order", None)


def _inner_joins(place: exp.Expr) -> None:
    """Make inner joins of all joins of a SELECT."""
    for one in place.args.get("joins") or []:
        one.set("side", None)
        one.set("kind", None if one.args.get("on") or one.args.get("using") else one.args.get("kind"))


class _Releasing:
    """Makes the releases of one SELECT, one for each of its groupings, and the residual over their tables.

    Each is measured and paid for by itself: what several groupings tell of a unit is what each does, taken together.
    """

    def __init__(self, selecting: Selecting, found: GroupKeys) -> None:
        self._selecting = selecting
        self._expressions = selecting.expressions
        self._looked_up = looked_up(found, selecting.joined.relation, selecting.state.declaration)
        self._keys = [key for key in found.keys if not (isinstance(key, Column) and key.name in self._looked_up)]
        self._sets = found.sets
        self._outside: list[exp.Column] = []  # keys that subqueries of the residual look at
        self._aggregates: list[Aggregate] = []
        self._binder = Aggregates(self._expressions, within=False)
        self._state = selecting.state
        self._aliases = {
            str(folded(e.args["alias"])): e.this for e in selecting.node.expressions if isinstance(e, exp.Alias) and e.args.get("alias")
        }

    def open(self) -> Open:
        node, state = self._selecting.node, self._state
        shown, names = [], []
        for expression in node.expressions:
            if isinstance(expression, exp.Star):
                raise QueryRefused("* stands for whole rows, which are never shown; name what is to be aggregated")
            name = output_name(expression, state.sql, state.dialect)
            names.append(name)
            shown.append((expression.unalias(), name))
        columns = [exp.alias_(self.residual(e), n, quoted=True) for e, n in shown]
        made = exp.Select(expressions=columns)
        having = node.args.get("having")
        if having is not None:
            made = made.where(self.residual(having.this))
        qualify = node.args.get("qualify")
        if qualify is not None:
            condition = self.residual(qualify.this)
            windowed = any(e.find(exp.Window) is not None for e in (condition, *columns))
            made = made.qualify(condition) if windowed else made.where(condition)  # DuckDB has no QUALIFY without a window
        distinct = node.args.get("distinct")
        if distinct is not None:
            if distinct.args.get("on") or distinct.expressions:
                raise QueryRefused("DISTINCT ON is not answered")
            made = made.distinct()
        self._order(node, made)
        for part in ("limit", "offset"):
            if node.args.get(part) is not None:
                made.set(part, node.args[part].copy())
        self._dropped()
        windows = node.args.get("windows")
        if windows:
            made.set("windows", [self._window(one) for one in windows])
        return Open(made.from_(self._source()), tuple(names))

    def _source(self) -> exp.Expr:
        """The table of the release, or of several groupings one above the other, with null for the keys that are not in one."""
        state = self._state
        if self._sets is None:
            state.releases.append(self._release(range(len(self._keys))))  # those of subqueries beside the aggregates come before
            for key in self._outside:
                key.set("table", exp.to_identifier(state.releases[-1].name, quoted=True))
            return exp.Table(this=exp.to_identifier(state.releases[-1].name, quoted=True))
        released: dict[tuple[int, ...], str] = {}
        selects: list[exp.Query] = []
        for one in self._sets:
            empty = not one and not self._aggregates  # the one group of all is always there
            if one not in released and not empty:
                state.releases.append(self._release(one))
                released[one] = state.releases[-1].name
            selects.append(self._grouping(one, released.get(one)))
        union = selects[0]
        for other in selects[1:]:
            union = exp.Union(this=union, expression=other, distinct=False)
        return exp.Subquery(this=union, alias=exp.TableAlias(this=exp.to_identifier(GROUPINGS, quoted=True)))

    def _grouping(self, one: Collection[int], table: str | None) -> exp.Select:
        columns: list[exp.Expr] = []
        for n, _ in enumerate(self._keys):
            name = f"k{n}"
            columns.append(exp.column(name, quoted=True) if n in one else exp.alias_(exp.Null(), name, quoted=True))
            columns.append(exp.alias_(exp.Literal.number(0 if n in one else 1), f"g{n}", quoted=True))
        for n, _ in enumerate(self._aggregates):
            columns += [exp.column(f"a{n}{ending}", quoted=True) for ending in ("", DEVIATION, ERROR)]
        made = exp.Select(expressions=columns or [exp.Literal.number(1)])
        return made if table is None else made.from_(exp.Table(this=exp.to_identifier(table, quoted=True)))

    def _told_grouping(self, node: exp.Expr) -> exp.Expr:
        """GROUPING (a, b): a bit for each key, set where it is not in the grouping of the row."""
        made: exp.Expr = exp.Literal.number(0)
        for one in node.expressions:
            bound = self._try(one)
            if bound not in self._keys:
                raise QueryInvalid(f"GROUPING names keys of GROUP BY, not {excerpt(one)}")
            bit = exp.column(f"g{self._keys.index(bound)}", quoted=True) if self._sets is not None else exp.Literal.number(0)
            made = exp.Add(this=exp.Paren(this=exp.Mul(this=made, expression=exp.Literal.number(2))), expression=bit)
        return exp.Paren(this=made)

    def _order(self, node: exp.Select, made: exp.Select) -> None:
        order = node.args.get("order")
        if order is None:
            return
        names = [output_name(e, self._state.sql, self._state.dialect) for e in node.expressions]
        ordered = []
        for one in order.expressions:
            check(one)
            inner = one.this
            name = folded(inner.this) if isinstance(inner, exp.Column) and not inner.args.get("table") else None
            if (isinstance(inner, exp.Literal) and not inner.args.get("is_string")) or isinstance(inner, exp.Var):
                target: exp.Expr = inner.copy()
            elif name in names:
                target = exp.Literal.number(names.index(str(name)) + 1)
            else:
                target = self.residual(inner)
            ordered.append(in_order(one, target, self._state.dialect))
        made.set("order", exp.Order(expressions=ordered))

    def residual(self, node: exp.Expr, aliases: bool = True) -> exp.Expr:
        """`node` over the release's table: keys and aggregates become its columns."""
        if isinstance(node, exp.Window):
            return self._window(node)
        if isinstance(node, exp.Grouping | exp.GroupingId):
            return self._told_grouping(node)
        if is_aggregate(node):
            return self._measured(node)
        if isinstance(node, exp.Parameter | exp.Placeholder):
            return constant_node(self._expressions.bind(node))
        if isinstance(node, exp.Subquery):
            return self._beside(node)
        if isinstance(node, exp.Query | exp.Exists) or (isinstance(node, exp.In) and node.args.get("query") is not None):
            raise QueryRefused(
                "EXISTS and IN (SELECT ...) beside aggregates are not understood; put the aggregates in a subquery of their own"
            )
        if not isinstance(node, UNCHANGED) and not has_aggregate(node):
            bound = self._try(node)
            if bound is not None and bound in self._keys:
                return exp.column(f"k{self._keys.index(bound)}", quoted=True)
            if isinstance(bound, Column) and bound.name in self._looked_up:
                return self._look_up(self._looked_up[bound.name])
            if isinstance(bound, Literal) and isinstance(node, (*MADE, exp.Anonymous)):
                return constant_node(bound)
        if isinstance(node, exp.Column):
            alias = self._aliases.get(str(folded(node.this))) if not node.args.get("table") else None
            if aliases and alias is not None and not self._selecting.scope.has(str(folded(node.this))):
                return self.residual(alias, aliases=False)
            self._selecting.scope.resolve(node)
            function = node.find_ancestor(exp.Anonymous, exp.Select)
            if isinstance(function, exp.Anonymous):
                raise QueryRefused(
                    f"'{called(function, self._state.dialect)}' is not known as an aggregate, or as a function of a group's key"
                )
            raise QueryInvalid(f"the column {excerpt(node)} must be in GROUP BY, or inside an aggregate")
        if isinstance(node, exp.Star):
            return node.copy()
        made = node.copy()
        for part, value in list(node.args.items()):
            made.set(part, self._within(value, aliases))
        if isinstance(node, exp.Div) and self._state.dialect == "postgres":
            return divided(node, made, self._is_wide)
        return made

    def _look_up(self, one: LookUp) -> exp.Expr:
        self._state.public[one.table] = None
        key = exp.column(f"k{self._keys.index(one.key)}", quoted=True)
        self._outside.append(key)
        return one.sql(key)

    def _is_wide(self, node: exp.Sum) -> bool:
        """Whether PostgreSQL sums something as NUMERIC that here is whole."""
        argument = self._binder.bind(node).argument
        return argument is not None and (is_fractional(argument) or any(self._is_bigint(name) for name in columns_of(argument)))

    def _is_bigint(self, name: str) -> bool:
        origin = self._state.names.origins.get(name)
        if origin is None:
            return name in self._state.by_unit
        return self._state.declaration.schema.table(origin.table).column(origin.column).type.kind == "bigint"

    def _beside(self, node: exp.Subquery) -> exp.Expr:
        """A subquery beside aggregates: a noisy outcome of its own, or public."""
        check(node)
        if (refused := refused_beside(node, node.this)) is not None:
            raise refused
        found = self._state.query(node.this, self._selecting.known, self._state)
        if not isinstance(found, Open):
            raise QueryRefused("a subquery beside aggregates would show rows as they are; aggregate them")
        return exp.Subquery(this=found.node)

    def _window(self, node: exp.Window) -> exp.Expr:
        """A window over the noisy outcome: the function itself is not measured, what is inside of it is."""
        made = node.copy()
        for part, value in list(node.args.items()):
            if part == "this":
                function = value.copy()
                for name, argument in list(value.args.items()):
                    function.set(name, self._within(argument, True))
                made.set("this", function)
            elif part == "order" and value is not None:
                ordered = [in_order(one, self.residual(one.this), self._state.dialect) for one in value.expressions]
                made.set("order", exp.Order(expressions=ordered))
            elif part != "spec":
                made.set(part, self._within(value, True))
        return made

    def _measured(self, node: exp.Expr) -> exp.Expr:
        key = self._one_value(node)
        if key is not None:
            return key
        aggregate = self._binder.bind(node)
        if aggregate.argument is not None and is_null(aggregate.argument):
            raise QueryInvalid(f"{excerpt(node)} aggregates nothing but NULL")
        if aggregate not in self._aggregates:
            self._aggregates.append(aggregate)
        return exp.column(f"a{self._aggregates.index(aggregate)}", quoted=True)

    def _one_value(self, node: exp.Expr) -> exp.Expr | None:
        """The one value of a group that MIN, MAX or ANY_VALUE of a key, or of what follows from one, is; None for all else."""
        inner = node.this if isinstance(node, exp.IgnoreNulls) else node
        if not isinstance(inner, exp.Min | exp.Max | exp.AnyValue) or inner.expressions or self._sets is not None:
            return None
        bound = self._try(inner.this)
        if bound is None or isinstance(bound, Literal):
            return None
        if bound in self._keys:
            return exp.column(f"k{self._keys.index(bound)}", quoted=True)
        return self._look_up(self._looked_up[bound.name]) if isinstance(bound, Column) and bound.name in self._looked_up else None

    def _within(self, value: object, aliases: bool) -> object:
        if isinstance(value, exp.Expr):
            return self.residual(value, aliases)
        if isinstance(value, list):
            return [self._within(v, aliases) for v in value]
        return value

    def _try(self, node: exp.Expr) -> Expression | None:
        try:
            return self._expressions.bind(node)
        except (QueryInvalid, QueryRefused):
            return None

    def _dropped(self) -> None:
        """Refuse aggregates that would count public rows without private ones, which were left out."""
        joined = self._selecting.joined
        if not joined.dropped:
            return
        for aggregate in self._aggregates:
            if not adds_nothing(aggregate, joined.private_fields):
                raise Mendable(
                    "a left join that keeps public rows without private ones would count them; use an inner join, "
                    "or aggregates of private columns, which leave them out",
                    self._selecting.node,
                    _inner_joins,
                )

    def _release(self, chosen: Collection[int]) -> Release:
        joined = self._selecting.joined
        keys = tuple(
            Key(f"k{n}", with_key_values(key), columns_of(key) <= joined.determined and joined.relation.unit is not None)
            for n, key in enumerate(self._keys)
            if n in chosen
        )
        names = tuple(f"a{n}" for n in range(len(self._aggregates)))
        if not keys and not self._aggregates:
            raise QueryRefused("the query asks for nothing of the rows; count or sum something")
        used = (*(key.expression for key in keys), *(aggregate.argument for aggregate in self._aggregates))
        return Release(self._state.release_name(), pruned(joined.relation, used), keys, tuple(self._aggregates), names)


def in_order(one: exp.Expr, target: exp.Expr, dialect: str) -> exp.Expr:
    """Return one term of ORDER BY over `target`, with nulls where the dialect puts them."""
    made = one.copy()
    made.set("this", target)
    if dialect == "postgres" and made.args.get("nulls_first") is None:
        made.set("nulls_first", bool(made.args.get("desc")))
    return made
