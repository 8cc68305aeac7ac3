"""Constants of a query, and what they are beside other values: a text becomes a date beside dates, and so on."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call, ranges
from dpsql.tree import Call, Case, Column, Expression, Facts, Kind, Literal, Value, subexpressions

TEXTUAL = ("text", "uuid")
MOMENTS = ("date", "timestamp", "timestamptz")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LONGEST_NUMBER = 10**30
FINEST_NUMBER = 10**18
FINEST_DOUBLE = 10**12
MOST_REPEATED = 2_000  # parts of what is written out several times
TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")  # that both databases know
NULL = Literal(None, Facts("other", True, values=(None,)))


def constant(value: Value) -> Literal:
    """Return a constant with its facts."""
    match value:
        case None:
            return NULL
        case bool():
            return Literal(value, Facts("boolean", False, values=(value,)))
        case int():
            return Literal(value, Facts("integer", False, value, value, Fraction(1), (value,)))
        case float():
            exact = Fraction(value).limit_denominator(FINEST_DOUBLE)
            return Literal(value, Facts("double", False, exact, exact, Fraction(1, exact.denominator), (value,)))
        case str():
            return Literal(value, Facts("text", False, values=(value,)))
        case datetime.datetime():
            kind: Kind = "timestamptz" if value.tzinfo else "timestamp"
            return Literal(value, Facts(kind, False, value, value, values=(value,)))
        case datetime.date():
            return Literal(value, Facts("date", False, value, value, values=(value,)))
        case _:
            exact = Fraction(value)
            return Literal(exact, Facts("decimal", False, exact, exact, Fraction(1, exact.denominator), (exact,)))


def written(node: exp.Expr) -> Literal:
    """Return the constant that a literal of SQL is; QueryInvalid where a number is too long."""
    if isinstance(node, exp.Null):
        return NULL
    if isinstance(node, exp.Boolean):
        return constant(bool(node.this))
    if node.args.get("is_string"):
        return constant(str(node.this))
    text = str(node.this)
    if re.fullmatch(r"\d{1,30}", text):
        return constant(int(text))
    # the length is held first: 1e999999999 would be written out
    if len(text) > 60 or not re.fullmatch(r"\d*\.?\d*([eE][+-]?\d{1,3})?", text):
        raise QueryInvalid(f"'{text[:40]}' is not a number that can be used here")
    try:
        exact = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise QueryInvalid(f"'{text[:40]}' is not a number") from None
    if abs(exact) > LONGEST_NUMBER or exact.denominator > FINEST_NUMBER:
        raise QueryInvalid(f"the number {text[:40]} has too many digits")
    return constant(exact)


def given(value: Value) -> Literal:
    """Return the constant that a parameter is; QueryInvalid where it is no number or a longer one than may be written in a query."""
    if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, Decimal) and not value.is_finite()):
        raise QueryInvalid("a parameter is not a finite number")
    if isinstance(value, float) and (abs(value) > LONGEST_NUMBER or 0 < abs(value) * FINEST_DOUBLE < 1):
        raise QueryInvalid("a parameter has too many digits")
    if isinstance(value, Decimal) and abs(value.adjusted()) > 99:  # before it is written out
        raise QueryInvalid("a parameter has too many digits")
    if isinstance(value, int | Decimal | Fraction):
        exact = Fraction(value)
        if abs(exact) > LONGEST_NUMBER or exact.denominator > FINEST_NUMBER:
            raise QueryInvalid("a parameter has too many digits")
    return constant(value)


def word(text: str) -> Literal:
    """A word that a function takes: a unit, a field, a format."""
    return Literal(text, Facts("text", False, values=(text,)))


def is_null(expression: Expression) -> bool:
    """Whether an expression is the constant NULL."""
    return isinstance(expression, Literal) and expression.value is None


def folded_sign(expression: Expression) -> Expression:
    """Return a negated constant as a constant."""
    if isinstance(expression, Call) and expression.function == "negate" and isinstance(expression.arguments[0], Literal):
        value = expression.arguments[0].value
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return constant(-value)
    return expression


def folded(expression: Expression) -> Expression:
    """Return arithmetic of constant whole numbers as the number that it comes to, all else as it is."""
    known = expression.facts
    alone = not any(isinstance(part, Column) for part in subexpressions(expression))
    if alone and known.kind == "integer" and not known.nullable and isinstance(known.lo, int | Fraction) and known.lo == known.hi:
        return constant(int(known.lo)) if Fraction(known.lo).denominator == 1 else expression
    return folded_sign(expression)


def as_number(expression: Expression) -> Expression:
    """Return a text that is a number as that number, all else as it is."""
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        text = expression.value.strip()
        if re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,18})?", text):
            exact = Fraction(text)
            return constant(exact.numerator if exact.denominator == 1 else exact)
    return expression


def moment(text: str, kind: Kind) -> Literal:
    """Return the date or time that a text is; QueryInvalid where it is none."""
    try:
        if kind == "date":
            return constant(datetime.date.fromisoformat(text.strip()[:10]))
        found = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise QueryInvalid(f"'{text[:40]}' is not a {kind}; write it like 2026-01-31 or 2026-01-31 23:59:59") from None
    if kind == "timestamptz":
        return constant(found.replace(tzinfo=datetime.UTC) if found.tzinfo is None else found)
    return constant(found.replace(tzinfo=None))


def matched(a: Expression, b: Expression) -> tuple[Expression, Expression]:
    """Return two expressions that can be compared: a constant text takes the kind of the other side; else QueryInvalid."""
    if isinstance(a, Literal) and not isinstance(b, Literal):
        y, x = matched(b, a)
        return x, y
    if isinstance(b, Literal) and isinstance(b.value, str):
        kind = a.facts.kind
        if kind in MOMENTS:
            # a moment that is compared with a day or the like keeps the finer of the two
            if kind == "date" and len(b.value.strip()) > 10:
                kind = "timestamp"
            return a, moment(b.value, kind)
        if a.facts.is_number:
            b = as_number(b)
        text = b.value if isinstance(b, Literal) and isinstance(b.value, str) else ""
        if kind == "boolean" and text.lower() in (*TRUE_WORDS, *FALSE_WORDS):
            return a, constant(text.lower() in TRUE_WORDS)
        if kind == "uuid":
            if not UUID.fullmatch(text):
                raise QueryInvalid("a uuid is compared with a text that is none")
            return a, replace(b, facts=replace(b.facts, kind="uuid"))
    both = {a.facts.kind, b.facts.kind}
    if len(both) == 2 and both <= set(MOMENTS):
        if isinstance(b, Literal) and isinstance(b.value, datetime.datetime) and b.value.time() == datetime.time(0) and not b.value.tzinfo:
            return a, as_kind(b, a.facts.kind)  # the beginning of a day compares with days as that day does
        widest: Kind = max(both, key=MOMENTS.index)
        return as_kind(a, widest), as_kind(b, widest)
    alike = is_null(a) or is_null(b) or len(both) == 1 or (a.facts.is_number and b.facts.is_number)
    if not alike:
        raise QueryInvalid(f"a value of type {a.facts.kind} cannot be compared with one of type {b.facts.kind}; cast one of them")
    return a, b


def as_kind(value: Expression, kind: Kind) -> Expression:
    """Return a date or time as one of another kind; a constant stays one. Times without a zone are in UTC."""
    if value.facts.kind == kind or is_null(value):
        return value
    if not isinstance(value, Literal) or not isinstance(value.value, datetime.date):
        return call(f"cast_{kind}", value)
    found = value.value
    if kind == "date":
        return constant(found.date() if isinstance(found, datetime.datetime) else found)
    if not isinstance(found, datetime.datetime):
        found = datetime.datetime(found.year, found.month, found.day)
    if kind == "timestamptz":
        return constant(found.replace(tzinfo=datetime.UTC) if found.tzinfo is None else found)
    return constant(found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo is not None else found)


def unified(bound: Sequence[Expression]) -> list[Expression]:
    """Return expressions of which a value is one, all of a kind."""
    kinds = [b.facts.kind for b in bound if not is_null(b)]
    if len(set(kinds)) > 1 and set(kinds) <= set(MOMENTS):
        # days and times beside each other are all times
        widest = max(set(kinds), key=MOMENTS.index)
        bound = [as_kind(b, widest) for b in bound]
        kinds = [widest]
    first = next((b for b in bound if not isinstance(b, Literal)), bound[0])
    made = [b if is_null(b) or b is first else matched(first, b)[1] for b in bound]
    kind = kinds[0] if kinds else "other"
    return [replace(b, facts=replace(b.facts, kind=kind)) if is_null(b) and isinstance(b, Literal) else b for b in made]


def hold_repeated(times: int, *values: Expression) -> None:
    """Raise QueryRefused where a function that is written out would repeat what it is of too often: such functions stand in each other."""
    parts = sum(sum(1 for _ in islice(subexpressions(value), MOST_REPEATED)) for value in values)
    if times * parts > MOST_REPEATED:
        raise QueryRefused("too long an expression is compared, or worked with, too often; put it into a subquery of its own")


def case(branches: Sequence[tuple[Expression, Expression]], otherwise: Expression) -> Case:
    """Return CASE with its facts."""
    made = unified([*(value for _, value in branches), otherwise])
    facts = ranges.merged([u.facts for u in made if not is_null(u)] or [Facts("other")], any(u.facts.nullable for u in made))
    return Case(tuple((c, u) for (c, _), u in zip(branches, made, strict=False)), made[-1], facts)
