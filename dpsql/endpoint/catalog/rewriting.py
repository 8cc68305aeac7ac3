"""A query of PostgreSQL's catalogs, rewritten for the sandbox that stands in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import expressions as exp

from dpsql.endpoint.catalog.functions import MACROS, PREFIX, SAME, constant_of
from dpsql.endpoint.catalog.relations import INFORMATION, PLACES, relation_of
from dpsql.endpoint.sqlstates import Fault

OWN = {name.partition("(")[0] for name in MACROS}
EMPTY = ("pg_partition_ancestors", "pg_partition_tree", "pg_listening_channels", "pg_options_to_table", "pg_get_keywords", "aclexplode",
         "pg_available_extensions", "pg_prepared_statement", "pg_cursor", "pg_logical_slot_peek_changes")  # fmt: skip
RENAMED = {"json_build_object": "json_object", "jsonb_build_object": "json_object", "json_agg": "json_group_array",
           "jsonb_agg": "json_group_array", "json_object_agg": "json_group_object"}  # fmt: skip
TABLE_FUNCTIONS = (*EMPTY, "exploding_generate_series", "unnest", "explode", "generate_series", "generate_subscripts", "_pg_expandarray")
VECTORS = ("indkey", "indoption", "indclass", "indcollation")  # counted from 0 in PostgreSQL, unlike its arrays
TYPES = {
    **dict.fromkeys(("name", "char", "text", "varchar", "bpchar", "cstring", "regprocedure", "regoper", "regrole", "regcollation"), "TEXT"),
    **dict.fromkeys(("pg_node_tree", "aclitem", "anyarray", "sql_identifier", "character_data", "yes_or_no"), "TEXT"),
    **dict.fromkeys(("oid", "xid", "cid"), "UINTEGER"),
    **dict.fromkeys(("json", "jsonb"), "JSON"),
    "bool": "BOOLEAN", "cardinal_number": "INT", "float4": "REAL", "float8": "DOUBLE", "int2": "SMALLINT", "int2vector": "SMALLINT[]",
    "int4": "INT", "int8": "BIGINT", "oidvector": "UINTEGER[]", "timestamptz": "TIMESTAMPTZ",
}  # fmt: skip


def output_names(query: exp.Expr) -> list[str | None]:
    """The names that PostgreSQL would give the columns of a query, None from the first star on."""
    found: list[str | None] = []
    for shown in query.selects if isinstance(query, exp.Query) else []:
        if shown.is_star:
            return [*found, None]
        found.append(shown.alias or _named(shown))
    return found


def _named(node: exp.Expr) -> str:
    match node:
        case exp.Column():
            return node.name
        case exp.Cast() | exp.Paren() | exp.Collate() | exp.Bracket() | exp.Dot() if not isinstance(node, exp.Dot):
            return _named(node.this)
        case exp.Dot():
            return _named(node.expression)
        case exp.Identifier() | exp.Anonymous():
            return node.name.lower()
        case exp.CurrentVersion():
            return "version"
        case exp.Case():
            return "case"
        case exp.Subquery() if isinstance(node.this, exp.Select) and node.this.selects:
            return node.this.selects[0].alias_or_name or _named(node.this.selects[0])
        case exp.Func() if not isinstance(node, exp.And | exp.Or):
            return node.sql_name().lower()
        case _:
            return "?column?"


def rewrite(query: exp.Expr, session: Mapping[str, str], parameters: Sequence[Any] = ()) -> exp.Expr:
    """Return `query` for the sandbox.

    `session` has the values of settings by their names in lower case, and under `user` and `database` who asks and what of. Raises
    Fault: 0A000 for a function or operator that is not known here, 42P02 for a parameter without a value.
    """
    rules: tuple[Callable[[exp.Expr], exp.Expr], ...] = (
        lambda node: _parameter(node, parameters),
        _unqualified,
        _relation,
        _operator,
        _cast,
        _subscript,
        lambda node: _session_function(node, session),
        _function,
    )
    made = query.copy()
    for rule in rules:
        made = _bottom_up(made, rule)
    return made


def _bottom_up(root: exp.Expr, rule: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Apply a rule to every node, what is inside first: a rule's outcome often holds what the same rule changes."""
    for node in reversed(list(root.dfs())):
        made = rule(node)
        if made is node:
            continue
        if node is root:
            made.parent = None
            root = made
        else:
            node.replace(made)
    return root


def literal(value: Any) -> exp.Expr:
    """A value as it stands in SQL."""
    if isinstance(value, list):
        return exp.Array(expressions=[literal(v) for v in value])
    if value is None or isinstance(value, bool | int):
        return exp.convert(value)
    return exp.Literal.string(str(value))


def _parameter(node: exp.Expr, parameters: Sequence[Any]) -> exp.Expr:
    if not isinstance(node, exp.Parameter | exp.Placeholder):
        return node
    number = node.name if isinstance(node, exp.Parameter) else ""
    if not number.isdigit() or not 1 <= int(number) <= len(parameters):
        raise Fault("42P02", f"there is no value for the parameter ${number[:10] or '?'}")
    return literal(parameters[int(number) - 1])


def _unqualified(node: exp.Expr) -> exp.Expr:
    """`pg_catalog.f(x)` is `f(x)`."""
    inner: exp.Expr = node
    if isinstance(node, exp.Collate):
        inner = node.this
    elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func) and node.this.name.lower() in (*PLACES, "public"):
        inner = node.expression
    return inner


def _relation(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Column) and node.args.get("db"):
        return exp.column(node.args["this"], table=node.args.get("table"))
    if isinstance(node, exp.Unnest):
        _named_column(node)
        return node
    if not isinstance(node, exp.Table):
        return node
    if not isinstance(node.this, exp.Identifier):
        inner = node.this.expression if isinstance(node.this, exp.Dot) else node.this
        if not isinstance(inner, exp.Func) or _function_name(inner).removeprefix(PREFIX) not in TABLE_FUNCTIONS:
            raise Fault("0A000", "this function gives no rows here")
        made: exp.Expr = exp.Table(this=inner)
        if isinstance(inner, exp.Explode):
            made = exp.Unnest(expressions=[inner.this])
        elif isinstance(inner, exp.ExplodingGenerateSeries):
            made = exp.Unnest(expressions=[exp.GenerateSeries(**inner.args)])  # a list, since its bounds may come from other tables
        elif _function_name(inner).removeprefix(PREFIX) in EMPTY:
            return _no_rows(node.args.get("alias"), _function_name(inner).removeprefix(PREFIX))
        made.set("alias", node.args.get("alias"))
        _named_column(made)
        return made
    full = relation_of(node)
    if full is None:
        if node.db.lower() in PLACES:
            raise Fault("42P01", f'relation "{node.db.lower()}.{node.name}" does not exist')
        return node
    common = node.find_ancestor(exp.Query)
    while common is not None:
        if not node.db and any(c.alias.lower() == node.name.lower() for c in common.ctes):
            return node
        common = common.find_ancestor(exp.Query)
    space, _, name = full.partition(".")
    made = node.copy()
    made.set("this", exp.to_identifier(name))
    made.set("db", exp.to_identifier(PLACES[space]))
    made.set("catalog", None)
    if not made.alias:
        made.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    return made


def _no_rows(alias: exp.Expr | None, function: str) -> exp.Expr:
    """What a function in FROM gives that has no rows to give: the columns that its alias names."""
    name = alias.name if alias is not None else function
    columns = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    shown = [exp.alias_(exp.cast(exp.null(), "int"), c, quoted=True) for c in columns or [name]]
    return exp.select(*shown).where(exp.false()).subquery(name)


def _nothing() -> exp.Expr:
    """The rows of a function that has none to give, all of which are numbers or are not looked at."""
    return exp.cast(exp.Array(), exp.DataType.build("UINTEGER[]", dialect="duckdb"))


def _named_column(node: exp.Expr) -> None:
    """The alias of a function in FROM names its column too."""
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.this is not None and not alias.columns:
        alias.set("columns", [alias.this.copy()])


def _operator(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Operator):
        return node
    name = str(node.args["operator"]).rpartition(".")[2] if "." in str(node.args["operator"]) else str(node.args["operator"])
    a, b = node.this, node.expression
    made: exp.Expr
    match name.lstrip("!"):
        case "~":
            made = exp.RegexpLike(this=a, expression=b)
        case "~*":
            made = exp.RegexpILike(this=a, expression=b)
        case "~~":
            made = exp.Like(this=a, expression=b)
        case "~~*":
            made = exp.ILike(this=a, expression=b)
        case "=" if not name.startswith("!"):
            made = exp.EQ(this=a, expression=b)
        case "=" | "<>":
            return exp.NEQ(this=a, expression=b)
        case "<":
            made = exp.LT(this=a, expression=b)
        case ">":
            made = exp.GT(this=a, expression=b)
        case "<=":
            made = exp.LTE(this=a, expression=b)
        case ">=":
            made = exp.GTE(this=a, expression=b)
        case "+":
            made = exp.Add(this=a, expression=b)
        case "||":
            made = exp.DPipe(this=a, expression=b)
        case _:
            raise Fault("0A000", f"the operator {name[:10]} is not known here")
    return exp.Not(this=exp.paren(made)) if name.startswith("!") else exp.paren(made)


def _type_name(to: exp.Expr) -> str:
    kind = to.args.get("kind") if isinstance(to, exp.DataType) else None
    text = kind.sql() if isinstance(kind, exp.Expr) else str(kind) if kind else to.sql(dialect="postgres")
    return text.replace('"', "").lower().removeprefix("pg_catalog.").removeprefix(f"{INFORMATION}.")


def _cast(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Cast):
        return node
    name = _type_name(node.to)
    inner: exp.Expr = node.this
    if name in ("regclass", "regtype", "regnamespace", "regproc"):
        if inner.is_string:
            return _call(f"{name}_oid", inner)
        if isinstance(inner, exp.Cast) and _type_name(inner.to) in ("text", "name", "varchar"):
            return _call(f"{name}_oid", inner)
        outer = node.parent
        if isinstance(outer, exp.Cast) and _type_name(outer.to) in ("oid", "int8", "bigint", "int", "int4"):
            kept: exp.Expr = inner
            return kept
        return _call("format_type", inner, exp.null()) if name == "regtype" else _call(f"{name}_name", inner)
    base = name.removesuffix("[]")
    if base in TYPES:
        kind = TYPES[base] + ("[]" if name.endswith("[]") else "")
        if name.endswith("[]") and inner.is_string:
            inner = _array(inner.name)
        return exp.Cast(this=inner, to=exp.DataType.build(kind, dialect="duckdb"))
    if name.endswith("[]") and inner.is_string:
        return exp.Cast(this=_array(inner.name), to=node.to)
    return node


def _array(text: str) -> exp.Expr:
    """The array that `{a,b}` means."""
    inside = text.strip().removeprefix("{").removesuffix("}")
    return exp.Array(expressions=[exp.Literal.string(item.strip().strip('"')) for item in inside.split(",")] if inside else [])


def _subscript(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Bracket) and isinstance(node.this, exp.Column) and node.this.name.lower() in VECTORS:
        places = [p if isinstance(p, exp.Slice) else exp.Add(this=p, expression=exp.Literal.number(1)) for p in node.expressions]
        return exp.Bracket(this=node.this, expressions=places, offset=1)
    return node


def _session_function(node: exp.Expr, session: Mapping[str, str]) -> exp.Expr:
    if not isinstance(node, exp.Func) and not isinstance(node, exp.Column):
        return node
    name = _function_name(node) if isinstance(node, exp.Func) else node.name.lower() if not node.table and not node.this.quoted else ""
    match name:
        case "current_user" | "session_user" | "current_role" | "getpgusername":
            return exp.Literal.string(session["user"])
        case "user" if isinstance(node, exp.Column):
            return exp.Literal.string(session["user"])
        case "current_database" | "current_catalog":
            return exp.Literal.string(session["database"])
        case "current_schema":
            return exp.Literal.string("public")
        case "current_schemas":
            implied = node.expressions and isinstance(node.expressions[0], exp.Boolean) and node.expressions[0].this
            return exp.Array(expressions=[exp.Literal.string(s) for s in (("pg_catalog", "public") if implied else ("public",))])
        case "version" | "current_version":
            return exp.Literal.string(f"PostgreSQL {session['server_version']} (CompanyOS private queries)")
        case "current_setting" if isinstance(node, exp.Anonymous) and node.expressions:
            return literal(session.get(node.expressions[0].name.lower()))
        case "set_config" if isinstance(node, exp.Anonymous) and len(node.expressions) > 1:
            value: exp.Expr = node.expressions[1]
            return value
        case _:
            return node


def _function(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Func) or isinstance(node, exp.Connector | exp.Binary | exp.Cast | exp.Case):
        return node
    name = _function_name(node)
    if (fixed := constant_of(name)) is not None:
        return fixed
    if name in OWN:
        arguments = (
            list(node.expressions) if isinstance(node, exp.Anonymous) else [a for a in node.args.values() if isinstance(a, exp.Expr)]
        )
        return _call(_by_arity(name, arguments), *arguments)
    if name in EMPTY:
        return exp.Anonymous(this="unnest", expressions=[_nothing()])
    if name in RENAMED and isinstance(node, exp.Anonymous):
        return exp.Anonymous(this=RENAMED[name], expressions=node.expressions)
    if isinstance(node, exp.Anonymous) and name.removeprefix(PREFIX) not in OWN and name not in SAME:
        raise Fault("42883", f"the function {name[:60]} is not known here")
    return node


def _by_arity(name: str, arguments: list[exp.Expr]) -> str:
    """The macro for a function that may leave out its last arguments."""
    if len(arguments) == 1 and f"{name}1" in OWN:
        return f"{name}1"
    return name


def _function_name(node: exp.Expr) -> str:
    return node.name.lower() if isinstance(node, exp.Anonymous) else node.sql_name().lower()  # type: ignore[attr-defined]


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=f"{PREFIX}{name}", expressions=[a.copy() for a in arguments])
