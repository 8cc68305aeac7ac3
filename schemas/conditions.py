"""Whether SQL is a condition: what an expression gives is judged as PostgreSQL does, and only where it is certain.

PostgreSQL takes nothing but true and false (or null) for a CHECK, and compares no text with a number. Whatever is not known here,
such as the result of a function that is not listed, is taken to be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlglot import exp

from schemas.model import Column
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

TypeOf = Callable[[exp.Column], SqlType | None]

_BOOLEAN, _NUMBER, _TEXT, _MOMENT, _OTHER = "true or false", "a number", "a text", "a date or time stamp", "no true or false"
_FAMILIES = {
    **dict.fromkeys((*INTEGERS, *FLOATS, "numeric"), _NUMBER), **dict.fromkeys(TEXTS, _TEXT), "boolean": _BOOLEAN,
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _MOMENT), "time": "a time of day", "interval": "an interval",
    "uuid": "a uuid", "json": "a json document", "bytes": "bytes", "array": "an array", "enum": "a value of an enum",
}  # fmt: skip
_CASTS = {
    _NUMBER: (*exp.DataType.NUMERIC_TYPES,), _TEXT: (*exp.DataType.TEXT_TYPES,), _BOOLEAN: (exp.DataType.Type.BOOLEAN,),
    _MOMENT: (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ),
}  # fmt: skip
_FUNCTIONS: dict[str, tuple[type[exp.Expr], ...]] = {
    _NUMBER: (
        exp.Length, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Sqrt, exp.Pow, exp.Extract, exp.StrPosition, exp.ArraySize,
        exp.Count,
    ),
    _TEXT: (
        exp.Lower, exp.Upper, exp.Initcap, exp.Left, exp.Right, exp.Replace, exp.Pad, exp.Repeat, exp.Concat, exp.ConcatWs, exp.SplitPart,
        exp.RegexpReplace, exp.MD5, exp.TimeToStr,
    ),
    _MOMENT: (exp.CurrentTimestamp, exp.CurrentDate),
    _OTHER: (
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.Interval, exp.Array, exp.TimestampTrunc, exp.Trim,
        exp.Substring, exp.Reverse, exp.Sum, exp.Avg,
    ),
}  # fmt: skip
_NUMBERS_OF = {"cardinality", "jsonb_array_length", "json_array_length", "octet_length", "bit_length", "num_nonnulls", "num_nulls"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In)
# true is compared with 1, and an enum with a text, in other databases; a time of day becomes an interval in PostgreSQL
_LOOSE = {_OTHER, _BOOLEAN, _FAMILIES["enum"], _FAMILIES["interval"]}


def why_no_condition(sql: str, columns: Sequence[Column]) -> str | None:
    """Return why PostgreSQL refuses a check over `columns` as a condition on a row, None where it may take it."""
    try:
        tree = parse_expression(sql)
    except NotAnExpression:
        return None
    types = {c.name: c.type for c in columns}
    folded = {c.name.casefold(): c.type for c in columns}
    return next(_faults(tree, lambda column: types.get(column.name) or folded.get(column.name.casefold())), None)


def _faults(node: exp.Expr, type_of: TypeOf) -> Iterator[str]:
    """What is wrong with `node` and its parts where true or false is expected."""
    node = node.unnest()
    if isinstance(node, (exp.And, exp.Or)):
        yield from _faults(node.left, type_of)
        yield from _faults(node.right, type_of)
    elif isinstance(node, exp.Not):
        yield from _faults(node.this, type_of)
    elif isinstance(node, _COMPARISONS):
        yield from _misfits(node, type_of)
    else:
        family = _family(node, type_of)
        if family is not None and family != _BOOLEAN:
            yield _no_condition(node, family, type_of)


def _no_condition(node: exp.Expr, family: str, type_of: TypeOf) -> str:
    sql = node.sql(dialect="postgres")
    type = type_of(node) if isinstance(node, exp.Column) else None
    what = f"is {type}, not true or false" if type is not None else f"gives {family}{'' if family == _OTHER else ', not true or false'}"
    return f"{sql} is no condition: it {what}; compare it, such as {sql} {'> 0' if family == _NUMBER else 'IS NOT NULL'}"


def _misfits(node: exp.Expr, type_of: TypeOf) -> Iterator[str]:
    """The operands of a comparison that no operator of PostgreSQL's compares."""
    first = _family(node.this, type_of)
    for other in _others(node):
        second = _family(other, type_of)
        if first is None or second is None or first == second or {first, second} & _LOOSE:
            continue
        number = next((side.name for side in (node.this, other) if isinstance(side, exp.Literal)), None)
        hint = f"write '{number}' in quotes, or " if number is not None and _TEXT in (first, second) else ""
        yield f"{node.sql(dialect='postgres')} compares {first} with {second}, which PostgreSQL refuses; {hint}cast one of the two"
        return


def _others(node: exp.Expr) -> Iterable[exp.Expr]:
    if isinstance(node, exp.Between):
        return node.args["low"], node.args["high"]
    if isinstance(node, exp.In):
        return node.expressions
    return (node.expression,)


def _family(node: exp.Expr, type_of: TypeOf) -> str | None:
    """What kind of value an expression gives; None where that is not certain."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        type = type_of(node)
        return None if type is None else _FAMILIES[type.kind]
    if isinstance(node, exp.Literal):
        return None if node.is_string else _NUMBER
    if isinstance(node, exp.Cast):
        return next((family for family, types in _CASTS.items() if node.to.this in types), None)
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
        return _common((branch for branch in branches if branch is not None), type_of)
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        return _common((node.this, *node.expressions), type_of)
    if isinstance(node, (exp.Nullif, exp.Neg)):
        return _family(node.this, type_of)
    if isinstance(node, exp.Anonymous):
        return _NUMBER if node.name.lower() in _NUMBERS_OF else None
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)) and _common((node.left, node.right), type_of) == _NUMBER:
        return _NUMBER
    return next((family for family, types in _FUNCTIONS.items() if isinstance(node, types)), None)


def _common(nodes: Iterable[exp.Expr], type_of: TypeOf) -> str | None:
    families = {_family(node, type_of) for node in nodes}
    return families.pop() if len(families) == 1 else None
