"""Checks and rules that no row can satisfy, found by interval arithmetic over what the recipes of the columns make.

A condition is impossible only where it is false for all values that its columns can have: `total > 10` where `total` is made by
`uniform: [1, 5]`. Whatever is not understood is taken to be possible; the build holds every row to it anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, TypeGuard

from schemas.model import Column, Recipe, Schema, Table
from schemas.paths import Found, NoSuchPath, follow
from schemas.recipes import argument
from schemas.rules import name_of
from schemas.scenarios import Scenario
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.times import DAY, format_moment, parse_moment, resolve_moment
from schemas.types import FLOATS, INTEGERS, MOMENTS, TEXTS

if TYPE_CHECKING:
    from sqlglot import exp

_NUMBERS = (*INTEGERS, *FLOATS, "numeric")
_FINITE = ("choice", "list", "constant")
_BOUNDED = ("normal", "lognormal", "exponential", "poisson", "beta", "zipf")
_NEVER_NEGATIVE = ("lognormal", "exponential", "poisson")
_NUMBER_CASTS = ("smallint", "int", "bigint", "decimal", "float", "double")
_MOMENT_CASTS = ("date", "timestamp", "timestamptz")
_DIGITS = 2000  # PostgreSQL's numeric has up to 1,000 on either side of the point


@dataclass(frozen=True)
class _Values:
    """What a value can be: one of `texts`, or a number or moment from `low` to `high` (None is unbounded)."""

    low: Decimal | None = None
    high: Decimal | None = None
    texts: frozenset[str] | None = None
    moment: bool = False

    @property
    def shown(self) -> str:
        if self.texts is not None:
            return f"one of {', '.join(sorted(self.texts)[:5])}{', ...' if len(self.texts) > 5 else ''}"
        low, high = (None if end is None else format_moment(int(end)) if self.moment else f"{end:,f}" for end in (self.low, self.high))
        return f"from {low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less"


def why_impossible(schema: Schema, table: Table, sql: str, *, planted: bool = True) -> str | None:
    """Return why no row of `table` can satisfy a check or rule, None where one may.

    Columns that scenarios set can have any value, unless the condition is asked of rows before anything is `planted`.
    """
    from sqlglot import exp

    try:
        tree = parse_expression(sql)
    except NotAnExpression:
        return None
    parts = list(tree.unnest().flatten()) if isinstance(tree.unnest(), exp.And) else [tree]
    judgement = _Judgement(schema, table, planted)
    try:
        with localcontext(Context(prec=_DIGITS)):
            refuted = next((part for part in parts if any(map(judgement.refutes, _claims(part)))), None)
    except ArithmeticError:  # numbers too large to be reckoned with exactly
        return None
    if refuted is None:
        return None
    reason = f": {judgement.reason}" if judgement.reason else ""
    return f"no row can satisfy {refuted.sql(dialect='postgres')}{reason}"


def _claims(part: exp.Expr) -> Iterator[exp.Expr]:
    """The comparisons that BETWEEN stands for; anything else as it is."""
    from sqlglot import exp

    node = part.unnest()
    if isinstance(node, exp.Between) and not node.args.get("symmetric"):
        yield exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        yield exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    else:
        yield node


class _Judgement:
    """Judges conditions that hold together: true for all values, false for all values, or None; `reason` is what the last was judged by."""

    def __init__(self, schema: Schema, table: Table, planted: bool) -> None:
        self._schema, self._table = schema, table
        self._scenarios = [s for s in schema.scenarios.values() if planted and isinstance(s, Scenario)]
        self._reasons: dict[str, str] = {}
        self._left: dict[tuple[object, ...], tuple[_Values, str]] = {}

    @property
    def reason(self) -> str:
        return ", ".join(self._reasons.values())

    def refutes(self, claim: exp.Expr) -> bool:
        """Whether a claim is false for all values that those before it leave; what it leaves is kept for those after it."""
        self._reasons.clear()
        if self.holds(claim) is False:
            return True
        self._assume(claim)
        return False

    def holds(self, node: exp.Expr) -> bool | None:
        from sqlglot import exp

        node = node.unnest()
        match node:
            case exp.Boolean():
                return bool(node.this)
            case exp.And() | exp.Or():
                sides = (self.holds(node.left), self.holds(node.right))
                decisive = isinstance(node, exp.Or)
                return decisive if decisive in sides else None if None in sides else not decisive
            case exp.Not():
                inner = self.holds(node.this)
                return None if inner is None else not inner
            case exp.Between() if not node.args.get("symmetric"):
                low, high = map(self.holds, _claims(node))
                return False if False in (low, high) else None if None in (low, high) else True
            case exp.In() if node.expressions:
                found = [self._compared(exp.EQ, node.this, item) for item in node.expressions]
                return True if True in found else None if None in found else False
            case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                return self._compared(type(node), node.left, node.right)
        return None

    def _compared(self, kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> bool | None:
        from sqlglot import exp

        if kind is exp.NEQ:
            equal = self._compared(exp.EQ, left, right)
            return None if equal is None else not equal
        if kind in (exp.GT, exp.GTE):
            return self._compared(exp.LT if kind is exp.GT else exp.LTE, right, left)
        ordered = self._ordered(kind, left, right)
        if ordered is not None:
            return ordered
        first, second = self._values(left), self._values(right)
        if first is not None and second is not None and first.moment != second.moment:
            first, second = (v if v.moment else _as_moment(v) for v in (first, second))
        if first is None or second is None:
            return None
        if first.texts is not None or second.texts is not None:
            if kind is not exp.EQ or not first.texts or not second.texts:
                return None
            return False if not first.texts & second.texts else True if len(first.texts | second.texts) == 1 else None
        if kind is exp.EQ:
            if first.low is not None and first.low == first.high == second.low == second.high:
                return True
            return False if _below(first.high, second.low, True) or _below(second.high, first.low, True) else None
        strict = kind is exp.LT
        if _below(second.high, first.low, not strict):
            return False
        return True if _below(first.high, second.low, strict) else None

    def _assume(self, claim: exp.Expr) -> None:
        """Keep what a comparison of a column with a constant number or text leaves of the column's values."""
        from sqlglot import exp

        if not isinstance(claim, (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
            return
        from_below = isinstance(claim, (exp.GT, exp.GTE))
        for node, other, rises in ((claim.left, claim.right, from_below), (claim.right, claim.left, not from_below)):
            column = node.unnest()
            found, values, limit = self._found(column), self._values(column), self._values(other)
            if not isinstance(column, exp.Column) or found is None or other.find(exp.Column) is not None:
                continue
            if values is None or values.moment or limit is None or limit.moment:
                continue
            if isinstance(claim, exp.EQ):
                values = _within(values, limit)
            elif limit.texts is None and values.texts is None:
                values = _within(values, _Values(low=limit.low) if rises else _Values(high=limit.high))
            where = f"'{name_of(column)}' is {values.shown} where {claim.sql(dialect='postgres')}"
            self._left[found.hops, found.column.name] = values, where

    def _ordered(self, kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> bool | None:
        """False for `late < early` where the recipe of one says that it comes after the other."""
        from sqlglot import exp

        ends = self._found(left), self._found(right)
        if kind is not exp.LT or ends[0] is None or ends[1] is None or ends[0].hops or ends[1].hops:
            return None
        for found, name, other in ((ends[0], "after", ends[1]), (ends[1], "before", ends[0])):
            recipe = found.column.generate
            if recipe is not None and recipe.name == name and recipe.args["path"] == other.column.name:
                self._reasons[found.column.name] = f"'{found.column.name}' is made {name} '{other.column.name}'"
                return False
        return None

    def _values(self, node: exp.Expr) -> _Values | None:
        from sqlglot import exp

        node = node.unnest()
        match node:
            case exp.Literal():
                return _Values(texts=frozenset((node.name,))) if node.is_string else _number(node.name)
            case exp.Cast() if node.this.find(exp.Column) is None:
                return _cast(self._values(node.this), node.to)
            case exp.Neg():
                inner = self._values(node.this)
                return None if not _numeric(inner) else _Values(_minus(inner.high), _minus(inner.low))
            case exp.Add() | exp.Sub():
                first, second = self._values(node.left), self._values(node.right)
                if not _numeric(first) or not _numeric(second):
                    return None
                if isinstance(node, exp.Sub):
                    second = _Values(_minus(second.high), _minus(second.low))
                return _Values(_plus(first.low, second.low), _plus(first.high, second.high))
            case exp.Column():
                found = self._found(node)
                values = None if found is None else self._made(found)
                if found is None or values is None:
                    return None
                values, reason = self._left.get((found.hops, found.column.name), (values, f"'{name_of(node)}' is {values.shown}"))
                self._reasons[name_of(node)] = reason
                return values
        return None

    def _found(self, node: exp.Expr) -> Found | None:
        from sqlglot import exp

        node = node.unnest()
        if not isinstance(node, exp.Column):
            return None
        names = {c.name.casefold(): c.name for c in self._table.columns}
        path = name_of(node)
        try:
            return follow(self._schema, self._table, path if self._table.has(path) else names.get(path.casefold(), path))
        except NoSuchPath:
            return None

    def _made(self, found: Found) -> _Values | None:
        recipe = found.column.generate
        if recipe is None or found.column.null == 1 or self._planted(found):
            return None
        return _made(found.column, recipe, self._schema.anchor)

    def _planted(self, found: Found) -> bool:
        changes = (c for scenario in self._scenarios for c in scenario.all_changes())
        return any(c.table == found.table.name and found.column.name in c.columns for c in changes)


def _made(column: Column, recipe: Recipe, anchor: int) -> _Values | None:
    """What a recipe makes for a column, rounded outwards as its type may round."""
    kind = column.type.kind
    if recipe.args.get("value", 0) is None:  # a condition over nothing is not broken
        return None
    if kind in (*TEXTS, "enum") and recipe.name in _FINITE:
        return _Values(texts=frozenset(str(v) for v in _listed(recipe)))
    ends = _moments(recipe, anchor) if kind in MOMENTS else _ends(recipe) if kind in _NUMBERS else None
    if ends is None or ends == (None, None):
        return None
    return _Values(*ends, moment=True) if kind in MOMENTS else _rounded(column, *ends)


def _moments(recipe: Recipe, anchor: int) -> tuple[Decimal, Decimal] | None:
    if recipe.name != "between":
        return None
    first, last = (Decimal(resolve_moment(end, anchor)) for end in recipe.args["period"])
    return first - DAY, last + DAY


def _ends(recipe: Recipe) -> tuple[Decimal | None, Decimal | None] | None:
    if recipe.name in _FINITE:
        numbers = [_decimal(v) for v in _listed(recipe)]
        known = [n for n in numbers if n is not None]
        return (min(known), max(known)) if known and len(known) == len(numbers) else None
    if recipe.name in ("uniform", "histogram"):
        edges = recipe.args["range" if recipe.name == "uniform" else "edges"]
        return _decimal(edges[0]), _decimal(edges[-1])
    if recipe.name in _BOUNDED:
        low, high = argument(recipe, "min"), argument(recipe, "max")
        return _decimal(0 if low is None and recipe.name in _NEVER_NEGATIVE else low), _decimal(high)
    return (Decimal(0), None) if recipe.name == "count" else None


def _listed(recipe: Recipe) -> Iterator[object]:
    if recipe.name == "choice":
        yield from (value for value, weight in recipe.args["values"] if weight)
    elif recipe.name == "list":
        yield from recipe.args["values"]
    else:
        yield recipe.args["value"]


def _rounded(column: Column, low: Decimal | None, high: Decimal | None) -> _Values:
    if column.type.kind in FLOATS:
        return _loosened(low, high)
    return _Values(*_whole(low, high, Decimal(1).scaleb(-column.type.decimals)))


def _loosened(low: Decimal | None, high: Decimal | None) -> _Values:
    """As floating-point numbers may hold them."""
    return _Values(None if low is None else low - abs(low) / 10**6, None if high is None else high + abs(high) / 10**6)


def _whole(low: Decimal | None, high: Decimal | None, unit: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Ends moved outwards to whole units."""
    return (
        None if low is None else (low / unit).to_integral_value(ROUND_FLOOR) * unit,
        None if high is None else (high / unit).to_integral_value(ROUND_CEILING) * unit,
    )


def _decimal(value: object) -> Decimal | None:
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def _cast(values: _Values | None, type: exp.DataType) -> _Values | None:
    """Literals as a type holds them, with room for how it rounds; None for types that may change more than that."""
    if values is None:
        return None
    if type.is_type(*_NUMBER_CASTS):
        return _loosened(*_whole(values.low, values.high, Decimal(1))) if _numeric(values) else None
    if type.is_type(*_MOMENT_CASTS):
        moment = values if values.moment else _as_moment(values)
        return None if moment is None else _Values(_plus(moment.low, Decimal(-DAY)), _plus(moment.high, Decimal(DAY)), moment=True)
    return values if values.texts is not None and type.is_type("text", "varchar") and not type.expressions else None


def _number(text: str) -> _Values | None:
    value = _decimal(text)
    return None if value is None else _Values(value, value)


def _as_moment(values: _Values) -> _Values | None:
    """A literal beside a time, read as one."""
    if values.texts is None or len(values.texts) != 1:
        return None
    try:
        moment = Decimal(parse_moment(next(iter(values.texts))))
    except ValueError:
        return None
    return _Values(moment, moment, moment=True)


def _numeric(values: _Values | None) -> TypeGuard[_Values]:
    return values is not None and values.texts is None and not values.moment


def _within(values: _Values, limit: _Values) -> _Values:
    """What numbers or texts of `values` are in `limit`; all of them where the two are not of a kind."""
    if values.texts is not None and limit.texts is not None:
        return _Values(texts=values.texts & limit.texts)
    if values.texts is not None or limit.texts is not None:
        return values
    lows, highs = ([end for end in ends if end is not None] for ends in ((values.low, limit.low), (values.high, limit.high)))
    return _Values(max(lows, default=None), min(highs, default=None))


def _minus(end: Decimal | None) -> Decimal | None:
    return None if end is None else -end


def _plus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first + second


def _below(high: Decimal | None, low: Decimal | None, strict: bool) -> bool:
    """Whether all up to `high` is below (or, unless `strict`, at most) all from `low` on."""
    return high is not None and low is not None and (high < low if strict else high <= low)
