"""Division of exact numbers in DuckDB, whose `/` is of binary floating point: there 0.3 / 3 is not 0.1, and halves round away by chance."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, cast

from sqlglot import exp

from schemas.ddl_expressions import Untranslatable, column_of, is_whole
from schemas.model import Table
from schemas.types import INTEGERS

_WIDTH = 38  # the most digits of a DECIMAL and of every HUGEINT
_NARROW = 18  # the most digits of a DECIMAL that DuckDB holds in 64 bits
_PLACES = 16  # the fewest of a quotient, of which two only decide how the last one rounds
_WHOLE_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}


class _Digits(NamedTuple):
    """How many digits an exact number has at most before and after its point."""

    before: int
    after: int


def exact_division(tree: exp.Expr, table: Table) -> exp.Expr:
    """Return `tree` with quotients of exact numbers as decimals; Untranslatable where they have too many digits for that."""
    root = exp.Paren(this=tree.copy())
    for product in root.find_all(exp.Mul):
        if all(any(_is_rounded(part, table) for part in side.find_all(exp.Div)) for side in (product.this, product.expression)):
            raise Untranslatable(f"DuckDB has no more than {_WIDTH} digits, which a product of quotients takes")
    for node in list(root.find_all(exp.Div)):
        _join_divisors(node, table)
    for node in reversed(list(root.find_all(exp.Div))):
        over, under = _digits(node.this, table), _digits(node.expression, table)
        if over is not None and under is not None and not is_whole(node, table):
            node.replace(_by_reciprocal(node) or _by_whole_numbers(node, over, under))
    return cast(exp.Expr, root.this)


def _is_rounded(node: exp.Div, table: Table) -> bool:
    """Whether a quotient of exact numbers has digits without end, as those by 3 have."""
    exact = _digits(node.this, table) is not None and _digits(node.expression, table) is not None
    return exact and not is_whole(node, table) and _by_reciprocal(node) is None


def _join_divisors(node: exp.Div, table: Table) -> None:
    """`x / a / b` becomes `x / (a * b)`, which takes fewer digits; divisions without a rest stay."""
    wide = False
    while isinstance(inner := node.this.unnest(), exp.Div) and not is_whole(inner, table):
        digits = [_digits(part, table) for part in (inner.this, inner.expression, node.expression)]
        if None in digits:
            return
        factor = exp.paren(inner.expression)
        divisor = exp.Mul(this=factor if wide else _wide(factor, cast(_Digits, digits[1])), expression=exp.paren(node.expression))
        wide = True
        node.set("this", inner.this)
        node.set("expression", exp.paren(divisor))


def _by_reciprocal(node: exp.Div) -> exp.Expr | None:
    """`x / 8` is `x * 0.125`; None where the divisor is no literal of twos and fives."""
    divisor = Decimal(node.expression.name) if isinstance(node.expression, exp.Literal) else Decimal(0)
    if divisor == 0 or Fraction(1 / divisor) * Fraction(divisor) != 1:
        return None
    before, _, after = f"{1 / divisor + Decimal('0.0'):f}".partition(".")
    factor = exp.Literal.number(f"{before}.{after}")
    return exp.Mul(this=node.this.copy(), expression=_wide(factor, _Digits(len(before), len(after))))


def _by_whole_numbers(node: exp.Div, over: _Digits, under: _Digits) -> exp.Expr:
    """Both sides without their points, divided as whole numbers, and the quotient with its point again."""
    scale = max(over.after, under.after)
    places = _WIDTH - scale - over.before
    if places < _PLACES or under.before + scale > _WIDTH:
        raise Untranslatable("DuckDB divides so many digits in binary floating point; fewer, as of numeric(12,2), it can divide exactly")
    if isinstance(node.find_ancestor(exp.Binary, exp.Func), (exp.Add, exp.Sub, exp.Mul)):
        places = _PLACES  # which leaves room for the digits of sums and products

    dividend = _whole(node.this, over.after, places + scale)
    divisor = exp.Nullif(this=_whole(node.expression, under.after, scale), expression=_number(0))
    quotient = exp.IntDiv(this=dividend, expression=divisor)
    decimal = exp.Mul(this=exp.cast(quotient, f"DECIMAL({_WIDTH}, 0)"), expression=_number(Decimal(1).scaleb(-places)))
    return exp.Round(this=decimal, decimals=_number(places - 2))


def _wide(side: exp.Expr, digits: _Digits) -> exp.Expr:
    """`side` as a factor that leaves a product all of its digits: of narrow ones, DuckDB's has 18, or is an integer of 32 bits."""
    return exp.cast(side, f"DECIMAL({max(sum(digits), _NARROW + 1)}, {digits.after})")


def _whole(side: exp.Expr, after: int, shift: int) -> exp.Expr:
    """`side`, of so many digits after its point, times 10 to the power of `shift`."""
    shifted = exp.Mul(this=exp.paren(side), expression=_number(10**after)) if after else side
    whole = exp.cast(shifted, exp.DataType.Type.INT128)
    return exp.Mul(this=whole, expression=_number(10 ** (shift - after))) if shift > after else whole


def _number(value: int | Decimal) -> exp.Expr:
    return exp.Literal.number(f"{value:f}" if isinstance(value, Decimal) else value)


def _digits(node: exp.Expr | None, table: Table) -> _Digits | None:
    """The digits of exact arithmetic; None of all else, which DuckDB divides as PostgreSQL does."""
    if isinstance(node, (exp.Paren, exp.Neg, exp.Abs)):
        return _digits(node.this, table)
    if isinstance(node, exp.Literal):
        before, _, after = node.name.partition(".")
        return _Digits(len(before), len(after)) if not node.is_string and (before + after).isdigit() else None
    if isinstance(node, exp.Column):
        name = column_of(node, table)
        return None if name is None else _of_column(table, name)
    if isinstance(node, exp.Cast):
        return _of_cast(node.to) or (_digits(node.this, table) if node.to.this is exp.DataType.Type.DECIMAL else None)
    if isinstance(node, exp.Length):
        return _Digits(10, 0)
    if isinstance(node, (exp.Round, exp.Floor, exp.Ceil)):
        inner, places = _digits(node.this, table), node.args.get("decimals")
        kept = int(places.name) if isinstance(places, exp.Literal) else 0
        return None if inner is None else _Digits(inner.before + 1, min(inner.after, kept))
    if isinstance(node, (exp.Coalesce, exp.Nullif)):
        sides = [_digits(side, table) for side in (node.this, *node.expressions)]
        known = [side for side in sides if side is not None]
        return _Digits(max(s.before for s in known), max(s.after for s in known)) if len(known) == len(sides) else None
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Div)):
        left, right = _digits(node.this, table), _digits(node.expression, table)
        if left is None or right is None:
            return None
        if isinstance(node, exp.Mul):
            return _Digits(left.before + right.before, left.after + right.after)
        return _Digits(max(left.before, right.before) + 1, max(left.after, right.after))
    return None


def _of_column(table: Table, name: str) -> _Digits | None:
    type = table.column(name).type
    if type.kind in INTEGERS:
        return _Digits(_WHOLE_DIGITS[type.kind], 0)
    if type.kind != "numeric":
        return None
    precision, scale = type.digits
    return _Digits(precision - scale, scale)


def _of_cast(type: exp.DataType) -> _Digits | None:
    if type.this in exp.DataType.INTEGER_TYPES:
        return _Digits(19, 0)
    if type.this is not exp.DataType.Type.DECIMAL or not type.expressions:
        return None
    sizes = [int(size.name) for size in type.expressions]
    scale = sizes[1] if len(sizes) > 1 else 0
    return _Digits(sizes[0] - scale, scale)
