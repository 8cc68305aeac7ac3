"""Expressions of checks, defaults and computed columns: kept as PostgreSQL writes them, translated for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from schemas.ddl_names import quoted
from schemas.errors import InputError
from schemas.model import Table
from schemas.sql_expressions import NotAnExpression, parse_expression, with_like_escape
from schemas.types import DEFAULT_NUMERIC, INTEGERS

if TYPE_CHECKING:
    from sqlglot import exp


class Untranslatable(Exception):
    """An expression that the target has no words for; the message says why."""


def for_postgresql(sql: str, table: Table, what: str) -> str:
    """Return `sql` as one expression that cannot reach beyond its parentheses.

    Column names that are written with capitals but without quotes are quoted, as PostgreSQL would fold them to lower case; JSON_VALID,
    which checks of SQLite and MariaDB ask of their documents, is IS JSON there. Raises InputError where `sql` is not one expression; `what`
    names it in the message.
    """
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import TokenError

    where = f"table '{table.name}', {what}"
    try:
        tokens = tokenize(sql, read="postgres")
    except TokenError:
        raise InputError(f"{where}: the expression cannot be read: {sql}") from None
    depth = 0
    pieces, kept = [], 0
    documents: list[int] = []
    for token, after in zip(tokens, [*tokens, None][1:], strict=True):
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0 or token.token_type is TokenType.SEMICOLON:
            depth = -1
            break
        text = sql[token.start : token.end + 1]
        if text == token.text and text != text.lower() and table.has(text):
            pieces += [sql[kept : token.start], quoted(text)]
            kept = token.end + 1
        elif text.lower() == "json_valid" and after is not None and after.token_type is TokenType.L_PAREN:
            documents.append(depth)
            pieces += [sql[kept : token.start], "("]
            kept = token.end + 1
        elif token.token_type is TokenType.R_PAREN and documents and documents[-1] == depth:
            documents.pop()
            pieces += [sql[kept : token.end + 1], " IS JSON)"]
            kept = token.end + 1
    if depth or not tokens:
        raise InputError(f"{where}: one expression is expected, not: {sql}")
    return "".join(pieces) + sql[kept:]


def asks_for_json(sql: str) -> bool:
    """Whether `IS JSON` stands in a PostgreSQL expression."""
    from sqlglot import exp

    try:
        tree = parse_expression(sql)
    except NotAnExpression:
        return False
    return any(isinstance(node.expression, exp.JSON) for node in tree.find_all(exp.Is))


def parse(sql: str, table: Table) -> exp.Expr:
    """Return the tree of a PostgreSQL expression; Untranslatable if unreadable."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, read="postgres")
    except SqlglotError:
        raise Untranslatable("the expression is beyond what can be translated") from None
    for column in tree.find_all(exp.Column):
        named = column_of(column, table)
        if named is not None:
            column.set("this", exp.to_identifier(named, quoted=True))
    for rule in (_without_named_types, _any_as_in):
        tree = tree.transform(rule)
    return tree


def names_in(sql: str, table: Table) -> set[str]:
    """Return the names of the table's columns in a PostgreSQL expression; Untranslatable if unreadable."""
    from sqlglot import exp

    return {column.name for column in parse(sql, table).find_all(exp.Column)}


def bare(node: exp.Expr) -> exp.Expr:
    """Return `node` without the casts and parentheses around it."""
    from sqlglot import exp

    while isinstance(node, (exp.Cast, exp.Paren)):
        node = node.this
    return node


def column_of(node: exp.Expr, table: Table) -> str | None:
    """Return the name of the table's column that `node` refers to, with PostgreSQL's folding of unquoted names."""
    name = node.name
    if table.has(name):
        return name
    folded = [c.name for c in table.columns if c.name.lower() == name.lower()]
    return folded[0] if len(folded) == 1 else None


def for_duckdb(sql: str, table: Table) -> str:
    """Return a PostgreSQL expression in DuckDB's words; Untranslatable where there are none."""
    from schemas.ddl_duckdb_division import exact_division
    from schemas.ddl_meanings import with_meaning

    tree = exact_division(with_meaning(parse(sql, table), table), table)
    for rule in (_whole_division, _small_integers, _lengths_of_arrays, _lengths_in_bytes, _now):
        tree = tree.transform(rule, table)
    return _generate(tree.transform(_wide_numeric).transform(with_like_escape), "duckdb")


def for_sqlite(sql: str, table: Table, *, default_of: str | None = None) -> str:
    """Return a PostgreSQL expression in SQLite's words; `default_of` names the column whose default it is."""
    from schemas.ddl_meanings import with_meaning
    from schemas.ddl_sqlite_expressions import rewritten

    return _generate(rewritten(with_meaning(parse(sql, table), table), table, default_of), "sqlite")


def _generate(tree: exp.Expr, dialect: str) -> str:
    from sqlglot import ErrorLevel
    from sqlglot.errors import SqlglotError

    try:
        return tree.sql(dialect=dialect, identify=True, unsupported_level=ErrorLevel.RAISE, comments=False)
    except SqlglotError as error:
        raise Untranslatable(str(error).splitlines()[0]) from None
    except (AttributeError, TypeError, ValueError):  # of functions that are called otherwise there
        raise Untranslatable(f"there are no words of {dialect} for it") from None


def _without_named_types(node: exp.Expr) -> exp.Expr:
    """`'x'::mood` is `'x'`: only PostgreSQL has the named type."""
    from sqlglot import exp

    if isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.USERDEFINED:
        return cast(exp.Expr, node.this)
    return node


def _any_as_in(node: exp.Expr) -> exp.Expr:
    """`x = ANY (ARRAY[a, b])`, as PostgreSQL writes lists in checks, is `x IN (a, b)`."""
    from sqlglot import exp

    if not isinstance(node, exp.EQ) or not isinstance(node.expression, exp.Any):
        return node
    array = bare(node.expression.this)
    return exp.In(this=node.this, expressions=array.expressions) if isinstance(array, exp.Array) else node


def is_whole(node: exp.Expr, table: Table) -> bool:
    """Whether `node` is arithmetic of whole numbers, which PostgreSQL and SQLite divide without a rest."""
    from sqlglot import exp

    if isinstance(node, exp.Column):
        name = column_of(node, table)
        return name is not None and table.column(name).type.kind in INTEGERS
    if isinstance(node, exp.Literal):
        return not node.is_string and node.name.isdigit()
    if isinstance(node, exp.Cast):
        return bool(node.is_type(*exp.DataType.INTEGER_TYPES))
    if isinstance(node, (exp.Paren, exp.Neg, exp.Abs)):
        return is_whole(node.this, table)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod)):
        return is_whole(node.this, table) and is_whole(node.expression, table)
    return isinstance(node, exp.Length)


def _whole_division(node: exp.Expr, table: Table) -> exp.Expr:
    """DuckDB has an operator of its own for it; its `/` gives fractions."""
    from sqlglot import exp

    if isinstance(node, exp.Div) and is_whole(node, table):
        divided = exp.IntDiv(this=node.this.copy(), expression=node.expression.copy())
        return divided.transform(lambda n: n if n is divided else _whole_division(n, table))
    return node


def _small_integers(node: exp.Expr, table: Table) -> exp.Expr:
    """`small * 1000` is an integer in PostgreSQL, and too large for a smallint in DuckDB."""
    from sqlglot import exp

    if isinstance(node, exp.Column) and node.find_ancestor(exp.Add, exp.Sub, exp.Mul):
        name = column_of(node, table)
        if name is not None and table.column(name).type.kind == "smallint":
            return exp.cast(node.copy(), "INTEGER")
    return node


def _lengths_of_arrays(node: exp.Expr, _: Table) -> exp.Expr:
    """An empty array has no length in PostgreSQL, which a check lets pass, and 0 in DuckDB."""
    from sqlglot import exp

    if isinstance(node, exp.ArraySize) and not isinstance(node.parent, exp.Nullif):
        return exp.Nullif(this=node.copy(), expression=exp.Literal.number(0))
    return node


def _lengths_in_bytes(node: exp.Expr, table: Table) -> exp.Expr:
    """DuckDB has `octet_length` for bytes alone, and no other length of them."""
    from sqlglot import exp

    of = byte_length_of(node)
    if of is not None:
        return exp.Anonymous(this="octet_length" if _is_bytes(of, table) else "strlen", expressions=[of.copy()])
    return (
        exp.Anonymous(this="octet_length", expressions=[node.this])
        if isinstance(node, exp.Length) and _is_bytes(node.this, table)
        else node
    )


def byte_length_of(node: exp.Expr) -> exp.Expr | None:
    """Return what `node`, a call of `octet_length`, is the length of; None of all else."""
    from sqlglot import exp

    called = isinstance(node, exp.Anonymous) and node.name.lower() == "octet_length" and len(node.expressions) == 1
    return cast(exp.Expr, node.expressions[0]) if called else None


def _is_bytes(node: exp.Expr, table: Table) -> bool:
    name = column_of(node, table)
    return name is not None and table.column(name).type.kind == "bytes"


def _now(node: exp.Expr, _: Table) -> exp.Expr:
    """In a check, DuckDB takes the words without brackets for columns."""
    from sqlglot import exp

    types: dict[type[exp.Expr], str] = {exp.CurrentTimestamp: "TIMESTAMPTZ", exp.CurrentDate: "DATE", exp.Localtimestamp: "TIMESTAMP"}
    return exp.cast(exp.Anonymous(this="now"), types[type(node)]) if type(node) in types else node


def _wide_numeric(node: exp.Expr) -> exp.Expr:
    """A numeric without precision is numeric(18,3) in DuckDB; everywhere here it is numeric(38,9)."""
    from sqlglot import exp

    if isinstance(node, exp.DataType) and node.this is exp.DataType.Type.DECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL({}, {})".format(*DEFAULT_NUMERIC))
    return node
