"""The types of a query's parameters, where the client leaves them to the server: taken from what each is compared with."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlglot import expressions as exp

from dpsql.endpoint import wire_types as wt
from dpsql.endpoint.catalog.relations import relation_of, relations
from dpsql.endpoint.wire_types import BY_OID, TEXT, WireType
from schemas.model import Schema

COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Paren, exp.Neg,
            exp.NullSafeEQ, exp.NullSafeNEQ, exp.Coalesce, exp.Any, exp.Array, exp.Case, exp.If)  # fmt: skip
_OF_CAST = {
    "INT": wt.INT4, "SMALLINT": wt.INT2, "BIGINT": wt.INT8, "DECIMAL": wt.NUMERIC, "DOUBLE": wt.FLOAT8, "FLOAT": wt.FLOAT4,
    "BOOLEAN": wt.BOOL, "DATE": wt.DATE, "TIMESTAMP": wt.TIMESTAMP, "TIMESTAMPTZ": wt.TIMESTAMPTZ, "UUID": wt.UUID,
}  # fmt: skip
_OF_CATALOG = {
    "BOOLEAN": wt.BOOL, "SMALLINT": wt.INT2, "INTEGER": wt.INT4, "BIGINT": wt.INT8, "UINTEGER": wt.OID, "REAL": wt.FLOAT4,
    "DOUBLE": wt.FLOAT8,
}  # fmt: skip
_STANDING_IN: Mapping[WireType, Any] = {
    wt.BOOL: True, wt.INT2: 1, wt.INT4: 1, wt.INT8: 1, wt.OID: 1, wt.FLOAT4: 1.0, wt.FLOAT8: 1.0, wt.NUMERIC: Decimal(1),
    wt.DATE: datetime.date(2000, 1, 1), wt.TIMESTAMP: datetime.datetime(2000, 1, 1),
    wt.TIMESTAMPTZ: datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC), wt.UUID: "00000000-0000-0000-0000-000000000000",
}  # fmt: skip


def parameter_types(query: exp.Expr | None, given: Sequence[int], schema: Schema) -> tuple[WireType, ...]:
    """Return the type of each parameter: what the client says (`given`, OIDs, 0 for unknown), else what `query` makes of it, else text."""
    found: dict[int, WireType] = {}
    for node in query.find_all(exp.Parameter) if query is not None else ():
        if node.name.isdigit() and 0 < int(node.name) <= 65_535:
            number = int(node.name)
            inferred = _inferred(node, schema)
            if found.get(number, TEXT) is TEXT:
                found[number] = inferred
    count = max([len(given), *found])
    return tuple(BY_OID.get(given[n - 1], TEXT) if n <= len(given) and given[n - 1] else found.get(n, TEXT) for n in range(1, count + 1))


def standing_in(types: Sequence[WireType]) -> list[Any]:
    """Return a value of each type, for a query that is described before its values are known."""
    return [_STANDING_IN.get(t, "a") for t in types]


def _inferred(node: exp.Expr, schema: Schema) -> WireType:
    child, parent = node, node.parent
    while parent is not None:
        match parent:
            case exp.Cast():
                return _OF_CAST.get(parent.to.this.name if isinstance(parent.to.this, exp.DType) else "", TEXT)
            case exp.Limit() | exp.Offset() | exp.Fetch():
                return wt.INT8
            case exp.Like() | exp.ILike() | exp.RegexpLike():
                return TEXT
            case _ if isinstance(parent, COMPARED):
                for column in (c for part in parent.iter_expressions() if part is not child for c in part.find_all(exp.Column)):
                    if (kind := _column_type(column, schema)) is not None:
                        return kind
                child, parent = parent, parent.parent
            case _:
                return TEXT
    return TEXT


def _column_type(column: exp.Column, schema: Schema) -> WireType | None:
    """The type of a column by its name, among the tables that the query names."""
    root = column.root()
    for table in root.find_all(exp.Table):
        if schema.has(table.name) and schema.table(table.name).has(column.name):
            kind = schema.table(table.name).column(column.name).type
            return wt.OF_KIND.get(kind.kind, TEXT)
        full = relation_of(table)
        if full is not None and column.name in relations()[full]:
            return _OF_CATALOG.get(relations()[full][column.name], TEXT)
    return None
