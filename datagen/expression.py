"""SQL expressions over the columns of a row: by `datagen.exact` where it knows all their parts, else by DuckDB a batch at a time.

Only functions whose results are exact and depend on nothing but their arguments are let in: no clock, no randomness, no
logarithms or roots (whose last bit differs between machines), no files.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from datagen.arrays import require_years
from datagen.coded import Coded, is_coded
from datagen.compiling import Context
from datagen.errors import GenerationFailed
from datagen.exact import NotExact, TooLarge, compile_exact
from datagen.rows import Kernel, Rows
from schemas.errors import Mark, Problem
from schemas.sql_expressions import anchored, balanced, with_cut_texts, with_like_escape
from schemas.types import SqlType

# of which one is of any type that an expression gives, but for arrays
_OF_SOME_TYPE = ("1", "2000-01-01", "00:00:00", "00000000-0000-0000-0000-000000000000")
_NAMED = re.compile(r"\bc\d+\b")  # how the columns of the query are called
_SILENT = sqlglot.ErrorLevel.IGNORE  # what it says of time zones is for sessions in other zones than UTC
_ALLOWED = (
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg,
    exp.IntDiv, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like,
    exp.ILike, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.DPipe, exp.Concat, exp.ConcatWs, exp.Upper, exp.Lower, exp.Initcap, exp.Length,
    exp.Substring, exp.Left, exp.Right, exp.Trim, exp.Replace, exp.Pad, exp.Repeat, exp.StrPosition, exp.SplitPart, exp.Interval, exp.Var,
    exp.Extract, exp.TimestampTrunc,
    exp.DateTrunc, exp.Tuple, exp.Escape, exp.Reverse, exp.SafeDivide, exp.Distinct, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip

_DUCKDB = {
    "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT", "real": "REAL", "double": "DOUBLE", "text": "VARCHAR",
    "varchar": "VARCHAR", "char": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ", "interval": "INTERVAL", "uuid": "UUID", "json": "VARCHAR", "bytes": "BLOB", "enum": "VARCHAR",
}  # fmt: skip


def compile_expression(sql: str, ctx: Context, at: Mark | None) -> Kernel:
    """Compile `sql` (PostgreSQL's dialect) to a kernel of the column's type; columns may be paths (`plan_id.price`).

    `anchor()` in it is the data's now.
    """
    try:
        tree = balanced(sqlglot.parse_one(sql, read="postgres"))
    except sqlglot.errors.SqlglotError as error:
        ctx.fail(f"the expression cannot be read: {str(error).splitlines()[0]}", at)
    tree = anchored(tree, ctx.schema.anchor)
    if ctx.type.item is not None and ctx.type.item.kind in ("uuid", "interval"):
        ctx.fail(f"no expression makes {ctx.type}; `from` takes such values over as they are", at)
    sources: dict[str, tuple[Kernel, SqlType]] = {}
    names: dict[str, str] = {}
    for node in tree.walk():
        if not isinstance(node, _ALLOWED):
            what = node.name.upper() if isinstance(node, exp.Anonymous) else node.key.upper()
            ctx.fail(f"{what} is not allowed in an expression: only exact functions of the row's own values are", at)
    for column in list(tree.find_all(exp.Column)):
        path = ".".join(part.name for part in column.parts)
        if path not in names:
            names[path] = f"c{len(names)}"
            sources[names[path]] = ctx.path(path, at)
        replacement = exp.column(names[path])
        if column is tree:
            tree = replacement
        else:
            column.replace(replacement)
    if not sources:
        ctx.fail("the expression names no column; use `constant` for a fixed value", at)
    evaluate = _Evaluator(tree, ctx, at, {column: path for path, column in names.items()})
    columns = {name: (_as_coded(path, ctx, sources[name][0]), sources[name][1]) for path, name in names.items()}

    wide = {name: _widened(source, type) for name, (source, type) in sources.items()}

    def by_database(rows: Rows) -> pa.Array:
        return evaluate(pa.table({name: source(rows) for name, (source, _) in wide.items()}))

    try:
        exact = compile_exact(tree, columns.__getitem__, ctx.type)
    except NotExact:
        evaluate.rehearse({name: type for name, (_, type) in wide.items()})
        return by_database

    def kernel(rows: Rows) -> pa.Array:
        try:
            values = exact(rows)
            evaluate.require_fit(values)
            return values
        except TooLarge:
            return by_database(rows)

    return Coded(kernel)


def _widened(source: Kernel, type: SqlType) -> tuple[Kernel, SqlType]:
    """A smallint as an integer: beside a number that is written, PostgreSQL computes with that, and DuckDB with 16 bits."""
    if type.kind != "smallint":
        return source, type
    return lambda rows: source(rows).cast(pa.int32()), SqlType("integer")


def _as_coded(path: str, ctx: Context, source: Kernel) -> Kernel:
    """A column of the row itself may come as a dictionary array."""
    return (lambda rows: rows.encoded(path)) if ctx.table.has(path) else source


def _in_duckdb(tree: exp.Expr) -> str:
    return tree.transform(with_like_escape).sql(dialect="duckdb", unsupported_level=_SILENT)


def _duckdb_type(type: SqlType) -> str:
    if type.kind == "numeric":
        arrow = type.arrow
        return f"DECIMAL({arrow.precision},{arrow.scale})"
    if type.kind == "array":
        assert type.item is not None
        return _duckdb_type(type.item) + "[]"
    return _DUCKDB[type.kind]


class Connections:
    """One DuckDB connection for each thread that evaluates expressions of a plan."""

    def __init__(self) -> None:
        self._local = threading.local()

    def mine(self) -> Any:
        """The connection of the calling thread; it sees no file, and its time zone is UTC."""
        import duckdb

        if not hasattr(self._local, "connection"):
            made = duckdb.connect(config={"threads": 1, "enable_external_access": False})
            made.execute("LOAD icu")
            made.execute("SET TimeZone = 'UTC'")
            made.execute("SET integer_division = true")  # as in PostgreSQL
            self._local.connection = made
        return self._local.connection


class _Evaluator:
    """One query, run on the connection of the calling thread; `paths` are the columns of the schema for those of the query."""

    def __init__(self, tree: exp.Expr, ctx: Context, at: Mark | None, paths: Mapping[str, str]) -> None:
        self._tree = with_cut_texts(tree)
        self._ctx, self._type, self._at, self._paths = ctx, ctx.type, at, paths
        self._where = f"{ctx.table.name}.{ctx.column}"
        self._connections = ctx.plan.connections

    @cached_property
    def _query(self) -> str:
        cast = f"CAST({_in_duckdb(self._tree)} AS {_duckdb_type(self._type)})"
        if self._type.kind == "interval":  # months, of 30 days as in PostgreSQL's comparisons, have no place in an exact length of time
            cast = f"epoch_us({cast})"
        elif self._type.kind == "uuid":  # DuckDB hands uuids over as texts
            cast = f"unhex(replace(CAST({cast} AS VARCHAR), '-', ''))"
        return f"SELECT {cast} AS value FROM batch"

    def __call__(self, batch: pa.Table) -> pa.Array:
        import duckdb

        try:
            with self._holding(batch):
                found = self._connections.mine().sql(self._query).to_arrow_table()
        except duckdb.Error as error:
            said = Problem(f"{self._where}: the expression failed: {self._reason(error)}", self._at)
            raise GenerationFailed(said.render(self._ctx.schema.file) if self._at else said.message) from None
        values = found.column(0).combine_chunks()
        arrow = self._type.arrow
        if self._type.kind == "uuid":
            values = pa.ExtensionArray.from_storage(arrow, values.cast(pa.binary(16)))
        elif values.type != arrow:
            values = values.cast(arrow)
        self.require_fit(values)
        return values

    def require_fit(self, values: pa.Array) -> None:
        """Raise GenerationFailed or OverflowError where values are beyond the type.

        DuckDB holds texts to no length, and enums are texts to it; its times reach further than those of other databases.
        """
        type = self._type
        require_years(type, values)
        if type.length is None and type.kind != "enum":
            return
        if is_coded(values):
            values = values.dictionary.take(pc.unique(values.indices.drop_null()))
        if type.length is not None and (pc.max(pc.utf8_length(values)).as_py() or 0) > type.length:
            raise GenerationFailed(f"{self._where}: the expression gives texts longer than {type}; cut them with left(..., {type.length})")
        if type.kind == "enum" and pc.all(pc.is_in(values, pa.array([*type.values, None], values.type))).as_py() is False:
            raise GenerationFailed(f"{self._where}: the expression gives a text that is no value of {type}")

    @contextmanager
    def _holding(self, batch: pa.Table) -> Iterator[None]:
        connection = self._connections.mine()
        connection.register("batch", batch)
        try:
            yield
        finally:
            connection.unregister("batch")

    def rehearse(self, types: dict[str, SqlType]) -> None:
        """Run on no rows, so that a wrong type or function is found before anything is made, and try its casts."""
        import duckdb

        batch = pa.table({name: pa.nulls(0, type.arrow) for name, type in types.items()})
        try:
            with self._holding(batch):
                self._connections.mine().sql(self._query).to_arrow_table()
                self._try_casts()
        except duckdb.Error as error:
            self._ctx.fail(f"the expression failed: {self._reason(error)}", self._at)

    def _try_casts(self) -> None:
        """Fail on a cast between two types that DuckDB knows no way between, which it says at the first value and not of none."""
        inner = [
            (cast.this, cast.to.sql(dialect="duckdb"), cast.to.sql(dialect="postgres").lower()) for cast in self._tree.find_all(exp.Cast)
        ]
        for node, target, shown in [*inner, (self._tree, _duckdb_type(self._type), str(self._type))]:
            given = self._type_of(node)
            if given != '"NULL"' and not self._is_cast(given, target):
                said = self._in_schema(node.sql(dialect="postgres"))
                self._ctx.fail(f"expression: {said} is {given.lower()}, and no {shown} can be made of it", self._at)

    def _type_of(self, node: exp.Expr) -> str:
        return str(self._connections.mine().sql(f"SELECT {_in_duckdb(node)} FROM batch").types[0])

    def _is_cast(self, given: str, target: str) -> bool:
        import duckdb

        value = ", ".join(f"TRY_CAST('{text}' AS {given})" for text in _OF_SOME_TYPE)
        try:
            self._connections.mine().sql(f"SELECT CAST(coalesce({value}) AS {target})").to_arrow_table()
        except duckdb.Error as error:
            return "Unimplemented type for cast" not in str(error)
        return True

    def _reason(self, error: Exception) -> str:
        """What DuckDB says, in the words of the schema."""
        said = str(error).splitlines()[0]
        if "Division by zero" in said:
            return "it divides by zero; a divisor of NULLIF(..., 0), and `null: 0` at the column, give null instead"
        return self._in_schema(said)[:200]

    def _in_schema(self, text: str) -> str:
        """`text` with the columns of the schema for those of the query."""
        return _NAMED.sub(lambda found: self._paths.get(found[0], found[0]), text)
