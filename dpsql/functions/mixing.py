"""Numbers of different kinds beside each other: the casts that a database would make of its own accord can fail, so they are made here.

DuckDB casts whole numbers of 128 bits and decimals of one scale to decimals of another, which fails for large ones, and it works out
what comes twice in a query beforehand, outside of any TRY. PostgreSQL casts NUMERIC to double, which fails for large and tiny ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpsql.tree import Column, Expression, Facts, Literal

SAFE = 10**15  # below it, numbers fit every decimal that they are cast to
MOST_DIGITS = 18


def in_postgres(written: Sequence[str], arguments: Sequence[Expression]) -> list[str]:
    """Return numbers that are compared or chosen from: all NUMERIC where a double is among worked out ones."""
    numbers = [a for a in arguments if a.facts.is_number]
    stored = all(isinstance(a, Literal) or (isinstance(a, Column) and a.facts.kind == "double") for a in numbers)
    if stored or all(a.facts.kind != "double" for a in numbers):
        return list(written)
    return [f"CAST({w} AS NUMERIC)" for w in written]


def in_duckdb(written: Sequence[str], arguments: Sequence[Expression]) -> list[str]:
    """Return numbers that are compared, chosen from or added: decimals of one scale where they could be too large for a plain cast.

    A column is none the smaller for being one: that of a subquery is what was worked out there.
    """
    kinds = {a.facts.kind for a in arguments if a.facts.is_number}
    varying = [a for a in arguments if not isinstance(a, Literal)]
    if "decimal" not in kinds or "double" in kinds or all(is_small(a.facts) for a in varying) or _beside_constants(arguments, varying):
        return list(written)
    if any(a.facts.kind == "decimal" and a.facts.step is None for a in arguments):
        target = "DOUBLE"
    else:
        target = f"DECIMAL(38, {max(decimal_places(a.facts) for a in arguments)})"
    return [w if isinstance(a, Literal) else f"TRY_CAST({w} AS {target})" for w, a in zip(written, arguments, strict=True)]


def _beside_constants(arguments: Sequence[Expression], varying: Sequence[Expression]) -> bool:
    """Whether there is but one decimal column, and constants no finer than that: these are cast then, and not the column."""
    if len(varying) != 1 or not isinstance(varying[0], Column) or varying[0].facts.kind != "decimal":
        return False
    return all(decimal_places(a.facts) <= decimal_places(varying[0].facts) for a in arguments)


def is_small(facts: Facts) -> bool:
    """Whether a number of these facts fits every decimal that it is cast to."""
    lo: Any = facts.lo
    hi: Any = facts.hi
    return facts.bounded and lo > -SAFE and hi < SAFE


def decimal_places(facts: Facts) -> int:
    """The digits behind the point that a number needs."""
    digits = 0
    while facts.step is not None and (facts.step * 10**digits).denominator != 1 and digits < MOST_DIGITS:
        digits += 1
    return digits
