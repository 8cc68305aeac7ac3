"""Telling what keeps its unit from what is released, query by query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate
from dpsql.binding.as_in_postgres import as_in_postgres, hold_forms, text_columns
from dpsql.binding.common_tables import with_stay, with_tables
from dpsql.binding.from_clause import sources, steps
from dpsql.binding.group_keys import GroupKeys, group_keys, one_grouping
from dpsql.binding.joins import Step, join
from dpsql.binding.keeping import distinct_rows, per_unit, rows
from dpsql.binding.key_conditions import note_conditions, with_key_conditions
from dpsql.binding.mending import Mendable, count_of, in_equal_form, mended, nearest
from dpsql.binding.multiplied import hold_product
from dpsql.binding.naming import duckdb_names, output_name
from dpsql.binding.outcome import check_outcome
from dpsql.binding.parsing import parse
from dpsql.binding.public_rows import hold_public, public_rows
from dpsql.binding.refining import learned
from dpsql.binding.releasing import release
from dpsql.binding.residual import fill_parameters, residual
from dpsql.binding.scalars import scalars
from dpsql.binding.scopes import Scope
from dpsql.binding.selecting import Selecting
from dpsql.binding.set_operations import set_operation
from dpsql.binding.sources import Kept
from dpsql.binding.state import Environment, Found, State
from dpsql.binding.subqueries import keep, split
from dpsql.binding.understood import check
from dpsql.binding.where_aliases import without_aliases
from dpsql.binding.written_sizes import hold_sizes
from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.sql_text import sql_of
from dpsql.tree import Literal, OneRow, Query, Value

MOST_MENDS = 4
MOST_FORMS = 20  # in which a query is bound, each the one before with one part written in another way
DISTINCT_ON = "DISTINCT ON is not answered, since which row it keeps depends on the others; ask for MIN or MAX of a column with GROUP BY"
NOT_UNDERSTOOD = "this form of a query is not understood"


def bind(sql: str, declaration: Declaration, *, dialect: str = "postgres", parameters: Sequence[Value] = ()) -> Query:
    """Return the bound query that `sql` is.

    Raises QueryInvalid where it cannot be read or names what is not there, QueryRefused where it cannot be shown private; with the
    nearest query that is accepted where there is one.
    """
    node = parse(sql, dialect, declaration.schema.name)
    for _ in range(MOST_FORMS + 1):
        try:
            return _bound(node, sql, declaration, dialect, parameters)
        except QueryRefused as refusal:
            other = in_equal_form(node, refusal, lambda shown: output_name(shown, sql, dialect))
            if other is None:
                raise QueryRefused(refusal.reason, _instead(node, refusal, declaration, dialect, parameters)) from None
            node = other
    raise QueryInvalid(
        f"the query has more than {MOST_FORMS} subqueries, joins and aggregates that are answered in another form; ask in several"
    )


def _bound(node: exp.Query, sql: str, declaration: Declaration, dialect: str, parameters: Sequence[Value]) -> Query:
    made, narrowed = _bound_once(node, sql, declaration, dialect, parameters, narrowing=True)
    return replace(made, whole=_bound_once(node, sql, declaration, dialect, parameters, narrowing=False)[0]) if narrowed else made


def _bound_once(
    node: exp.Query, sql: str, declaration: Declaration, dialect: str, parameters: Sequence[Value], *, narrowing: bool
) -> tuple[Query, bool]:
    """The bound query, and whether conditions on keys narrowed its rows."""
    state = State(declaration, dialect, parameters, sql, query, root=node, narrowing=narrowing)
    try:
        note_conditions(node)
        if dialect == "postgres":
            hold_forms(node)
        found = query(node, {}, state)
        if isinstance(found, Kept):
            raise _rows_shown(node)
        fill_parameters(found.node, state)
        if dialect == "postgres":
            as_in_postgres(found.node, text_columns(found.node, state))
        check_outcome(found.node, {r.name for r in state.releases} | set(state.public), dialect)
        for one in state.releases:
            hold_public(one.rows, declaration)
            hold_product(one.rows, dict.fromkeys(declaration.public, 1))  # by the query alone; whoever has the data knows more
            hold_sizes(one)
        state.keep_named(found.node)
        names = found.names
        if dialect == "duckdb" and names:
            own = duckdb_names(sql, declaration.schema)
            names = own if own is not None and len(own) == len(names) else names
        return Query(tuple(state.releases), tuple(state.public), sql_of(found.node, "duckdb"), names), state.narrowed
    except RecursionError:
        raise QueryInvalid("the query is nested too deeply") from None
    except (AttributeError, TypeError, LookupError, AssertionError, ArithmeticError, ValueError, StopIteration) as error:
        # sqlglot leaves parts of odd queries out that ours expect; whatever such a query says, it is not one that was understood
        raise QueryRefused(NOT_UNDERSTOOD) from error


def _instead(
    node: exp.Query, refusal: QueryRefused, declaration: Declaration, dialect: str, parameters: Sequence[Value], depth: int = 0
) -> str | None:
    """The nearest accepted query: with what was refused mended, else the count of the same rows."""
    tried: set[str] = set()

    def candidates() -> Iterator[exp.Query]:
        made = mended(node, refusal)
        if made is not None:
            yield made
        if depth == 0:
            yield from nearest(node)

    try:
        for candidate in candidates():
            text = sql_of(candidate, dialect)
            if text in tried or len(tried) > 8:
                continue
            tried.add(text)
            again = parse(text, dialect, declaration.schema.name)
            try:
                _bound(again, text, declaration, dialect, parameters)
            except QueryRefused as other:
                found = _instead(again, other, declaration, dialect, parameters, depth + 1) if depth < MOST_MENDS else None
                if found is not None:
                    return found
            except QueryInvalid:
                continue
            else:
                return text
    except (QueryInvalid, QueryRefused, RecursionError, ValueError):
        return None
    return None


def _rows_shown(node: exp.Query) -> QueryRefused:
    grouped = isinstance(node, exp.Select) and node.args.get("group") is not None
    shown = "one row for each unit of privacy" if grouped else "rows as they are"

    def counted(place: exp.Expr) -> None:
        if not isinstance(place, exp.Select):
            return
        made = count_of(place)
        if grouped:
            inner = place.copy()
            inner.set("with_", None)
            made = exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(
                exp.Subquery(this=inner, alias=exp.TableAlias(this="by_unit"))
            )
            made.set("with_", place.args.get("with_"))
        place.replace(made)

    return Mendable(f"this would show {shown}; only aggregates over many units are answered", node, counted)


def query(node: exp.Expr, environment: Environment, state: State) -> Found:
    """Return a query inside of the query."""
    if isinstance(node, exp.Subquery):
        check(node)
        if node.args.get("with_") is not None:
            raise QueryRefused("WITH is understood at the beginning of a SELECT")
        return query(node.this, environment, state)
    if isinstance(node, exp.SetOperation):
        return set_operation(node, environment, state)
    if not isinstance(node, exp.Select):
        raise QueryRefused(f"{node.key.upper()} is not understood here")
    check(node)
    for part in ("order", "limit", "offset", "distinct", "group"):
        if node.args.get(part) is not None and part != "group":
            check_clause(node.args[part])
    return _select(node, environment, state)


def check_clause(node: exp.Expr) -> None:
    """Refuse a clause that says more than is understood, such as FETCH ... WITH TIES."""
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and any(options.args.get(part) for part in ("percent", "with_ties")):
            raise QueryRefused("FETCH is understood without PERCENT and WITH TIES")
    elif isinstance(node, exp.Limit):
        if not isinstance(node.expression, exp.Literal | exp.Parameter | exp.Placeholder | exp.Null):
            raise QueryRefused("LIMIT needs a constant number of rows")
    elif isinstance(node, exp.Distinct) and node.args.get("on") is not None:
        raise QueryRefused(DISTINCT_ON)


def _select(node: exp.Select, environment: Environment, state: State) -> Found:
    tables = with_tables(node, environment, state)
    found = sources(node, tables.known, state)
    if not state.public_as_rows and not any(isinstance(s.found, Kept) and s.found.private for s in found):
        return with_stay(residual(node, tables.known, state), tables)
    scope = Scope()
    made_steps = steps(found, scope, state) or [Step("", Kept(OneRow(), {}, False, uniques=(frozenset(),)), "first", None)]
    private = any(step.kept.private for step in made_steps)
    if state.dialect == "duckdb":
        without_aliases(node, scope)
    where = node.args.get("where")
    plain, members = split(None if where is None else where.this)
    beside = scalars(node, scope, tables.known, state)
    binder = state.expressions(scope)
    conditions = [binder.condition(one) for one in plain]
    condition = None if not conditions else conditions[0] if len(conditions) == 1 else call("and", *conditions)
    joined = join([*made_steps, *beside], condition, state.declaration, state.names)
    for member in members:
        joined = keep(joined, member, scope, tables.known, state)
    if condition is not None:
        scope = scope.knowing(learned(condition))
    selecting = Selecting(node, scope, joined, state, tables.known)
    made = _classified(selecting) if private else _of_public(selecting)
    # DISTINCT comes after the windows, so that without groups they are over rows
    over_rows = isinstance(made, Kept) or not _groups(node)
    if over_rows and any(node.args.get(part) for part in ("qualify", "windows")):
        raise QueryRefused("QUALIFY and WINDOW are understood of the noisy outcome; windows over rows compare those of different units")
    return with_stay(made, tables)


def _groups(node: exp.Select) -> bool:
    """Whether a SELECT has groups, if only the one of all rows."""
    return any(node.args.get(part) is not None for part in ("group", "having")) or any(has_aggregate(e) for e in node.expressions)


def _of_public(selecting: Selecting) -> Kept:
    """Rows of public tables."""
    keys = one_grouping(selecting, group_keys(selecting, selecting.node.args.get("group"))) if _groups(selecting.node) else None
    return public_rows(selecting, keys)


def _classified(selecting: Selecting) -> Found:
    """Rows, aggregates of one unit, or a release."""
    node = selecting.node
    group, distinct = node.args.get("group"), node.args.get("distinct")
    if not _groups(node):
        if distinct is None:
            selecting.no_limit()
            return rows(selecting)
        if not any(isinstance(e, exp.Star) for e in node.expressions):
            nodes = [e.unalias() for e in node.expressions]
            keys = [selecting.expressions.bind(e) for e in nodes]
            if not any(selecting.is_unit(k) for k in keys):
                chosen = [(k, n) for k, n in zip(keys, nodes, strict=True) if not isinstance(k, Literal)]
                return release(selecting, GroupKeys([k for k, _ in chosen], [n for _, n in chosen]))
        selecting.no_limit()
        made = rows(selecting)
        if not any(f.name == made.relation.unit or f.name in made.units for f in made.columns.values()):
            raise QueryRefused("SELECT DISTINCT * leaves out rows that other units have too; name the columns")
        return distinct_rows(made)
    found = group_keys(selecting, group)
    if any(selecting.tells_unit(key) for key in found.keys):
        kept = per_unit(selecting, one_grouping(selecting, found))
        if distinct is not None and not any(f.name == kept.relation.unit for f in kept.columns.values()):
            raise QueryRefused("DISTINCT leaves out what other units have too; have the unit's id among the columns, or leave DISTINCT out")
        return kept
    narrow = with_key_conditions(selecting, found) if selecting.state.narrowing else selecting
    if narrow is not selecting:
        selecting.state.narrowed = True
        found = group_keys(narrow, group)
    return release(narrow, found)
