"""What is done with noisy and public tables: SQL that sees nothing private, with what is inside of it replaced."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import expressions as exp

from dpsql.binding.constants import constant, is_null
from dpsql.binding.division import divided
from dpsql.binding.mending import Mendable, count_of
from dpsql.binding.naming import output_name
from dpsql.binding.public_rows import is_public
from dpsql.binding.scopes import Scope, folded
from dpsql.binding.sources import find_table
from dpsql.binding.state import Environment, Open, State
from dpsql.binding.unnesting import outer_columns
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions.emission import literal
from dpsql.sql_text import sql_of
from dpsql.tree import Expression, Literal

AROUND = (
    "a subquery of private rows is understood without columns of the query around it; group it by the column that joins both, and join its "
    "outcome"
)
Replace = Callable[[exp.Expr], exp.Expr]


def residual(node: exp.Select, known: Environment, state: State) -> Open:
    """Return a SELECT over noisy and public tables; QueryRefused where something private is left in it."""
    made = node.copy()
    made.set("with_", None)
    _replaced(made, lambda part: _inside(part, known, state))
    names = tuple(output_name(e, state.sql, state.dialect) for e in node.expressions)
    fill_parameters(made, state)
    if state.dialect == "postgres":
        for quotient in list(made.find_all(exp.Div)):
            if quotient.find_ancestor(exp.Select) is made:  # those of subqueries are written already
                quotient.replace(divided(quotient, quotient.copy(), None))
        for order in made.find_all(exp.Ordered):
            if order.args.get("nulls_first") is None:
                order.set("nulls_first", bool(order.args.get("desc")))
    starred = any(isinstance(e, exp.Star) or (isinstance(e, exp.Column) and isinstance(e.this, exp.Star)) for e in made.expressions)
    if starred:
        return Open(made, ())
    if state.dialect == "postgres":
        made.set("expressions", [exp.alias_(e.unalias(), n, quoted=True) for e, n in zip(made.expressions, names, strict=True)])
    return Open(made, names)


def fill_parameters(node: exp.Expr, state: State) -> None:
    """Put the parameters' values in where they stand."""
    for parameter in list(node.find_all(exp.Parameter, exp.Placeholder)):
        parameter.replace(constant_node(state.expressions(Scope()).bind(parameter)))


def constant_node(bound: Expression) -> exp.Expr:
    """Return a constant as SQL of DuckDB."""
    assert isinstance(bound, Literal)
    if is_null(bound):
        return exp.Null()
    value = bound if bound.facts.kind != "other" else constant(bound.value)
    return exp.maybe_parse(literal(value, "duckdb"), dialect="duckdb")


def _inside(part: exp.Expr, known: Environment, state: State) -> exp.Expr:
    if isinstance(part, exp.Table):
        return _table(part, known, state)
    holder = "query" if part.args.get("query") is not None else "this"
    inner = part.args[holder]
    inner = inner.this if isinstance(inner, exp.Subquery) else inner
    original: exp.Expr = inner
    if isinstance(inner, exp.Select) and outer_columns(inner) and not is_public(inner, known, state.declaration):
        raise QueryRefused(AROUND, _counted(original))
    try:
        found = state.query(inner, known, state)
    except QueryInvalid:
        if _looks_around(inner, state):
            raise QueryRefused(AROUND, _counted(original)) from None
        raise
    if not isinstance(found, Open):
        raise QueryRefused("a subquery here would show rows as they are; aggregate them", _counted(original))
    node: exp.Expr = found.node
    if isinstance(part, exp.In):
        node = exp.Subquery(this=node)
    part.set(holder, node)
    return part


def _looks_around(inner: exp.Expr, state: State) -> bool:
    """Whether a subquery names a column of a stored table around it that no table of its own has."""

    def columns(select: exp.Select) -> set[str]:
        tables = [t for s in select.find_all(exp.From, exp.Join) if s.parent is select and isinstance(t := s.this, exp.Table)]
        stored = [t for t in state.declaration.schema.tables if t.name.lower() in {str(one.name).lower() for one in tables}]
        return {column.name.lower() for table in stored for column in table.stored_columns}

    around = inner.parent_select
    if not isinstance(inner, exp.Select) or not isinstance(around, exp.Select):
        return False
    named = {column.name.lower() for column in inner.find_all(exp.Column) if not column.args.get("table")}
    return bool(named & columns(around) - columns(inner))


def _counted(node: exp.Expr) -> str | None:
    return sql_of(count_of(node)) if isinstance(node, exp.Select) else None


def _table(part: exp.Table, known: Environment, state: State) -> exp.Expr:
    if not isinstance(part.this, exp.Identifier):
        return part
    name = str(folded(part.this))
    if name in known and not part.args.get("db"):
        if not isinstance(known[name].found(), Open):
            raise QueryRefused(f"'{name}' holds rows as they are; aggregate them")
        alias = part.args.get("alias") or exp.TableAlias(this=exp.to_identifier(part.name, quoted=True))
        return exp.Table(this=exp.to_identifier(name, quoted=True), alias=alias, joins=part.args.get("joins"))
    schema = folded(part.args.get("db")) if part.args.get("db") else None
    table = find_table(f"{schema}.{name}" if schema not in (None, "public", "main") else name, state.declaration)
    if table not in state.declaration.public:
        raise Mendable(f"the private table '{table}' cannot be used inside what is done with noisy outcomes")
    state.public[table] = None
    alias = part.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    return exp.Table(this=exp.to_identifier(table, quoted=True), alias=alias, joins=part.args.get("joins"))


def _replaced(node: exp.Expr, replace: Replace) -> None:
    """Replace tables and subqueries of `node`, not going into subqueries that were replaced whole."""
    for value in list(node.args.values()):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, exp.Expr):
                continue
            query = child.args.get("query") or child.this if isinstance(child, exp.Subquery | exp.Exists | exp.In) else None
            if isinstance(query, exp.Query):
                if isinstance(child, exp.In):  # what it looks for stands beside the query
                    _replaced(child.this, replace)
                made = replace(child)
            elif isinstance(child, exp.Table):
                _replaced(child, replace)
                made = replace(child)
            else:
                _replaced(child, replace)
                continue
            if made is not child:
                child.replace(made)
