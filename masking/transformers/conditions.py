"""`when:` and `else:`: one transformer for the rows that a condition accepts, another for all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import MaskingFailed, TransformerUnfit
from masking.transformers.base import Context, Learner, Masker, Rows, Transformer
from masking.transformers.binding import bound
from masking.transformers.fit import place_of
from schemas.errors import nearest
from schemas.model import Table

if TYPE_CHECKING:
    from sqlglot import exp

_FUNCTIONS = ("lower", "upper", "length", "trim", "substring", "coalesce", "nullif", "abs", "round", "cast", "extract", "date_trunc")


@dataclass(frozen=True)
class Conditional:
    """Masks by one transformer where a condition holds, by another where it does not or is null.

    The condition is a boolean SQL expression (PostgreSQL's dialect) over the raw columns of the row: comparisons (texts by code
    points), AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, CASE, arithmetic, casts, and a few functions that depend on nothing else.
    `otherwise` (`else:` in the policy) has no default: what becomes of the other rows is said there.
    """

    name: ClassVar[str] = "when"
    whole: ClassVar[bool] = True

    mask: Transformer
    when: str
    otherwise: Transformer

    def bind(self, context: Context) -> Masker:
        condition = Condition(self.when, context.table, place_of(context))
        masker, otherwise = bound(self.mask, context), bound(self.otherwise, context)
        kind = LearningChoice if isinstance(masker, Learner) or isinstance(otherwise, Learner) else Choice
        return kind(condition, masker, otherwise)


@dataclass
class Choice:
    """Two maskers, each for its rows."""

    condition: Condition
    masker: Masker
    otherwise: Masker

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        parts = [(masker, places) for masker, places in self._parts(rows) if len(places)]
        if len(parts) == 1:
            return parts[0][0].apply(values, rows)
        if not parts:
            return values
        masked = [masker.apply(values.take(pa.array(places)), rows.take(pa.array(places))) for masker, places in parts]
        back = np.argsort(np.concatenate([places for _, places in parts]), kind="stable")
        return pa.concat_arrays(masked).take(pa.array(back))

    def _parts(self, rows: Rows) -> list[tuple[Masker, np.ndarray[Any, Any]]]:
        holds = self.condition.holds(rows)
        return [(self.masker, np.flatnonzero(holds)), (self.otherwise, np.flatnonzero(~holds))]


@dataclass
class LearningChoice(Choice):
    """The same where one of them has to see all of its values first."""

    def learn(self, values: pa.Array, rows: Rows) -> None:
        for masker, places in self._parts(rows):
            if isinstance(masker, Learner) and len(places):
                masker.learn(values.take(pa.array(places)), rows.take(pa.array(places)))

    def finish(self) -> None:
        for masker in (self.masker, self.otherwise):
            if isinstance(masker, Learner):
                masker.finish()


@dataclass
class Condition:
    """A condition over the rows of a table, checked when it is made; evaluated by DuckDB over the batch, in memory alone.

    Raises TransformerUnfit where the text is no boolean expression over columns of the table, or uses what may not be used.
    """

    text: str
    table: Table
    place: str
    _columns: list[str] = field(init=False, repr=False)
    _sql: str = field(init=False, repr=False)
    _connection: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import duckdb
        from sqlglot import exp

        from schemas.sql_expressions import NotAnExpression, parse_expression

        try:
            tree: exp.Expr = exp.Paren(this=parse_expression(self.text))
        except NotAnExpression as error:
            raise self._wrong(str(error)) from None
        self._check_nodes(tree)
        self._columns = self._check_columns(tree)
        self._sql = _for_duckdb(tree)
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "temp_directory": ""})
        # for all cursors, which each begin anew: not the machine's time zone, and 7 / 2 is 3 as in PostgreSQL
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET GLOBAL integer_division = true")
        self._check_type()

    @property
    def columns(self) -> Sequence[str]:
        """The columns that the condition looks at."""
        return tuple(self._columns)

    def holds(self, rows: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each row is accepted; where the condition is null it is not."""
        columns = {f"c{i}": rows.columns[name] for i, name in enumerate(self._columns)}
        if not columns:
            columns = {"c0": pa.nulls(rows.length, pa.int8())}
        found = self._run(pa.table({name: _plain(values) for name, values in columns.items()}))
        return pc.fill_null(found, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def _run(self, batch: pa.Table) -> pa.Array:
        import duckdb

        cursor = self._connection.cursor()  # with tables of its own, so that batches may be looked at side by side
        cursor.register("batch", batch)
        try:
            result = cursor.sql(f"SELECT {self._sql} AS holds FROM batch").to_arrow_table()
        except duckdb.Error:
            # DuckDB's own message may quote a value
            raise MaskingFailed(f"{self.place}: the condition of `when` cannot be evaluated for some row; a cast in it may fail") from None
        finally:
            cursor.close()
        return result.column("holds").combine_chunks()

    def _check_type(self) -> None:
        types = {f"c{i}": self.table.column(name).type.arrow for i, name in enumerate(self._columns)} or {"c0": pa.int8()}
        empty = pa.table({name: _plain(pa.array([], type)) for name, type in types.items()})
        try:
            found = self._run(empty)
        except MaskingFailed:
            raise self._wrong("its parts do not go together; compare columns with values of their own type") from None
        if not pa.types.is_boolean(found.type):
            raise self._wrong("it must be true or false for a row")

    def _check_nodes(self, tree: exp.Expr) -> None:
        allowed = _allowed_nodes()
        for node in tree.walk():
            if type(node) in allowed:
                continue
            from sqlglot import exp

            what = f"the function {node.sql_name().lower()}" if isinstance(node, exp.Func) else f"'{node.sql(dialect='postgres')[:40]}'"
            if isinstance(node, exp.Anonymous):
                what = f"the function {node.name}"
            raise self._wrong(f"{what} may not be used; there are comparisons, arithmetic and {', '.join(_FUNCTIONS)}")

    def _check_columns(self, tree: exp.Expr) -> list[str]:
        from sqlglot import exp

        known = {column.name.casefold(): column.name for column in self.table.columns}
        found: list[str] = []
        for column in list(tree.find_all(exp.Column)):
            parts = [part.name for part in column.parts]
            quoted = bool(getattr(column.this, "quoted", False))
            name = column.name if quoted else known.get(column.name.casefold(), column.name)
            owner = ".".join(parts[:-1])
            if not self.table.has(name) or (owner and owner not in (self.table.name, self.table.name.rpartition(".")[2])):
                raise self._wrong(f"there is no column '{'.'.join(parts)}' in {self.table.name}{nearest(column.name, known.values())}")
            if self.table.column(name) not in self.table.stored_columns:
                raise self._wrong(f"the column '{name}' is computed by the database and is not there to be read")
            if name not in found:
                found.append(name)
            column.replace(exp.column(f"c{found.index(name)}"))
        return found

    def _wrong(self, why: str) -> TransformerUnfit:
        return TransformerUnfit(f"{self.place}: the condition of `when` is wrong: {why}")


def _for_duckdb(tree: exp.Expr) -> str:
    from schemas.sql_expressions import with_like_escape

    return str(tree.transform(with_like_escape).sql(dialect="duckdb"))


def _plain(values: pa.Array) -> pa.Array:
    if isinstance(values.type, pa.BaseExtensionType):
        # uuids compare as their text
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    return values


def _allowed_nodes() -> set[type[Any]]:
    from sqlglot import exp

    names: Sequence[str] = (
        "Column", "Identifier", "Literal", "Boolean", "Null", "And", "Or", "Not", "Paren", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Is",
        "In", "Between", "Like", "ILike", "Escape", "NullSafeEQ", "NullSafeNEQ", "Neg", "Add", "Sub", "Mul", "Div", "Mod", "Case", "If",
        "Tuple", "Lower", "Upper", "Length", "Trim", "Substring", "Coalesce", "Nullif", "Abs", "Round", "Cast", "DataType",
        "DataTypeParam", "Extract", "TimestampTrunc", "DateTrunc", "Var", "DPipe", "Interval",
    )  # fmt: skip
    return {getattr(exp, name) for name in names}
