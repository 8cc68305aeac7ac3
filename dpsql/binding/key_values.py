"""The values that a group key can have, where what it is made of has closed values: each of these is put in, one after the other.

Ranges alone would list groups that no row can be in: for `age / 10 * 10` all whole numbers, for `country || '-' || country` pairs of
two countries, for `EXTRACT(year FROM d) * 100 + EXTRACT(month FROM d)` a hundred months a year. What is put in follows from the
declaration and the query, so that the groups say nothing of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod

from dpsql.binding.constants import NULL, case, constant, is_null
from dpsql.functions import call, ranges
from dpsql.tree import Call, Case, Column, Expression, Facts, Literal, Value, subexpressions

MOST_WORK = 20_000  # parts of expressions into which values are put
MOST_AT_ONCE = 16  # values that an expression can have where those of its parts are known
EXACT = 2**53  # up to which a double holds every whole number
TRUE = constant(True)
NEARLY = Fraction(1, 2**40)  # by how much a double may be off from what is worked out exactly
LEAVING_OUT = ("coalesce", "least", "greatest")  # functions that leave nulls out
LENIENT = frozenset(  # others that are not null wherever an argument is
    ("is_null", "is_not_null", "is_true", "is_false", "is_not_true", "is_not_false", "is_distinct", "and", "or", "in", "nullif")
)


def with_key_values(key: Expression) -> Expression:
    """Return a key with the closed list of what it can be, where that can be worked out and is shorter than what its facts have."""
    if isinstance(key, Column | Literal) or key.facts.identifies or key.facts.table is not None:
        return key
    domains = _closed_parts(key)
    if not domains or key in domains or sum(1 for _ in subexpressions(key)) * prod(map(len, domains.values())) > MOST_WORK:
        return key
    found: dict[Value, None] = {}
    for chosen in product(*domains.values()):
        for made in _at(key, dict(zip(domains, chosen, strict=True))) or [key]:
            if made is key or made.facts.values is None:
                return key
            found.update(dict.fromkeys(value for value in made.facts.values if value is not None))
    known = key.facts.values
    values = tuple(v for v in known if v in found) if known is not None else tuple(found)
    if len(values) > ranges.CLOSED // 10 and known is None:
        return key
    return replace(key, facts=replace(key.facts, values=values))


def _closed_parts(expression: Expression) -> dict[Expression, list[Literal]] | None:
    """The smallest parts of an expression that all else in it follows from, with what each can be; None where one is not closed."""
    match expression:
        case Column():
            below: Sequence[Expression] | None = None
        case Literal():
            below = ()
        case Call():
            below = expression.arguments
        case Case():
            below = (*(value for _, value in expression.branches), expression.otherwise)
    found = None if below is None else [_closed_parts(one) for one in below]
    if found is not None and None not in found:
        return {part: values for one in found for part, values in (one or {}).items()}
    values = _domain(expression.facts)
    return None if values is None else {expression: values}


def _domain(facts: Facts) -> list[Literal] | None:
    """The values of a part, and null where it can be."""
    if facts.kind == "integer" and facts.values is None:
        facts = ranges.number("integer", facts.nullable, (facts.lo, facts.hi), facts.step)
    if facts.values is None:
        return None
    return [_constant(value, facts) for value in facts.values if value is not None] + ([NULL] if facts.nullable else [])


def _at(expression: Expression, point: dict[Expression, Literal]) -> list[Expression] | None:
    """What `expression` can be with constants in place of its parts: constants as far as its facts tell; None where they do not."""
    if expression in point:
        return [point[expression]]
    match expression:
        case Column() | Literal():
            return [expression]
        case Case():
            found = [_at(value, point) for value in (*(value for _, value in expression.branches), expression.otherwise)]
            listed = [one for several in found for one in several or ()]
            if None in found or len(listed) > MOST_AT_ONCE:
                return None
            return [NULL] if all(map(is_null, listed)) else _each(case([(TRUE, one) for one in listed], listed[-1]))
        case Call():
            arguments = [_at(argument, point) for argument in expression.arguments]
            if prod(len(one or ()) for one in arguments) not in range(1, MOST_AT_ONCE + 1):
                return None
            made = [_called(expression.function, chosen) for chosen in product(*(one or () for one in arguments))]
            return None if None in made else [one for several in made for one in several or ()]


def _each(made: Expression) -> list[Expression]:
    """The values of an expression as constants, or itself where it has too many."""
    facts = made.facts
    if isinstance(made, Literal) or facts.values is None or len(facts.values) > MOST_AT_ONCE:
        return [made]
    found: list[Expression] = [_constant(value, facts) for value in facts.values if value is not None]
    return [*found, NULL] if facts.nullable else found


def _constant(value: Value, facts: Facts) -> Literal:
    made = constant(value)
    return replace(made, facts=replace(made.facts, kind=facts.kind))


def _called(function: str, arguments: Sequence[Expression]) -> list[Expression] | None:
    present = [argument for argument in arguments if not is_null(argument)]
    if len(present) < len(arguments):
        if function in LENIENT:
            return None
        if function not in LEAVING_OUT or not present:
            return [NULL]
    made = call(function, *present)
    facts = made.facts
    if facts.kind != "double" or not facts.bounded:
        return _each(made)
    lo, hi = Fraction(facts.lo), Fraction(facts.hi)  # type: ignore[arg-type]
    if facts.step == 1 and max(-lo, hi) <= EXACT:
        return _each(made)
    return [replace(made, facts=Facts("double", facts.nullable, lo - abs(lo) * NEARLY, hi + abs(hi) * NEARLY))]
