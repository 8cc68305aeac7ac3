"""The range of a generator's SQL expression, by interval arithmetic over the columns that it names.

R. E. Moore, "Interval Analysis", 1966: the range of a sum, difference or product follows from the ranges of its parts. It may be
wider than what occurs, never narrower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil, floor

from sqlglot import exp

from dpsql.suggesting.ranges import Range, Unranged, between, closed, negative, plus, times, union
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.times import DAY, parse_moment

Paths = Callable[[str], Range]

_SPANS: Mapping[str, tuple[Fraction, Fraction]] = {
    unit: (Fraction(least), Fraction(most))
    for unit, least, most in (
        ("YEAR", "365", "366"), ("MONTH", "28", "31"), ("WEEK", "7", "7"), ("DAY", "1", "1"), ("HOUR", "1/24", "1/24"),
        ("MINUTE", "1/1440", "1/1440"), ("SECOND", "1/86400", "1/86400"),
    )
}  # fmt: skip  # the shortest and longest, in days


def range_of_expression(sql: str, paths: Paths, *, whole: bool) -> Range:
    """Return the range of `sql`, whose columns have the ranges that `paths` tells; Unranged where it is not understood.

    `whole` says that the outcome is rounded to whole numbers, which can leave the exact range by less than one.
    """
    try:
        tree = parse_expression(sql)
    except NotAnExpression:
        raise Unranged("its SQL is not understood") from None
    try:
        found = _range(tree, paths)
    except RecursionError:
        raise Unranged("its SQL is too long to be understood") from None
    if whole and found.low is not None and found.high is not None and found.values is None:
        return _whole(found)
    return found


def _range(node: exp.Expr, paths: Paths) -> Range:
    node = node.unnest()
    match node:
        case exp.Literal():
            return _literal(node)
        case exp.Boolean():
            return closed([bool(node.this)])
        case exp.Column():
            return paths(".".join(part.name for part in node.parts))
        case exp.Dot():
            return paths(".".join(part.name for part in node.parts))
        case exp.Neg():
            return negative(_range(node.this, paths))
        case exp.Add():
            return plus(_range(node.left, paths), _range(node.right, paths))
        case exp.Sub():
            return plus(_range(node.left, paths), negative(_range(node.right, paths)))
        case exp.Mul():
            return times(_range(node.left, paths), _range(node.right, paths))
        case exp.Div():
            # whole numbers divided give a whole number
            return _whole(times(_range(node.left, paths), _reciprocal(_range(node.right, paths))))
        case exp.Mod():
            return _remainder(node, paths)
        case exp.Interval():
            return _span(node)
        case exp.Case():
            branches = [branch.args["true"] for branch in node.args["ifs"]]
            default = node.args.get("default")
            results = [b for b in (*branches, default) if b is not None and not isinstance(b.unnest(), exp.Null)]
            return union([_range(result, paths) for result in results]) if results else closed([])
        case exp.Coalesce():
            return union([_range(part, paths) for part in (node.this, *node.expressions)])
        case exp.Greatest() | exp.Least():
            parts = [_range(part, paths) for part in (node.this, *node.expressions)]
            pick = max if isinstance(node, exp.Greatest) else min
            pairs = [part.bounds for part in parts]
            return Range(pick(low for low, _ in pairs), pick(high for _, high in pairs), None, union(parts).unit)
        case exp.Abs():
            low, high = _numbers(_range(node.this, paths))
            return Range(Fraction(0) if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
        case exp.Round():
            return _rounded(node, paths)
        case exp.Cast() if node.to.this in exp.DataType.INTEGER_TYPES:
            return _whole(_range(node.this, paths))
        case exp.Cast() if node.to.this in exp.DataType.TEMPORAL_TYPES:
            return _moment(node, paths)
        case exp.Cast() if node.to.this in exp.DataType.REAL_TYPES and not node.to.expressions:
            return _range(node.this, paths)
    raise Unranged("its SQL says more than arithmetic over columns")


def _literal(node: exp.Literal) -> Range:
    if node.is_string:
        return closed([str(node.this)])
    try:
        return closed([Fraction(Decimal(node.this))])
    except InvalidOperation:
        raise Unranged("its SQL has a number that is not understood") from None


def _numbers(range_: Range) -> tuple[Fraction, Fraction]:
    if range_.unit != "plain":
        raise Unranged("its SQL counts with times as if they were numbers")
    return range_.bounds


def _moment(node: exp.Cast, paths: Paths) -> Range:
    """The range of CAST(... AS DATE) and the like: of a literal, or of a column of moments, back to the beginning of its day."""
    inner = node.this.unnest()
    if isinstance(inner, exp.Literal) and inner.is_string:
        try:
            return closed([Fraction(parse_moment(inner.name))], "moment")
        except ValueError:
            raise Unranged("its SQL has a moment that is not understood") from None
    found = _range(inner, paths)
    if found.unit != "moment":
        raise Unranged("its SQL makes moments of what is none")
    return Range(found.bounds[0] - DAY, found.bounds[1], None, "moment")


def _span(node: exp.Interval) -> Range:
    """The range of INTERVAL '3 months', whose length depends on when it begins."""
    unit = node.args.get("unit")
    days = _SPANS.get(unit.name.upper().removesuffix("S")) if unit is not None else None
    try:
        count = Fraction(Decimal(node.this.name))
    except (InvalidOperation, AttributeError):
        days = None
    if days is None:
        raise Unranged("its SQL has an interval that is not understood")
    return between(count * days[0] * DAY, count * days[1] * DAY, "span")


def _remainder(node: exp.Mod, paths: Paths) -> Range:
    """The range of x % m: below m, and of the sign of x."""
    low, high = _numbers(_range(node.expression, paths))
    if low <= 0:
        raise Unranged("its SQL divides by what may be zero")
    try:
        least, most = _numbers(_range(node.this, paths))
    except Unranged:
        return Range(-high, high)
    return Range(Fraction(0) if least >= 0 else max(-high, least), Fraction(0) if most <= 0 else min(high, most))


def _whole(range_: Range) -> Range:
    low, high = _numbers(range_)
    return Range(Fraction(floor(low)), Fraction(ceil(high)))


def _reciprocal(range_: Range) -> Range:
    low, high = _numbers(range_)
    if low <= 0 <= high:
        raise Unranged("its SQL divides by what may be zero")
    return Range(1 / high, 1 / low)


def _rounded(node: exp.Round, paths: Paths) -> Range:
    """The range of ROUND(x, n): up to the next multiple of the last decimal at both ends."""
    decimals = node.args.get("decimals")
    if decimals is not None and not (isinstance(decimals, exp.Literal) and decimals.name.isdigit()):
        raise Unranged("its SQL rounds in a way that is not understood")
    low, high = _numbers(_range(node.this, paths))
    step = Fraction(1, 10 ** min(int(decimals.name) if decimals is not None else 0, 38))
    return Range(step * floor(low / step), step * ceil(high / step))
