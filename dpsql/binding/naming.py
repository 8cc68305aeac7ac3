"""The names of an answer's columns, as the database of the dialect would give them."""

from __future__ import annotations

import re

from sqlglot import expressions as exp

from dpsql.sql_text import sql_of
from schemas.ddl_names import quoted
from schemas.model import Schema

UNKNOWN = "?column?"
# what PostgreSQL calls functions that sqlglot has under another name, where the text of the query does not say
POSTGRES_NAMES = {
    "stddevsamp": "stddev_samp", "stddevpop": "stddev_pop", "variancepop": "var_pop", "timestamptrunc": "date_trunc", "countif": "count_if",
    "percentilecont": "percentile_cont", "percentiledisc": "percentile_disc", "strposition": "strpos", "startswith": "starts_with",
    "splitpart": "split_part", "timetostr": "to_char", "pow": "power", "logicaland": "bool_and", "logicalor": "bool_or",
    "rownumber": "row_number", "denserank": "dense_rank", "percentrank": "percent_rank", "cumedist": "cume_dist",
    "firstvalue": "first_value", "lastvalue": "last_value",
}  # fmt: skip
STATIC = {exp.Substring: "substring", exp.Extract: "extract", exp.StrPosition: "position", exp.Trim: "btrim"}
DUCKDB_TYPES = {
    "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT", "real": "REAL", "double": "DOUBLE", "boolean": "BOOLEAN",
    "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "interval": "INTERVAL", "uuid": "UUID",
}  # fmt: skip


def output_name(expression: exp.Expr, sql: str, dialect: str) -> str:
    """Return the name of a column of a select list; `sql` is the text of the whole query.

    For DuckDB that is a first guess, which `duckdb_names` betters for the outermost SELECT.
    """
    if isinstance(expression, exp.Alias):
        return str(expression.alias) if expression.args["alias"].args.get("quoted") else str(expression.alias).lower() \
            if dialect == "postgres" else str(expression.alias)  # fmt: skip
    inner = expression
    while isinstance(inner, exp.Paren | exp.Filter | exp.Window | exp.WithinGroup | exp.IgnoreNulls):
        inner = inner.this
    if dialect == "duckdb":
        if isinstance(inner, exp.Count) and isinstance(inner.this, exp.Star) and inner is expression:
            return "count_star()"
        return str(inner.name) if isinstance(inner, exp.Column) else sql_of(expression, "duckdb").lower()
    return _figured(inner, sql) or UNKNOWN


def _figured(node: exp.Expr, sql: str) -> str | None:
    """What PostgreSQL works out (FigureColname of its parser): the column's or function's name, 'case', or else a cast's type."""
    while isinstance(node, exp.Paren | exp.Filter | exp.Window | exp.WithinGroup):
        node = node.this
    match node:
        case exp.Column():
            return str(node.name) if node.this.args.get("quoted") else str(node.name).lower()
        case exp.Cast():
            return _figured(node.this, sql) or _type_name(node.to)
        case exp.Case():
            return (_figured(node.args["default"], sql) if node.args.get("default") is not None else None) or "case"
        case exp.Coalesce() | exp.Greatest() | exp.Least() | exp.Nullif():
            return node.key
        case exp.Exists():
            return "exists"
        case exp.Subquery() if isinstance(node.this, exp.Select) and node.this.expressions:
            return output_name(node.this.expressions[0], sql, "postgres")
        case exp.Boolean():
            return "bool"
        case exp.Anonymous():
            return str(node.name).lower()
        case exp.Pow() if not _is_sign(node, sql):
            return "power"
        case exp.Func() if isinstance(node, exp.AggFunc) or not isinstance(node, exp.And | exp.Or | exp.Not | exp.Binary):
            return _function_name(node, sql)
    return None


def _is_sign(node: exp.Pow, sql: str) -> bool:
    """Whether a power is written as a ^ b; the text says so, since the parsed node does not."""
    return "^" in sql or ("**" in sql and node.meta.get("start") is None)


def _function_name(node: exp.Func, sql: str) -> str:
    start, end = node.meta.get("start"), node.meta.get("end")
    written = sql[start : end + 1] if isinstance(start, int) and isinstance(end, int) else ""
    if re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", written):
        word = written.lower()
        return {"ceiling": "ceiling", "substr": "substr"}.get(word, STATIC[type(node)] if word == "trim" else word)
    return STATIC.get(type(node)) or POSTGRES_NAMES.get(node.key, node.sql_name().lower())


def _type_name(kind: exp.Expr) -> str | None:
    names = {"INT": "int4", "BIGINT": "int8", "SMALLINT": "int2", "DECIMAL": "numeric", "DOUBLE": "float8", "FLOAT": "float4",
             "BOOLEAN": "bool", "CHAR": "bpchar", "TIMESTAMP": "timestamp"}  # fmt: skip
    name = getattr(kind.this, "name", "") if isinstance(kind, exp.DataType) else ""
    return names.get(name, name.lower()) or None


def duckdb_names(sql: str, schema: Schema) -> tuple[str, ...] | None:
    """Return the names of the answer's columns as DuckDB itself gives them over empty tables, or None where it objects to the query."""
    import duckdb

    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        try:
            connection.execute(_empty_tables(sql.lower(), schema))
            connection.execute("SET lock_configuration = true")
            described = connection.execute(f"DESCRIBE {sql.strip().rstrip(';')}").fetchall()
        except duckdb.Error:
            return None
    return tuple(str(row[0]) for row in described)


def _empty_tables(sql: str, schema: Schema) -> str:
    named = [t for t in schema.tables if t.name.rpartition(".")[2].lower() in sql]
    statements = ["SELECT 1", *(f"CREATE SCHEMA IF NOT EXISTS {quoted(t.name.partition('.')[0])}" for t in named if "." in t.name)]
    for table in named:
        columns = ", ".join(f"{quoted(c.name)} {_duckdb_type(c.type.kind, c.type.decimals)}" for c in table.stored_columns)
        statements.append(f"CREATE TABLE {'.'.join(quoted(p) for p in table.name.split('.'))} ({columns})")
    return "; ".join(dict.fromkeys(statements))


def _duckdb_type(kind: str, decimals: int) -> str:
    return f"DECIMAL(38, {min(decimals, 38)})" if kind == "numeric" else DUCKDB_TYPES.get(kind, "VARCHAR")
