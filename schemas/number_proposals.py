"""Generators for numbers, by the column's name and the bounds of its type and checks."""

from __future__ import annotations

from decimal import Decimal

from schemas.model import Recipe
from schemas.types import FLOATS, INTEGERS
from schemas.wanted import Proposal, Wanted, bounds, plain

_LARGE = ("price", "amount", "total", "cost", "fee", "salary", "balance", "revenue", "freight", "subtotal", "payment", "budget", "value")


def propose_number(column: Wanted) -> Proposal:
    """Return a recipe of numbers."""
    low, high = bounds(column)
    if column.key and column.type.kind in INTEGERS and column.facts.high is None:
        start = max(int(low), 1) if column.facts.low is not None else 1
        return Proposal(Recipe("sequence", {} if start == 1 else {"start": start}))
    if column.type.kind in (*INTEGERS, "numeric") and column.unique:
        return Proposal(Recipe("uniform", {"range": (plain(low, column), plain(high, column))}))
    for words, name, arguments in (
        (("latitude", "lat"), "geo.latitude", {}),
        (("longitude", "lon", "lng"), "geo.longitude", {}),
    ):
        if column.has(*words) and column.type.kind not in INTEGERS and low <= -180:
            return Proposal(Recipe(name, arguments))
    bounded = column.facts.low is not None and column.facts.high is not None
    if not bounded and column.together and column.type.kind in INTEGERS:
        span = Decimal(max(1000, column.rows))
        first = _lowest(column, low, high, Decimal(1), span)
        return Proposal(Recipe("uniform", {"range": (int(first), int(min(high, first + span)))}))
    if not bounded and column.has(*_LARGE) and high - max(low, Decimal(0)) >= 100:
        least = max(low, Decimal(0))
        median = least + (100 if high > 1000 else high / 10)
        given = {
            "median": plain(median, column),
            "sigma": 1.0,
            "min": plain(least, column),
            "max": plain(min(high, median * 1000), column),
        }
        return Proposal(Recipe("lognormal", given))
    if not bounded:
        spans: tuple[tuple[tuple[str, ...], tuple[int, int]], ...] = (
            (("year",), (1990, 2026)),
            (("age",), (18, 80)),
            (("month",), (1, 12)),
            (("day",), (1, 28)),
            (("hour",), (0, 23)),
            (("rating", "stars", "score"), (1, 5)),
            (("percent", "percentage", "pct"), (0, 100)),
            (("discount", "rate", "ratio", "probability"), (0, 1)),
            (("quantity", "qty", "count", "units", "stock"), (1, 100)),
            (("milliseconds", "duration", "millis", "ms"), (1_000, 600_000)),
            (("bytes", "size"), (1_000, 20_000_000)),
        )
        for names, usual in spans:
            if column.has(*names) and low <= usual[0] and usual[1] <= high:
                return Proposal(Recipe("uniform", {"range": usual}))
        if column.type.kind in INTEGERS and column.words[:1] in (("is",), ("has",)) and low <= 0 and high >= 1:
            return Proposal(Recipe("boolean", {}))
        low = _lowest(column, low, high, Decimal(0), Decimal(1000))
        if column.facts.high is None:
            high = min(high, low + 1000)
    return Proposal(Recipe("uniform", {"range": (plain(low, column), plain(high, column))}))


def _lowest(column: Wanted, low: Decimal, high: Decimal, usual: Decimal, span: Decimal) -> Decimal:
    """Where numbers begin: at their own bound, else where they usually do, or `span` below a bound that lies under that."""
    if column.facts.low is not None:
        return low
    return max(low, usual if usual < high else high - max(span, abs(high)) if column.type.kind in FLOATS else high - span)


def unique_number(column: Wanted, found: Proposal, rows: int) -> Proposal:
    """Return a recipe of numbers that never repeat in so many rows."""
    if found.recipe.name == "sequence":
        return found
    low, high = bounds(column)
    span = max(Decimal(rows * 10), Decimal(1000))
    if column.facts.low is None:
        low = max(low, min(Decimal(1), high - span) if column.facts.high is not None else Decimal(1))
    step = Decimal(1)
    if high - low < rows and column.type.kind == "numeric":
        step = Decimal(1).scaleb(-column.type.decimals)
    wanted = min(high, low + span * step)
    fixed = (wanted - low) / step + 1 < rows
    notes = ("its range is small, so the rows do not scale",) if fixed else ()
    return Proposal(Recipe("uniform", {"range": (plain(low, column), plain(wanted, column))}), notes, fixed)
