"""Rules that make a PostgreSQL expression mean the same over SQLite's storage classes.

SQLite keeps dates and times as ISO text, wide numerics as text and other numerics as binary floating point, and its LIKE
does not tell small letters from capitals. Each rule is one function from node to node; `RULES` is their order. What would
come to mean something else raises `Untranslatable`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from types import NoneType
from typing import cast

from sqlglot import exp, parse_one

from schemas.ddl_expressions import Untranslatable, bare, byte_length_of, column_of, is_whole
from schemas.model import Table
from schemas.types import FLOATS, INTEGERS, TIMES, SqlType

EXACT_DIGITS = 15
_NOW = {
    "timestamptz": "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')",
    "timestamp": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
    "date": "date('now')",
    "time": "strftime('%H:%M:%f000', 'now')",
}
_UUID4 = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
    "substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.NullSafeNEQ, exp.NullSafeEQ)
_MOMENT_PARENTS = (*_COMPARISONS, exp.Is, exp.Paren, exp.Coalesce, exp.Cast, exp.Substring)

Rule = Callable[[exp.Expr, Table], exp.Expr]


def keeps_as_text(type: SqlType) -> bool:
    """Whether SQLite must keep a numeric as text, since binary floating point holds 15 digits exactly."""
    return type.kind == "numeric" and (type.precision is None or type.precision > EXACT_DIGITS)


def rewritten(tree: exp.Expr, table: Table, default_of: str | None = None) -> exp.Expr:
    """Return `tree` as SQLite must be given it; `default_of` names the column whose default it is."""
    if default_of is not None:
        tree = _default(tree, table.column(default_of).type)
    elif tree.find(exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Rand):
        raise Untranslatable("SQLite takes no clock or chance in a check")
    for rule in RULES:
        tree = tree.transform(rule, table)
    return tree


def _default(tree: exp.Expr, type: SqlType) -> exp.Expr:
    while isinstance(tree, (exp.Cast, exp.Paren)):
        tree = tree.this
    if isinstance(tree, (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)):
        if type.kind not in _NOW:
            raise Untranslatable(f"SQLite has no 'now' of type {type}")
        return parse_one(_NOW[type.kind], read="sqlite")
    if isinstance(tree, exp.Uuid):
        return parse_one(_UUID4, read="sqlite")
    if type.kind in TIMES and isinstance(tree, exp.Literal) and tree.is_string:
        return exp.Literal.string(moment_text(tree.name, type.kind))
    if type.kind in ("interval", "array") or (type.kind in TIMES and not isinstance(tree, exp.Null)):
        raise Untranslatable(f"SQLite has no words for this default of type {type}")
    return tree


def _no_arrays(node: exp.Expr, _: Table) -> exp.Expr:
    if isinstance(node, (exp.Any, exp.All, exp.Array, exp.ArrayContainsAll)):
        raise Untranslatable("SQLite has no arrays")
    return node


def _moments(node: exp.Expr, table: Table) -> exp.Expr:
    """Dates and times compare as ISO text: literals are respelled, all but plain comparisons are refused."""
    if isinstance(node, (exp.Interval, exp.Extract)):
        raise Untranslatable("SQLite has no arithmetic of dates and times")
    if isinstance(node, exp.Cast) and _kind(node.this, table) in TIMES:
        return _moment_cast(node, table)
    if isinstance(node, exp.Column) and _kind(node, table) in TIMES and not isinstance(node.parent, (*_MOMENT_PARENTS, NoneType)):
        raise Untranslatable("SQLite has no arithmetic of dates and times")
    if isinstance(node, _COMPARISONS):
        kinds = {kind for kind in (_kind(side, table) for side in _sides(node)) if kind in TIMES}
        if len(kinds) > 1:
            raise Untranslatable("SQLite cannot compare dates with times")
        if kinds:
            kind = kinds.pop()
            for side in _sides(node):
                text = bare(side)
                if isinstance(text, exp.Literal):
                    side.replace(exp.Literal.string(moment_text(text.name, kind)))
    return node


def _moment_cast(node: exp.Cast, table: Table) -> exp.Expr:
    kind = _kind(node.this, table)
    target = node.to.this
    if kind == "date" and target is exp.DataType.Type.DATE:
        return cast(exp.Expr, node.this)
    if kind in ("timestamp", "timestamptz") and target is exp.DataType.Type.DATE:
        return exp.Substring(this=node.this, start=exp.Literal.number(1), length=exp.Literal.number(10))
    if exp.DataType.Type.TEXT is target and kind == "date":
        return cast(exp.Expr, node.this)
    raise Untranslatable("SQLite has no such cast of dates and times")


def _like_as_glob(node: exp.Expr, _: Table) -> exp.Expr:
    """PostgreSQL's LIKE tells small letters from capitals; SQLite's GLOB does, its LIKE does not."""
    if not isinstance(node, exp.Like):
        return node
    pattern = bare(node.expression)
    if not isinstance(pattern, exp.Literal) or "\\" in pattern.name or isinstance(node.parent, exp.Escape):
        raise Untranslatable("SQLite's LIKE does not tell small letters from capitals")
    marks = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    glob = exp.Glob(this=node.this, expression=exp.Literal.string("".join(marks.get(c, c) for c in pattern.name)))
    return exp.Not(this=glob) if node.args.get("negate") else glob


def _fractions(node: exp.Expr, table: Table) -> exp.Expr:
    """A numeric that happens to be whole is an integer in SQLite, which divides it without a rest."""
    if isinstance(node, exp.Div) and not is_whole(node, table) and not isinstance(node.this, exp.Cast):
        return exp.Div(this=exp.Cast(this=node.this, to=exp.DataType.build("REAL", dialect="sqlite")), expression=node.expression)
    return node


def _exact_arithmetic(node: exp.Expr, table: Table) -> exp.Expr:
    """Round sums and products of numerics to their scale: in binary floating point 0.1 + 0.2 is not 0.3."""
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        scale = _scale(node, table)
        if scale:
            rounded = exp.Round(this=node.copy(), decimals=exp.Literal.number(min(scale, EXACT_DIGITS)))
            rounded.this.transform(_wide_numerics, table, copy=False)
            return rounded
    return node


def _wide_numerics(node: exp.Expr, table: Table) -> exp.Expr:
    """Numerics that are kept as text compare as numbers."""
    if isinstance(node, exp.Column) and not isinstance(node.parent, (exp.Is, exp.Cast)):
        name = column_of(node, table)
        if name is not None and keeps_as_text(table.column(name).type):
            return exp.Cast(this=node.copy(), to=exp.DataType.build("REAL", dialect="sqlite"))
    return node


def _ends_of_texts(node: exp.Expr, _: Table) -> exp.Expr:
    """`left(x, 3)` and `right(x, 3)`."""
    if not isinstance(node, (exp.Left, exp.Right)) or not isinstance(node.expression, exp.Literal) or node.expression.name == "0":
        return node
    if isinstance(node, exp.Left):
        return exp.Substring(this=node.this, start=exp.Literal.number(1), length=node.expression)
    return exp.Substring(this=node.this, start=exp.Neg(this=node.expression))


def _lengths_in_bytes(node: exp.Expr, _: Table) -> exp.Expr:
    """`octet_length(x)`, which SQLite has since 3.43."""
    of = byte_length_of(node)
    return node if of is None else exp.Length(this=exp.cast(of.copy(), "BLOB", dialect="sqlite"))


def _rounding_casts(node: exp.Expr, table: Table) -> exp.Expr:
    """PostgreSQL rounds where it casts to fewer digits, and writes all digits of a numeric; SQLite cuts, and writes no zeros at the end."""
    if not isinstance(node, exp.Cast) or isinstance(node.this, exp.Round):
        return node
    scale = _scale(node.this, table)
    digits = 0 if node.is_type(*exp.DataType.INTEGER_TYPES) else _digits(node.to)
    if digits is not None and _is_binary(node.this, table):
        raise Untranslatable("SQLite cuts where PostgreSQL rounds a fraction")
    if scale and node.is_type(*exp.DataType.TEXT_TYPES):
        raise Untranslatable("SQLite writes a numeric without the zeros at its end")
    if digits is None or scale is None or scale <= digits:
        return node
    rounded = exp.Round(this=node.this, decimals=exp.Literal.number(digits))
    return exp.Cast(this=rounded, to=node.to if digits == 0 else exp.DataType.build("REAL", dialect="sqlite"))


def _digits(type: exp.DataType) -> int | None:
    """Digits after the point that a cast to a numeric keeps; None for other types."""
    if type.this is not exp.DataType.Type.DECIMAL or not type.expressions:
        return None
    return int(type.expressions[1].name) if len(type.expressions) > 1 else 0


def _is_binary(node: exp.Expr, table: Table) -> bool:
    """Whether SQLite has `node` in binary floating point: it is of such columns, or a quotient."""
    if any(not is_whole(quotient, table) for quotient in node.find_all(exp.Div)):
        return True
    names = (column_of(column, table) for column in node.find_all(exp.Column))
    return any(name is not None and table.column(name).type.kind in FLOATS for name in names)


def _bytewise(node: exp.Expr, _: Table) -> exp.Expr:
    """PostgreSQL's collations "C" and "POSIX" compare bytes, as SQLite does by itself; it has none of the others."""
    if not isinstance(node, exp.Collate):
        return node
    if node.expression.name not in ("C", "POSIX"):
        raise Untranslatable(f"SQLite has no collation {node.expression.name}")
    return cast(exp.Expr, node.this)


RULES: tuple[Rule, ...] = (
    _no_arrays, _bytewise, _ends_of_texts, _lengths_in_bytes, _rounding_casts, _moments, _like_as_glob, _fractions, _exact_arithmetic,
    _wide_numerics,
)  # fmt: skip


def _sides(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    return [node.this, node.expression]


def _kind(node: exp.Expr, table: Table) -> str | None:
    node = bare(node) if isinstance(node, exp.Paren) else node
    if not isinstance(node, exp.Column):
        return None
    name = column_of(node, table)
    return None if name is None else table.column(name).type.kind


def _scale(node: exp.Expr, table: Table) -> int | None:
    """Digits after the point of exact arithmetic; None where the node is not exact arithmetic."""
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _scale(node.this, table)
    if isinstance(node, exp.Literal):
        return None if node.is_string else len(node.name.partition(".")[2])
    if isinstance(node, exp.Column):
        name = column_of(node, table)
        type = None if name is None else table.column(name).type
        return None if type is None or type.kind in FLOATS or type.kind not in ("numeric", *INTEGERS) else type.decimals
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        left, right = _scale(node.this, table), _scale(node.expression, table)
        if left is None or right is None:
            return None
        return left + right if isinstance(node, exp.Mul) else max(left, right)
    return None


def moment_text(text: str, kind: str) -> str:
    """Return a PostgreSQL date or time literal as SQLite keeps such values: ISO, six digits of the second, UTC."""
    try:
        if kind == "date":
            return date.fromisoformat(text.strip()[:10]).isoformat()
        if kind == "time":
            return time.fromisoformat(text.strip()).isoformat("microseconds")
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Untranslatable(f"'{text}' is no ISO date or time") from None
    if kind == "timestamp":
        return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(" ", "microseconds")
