"""COALESCE, NULLIF, LEAST and GREATEST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpsql.functions import ranges
from dpsql.functions.mixing import in_duckdb, in_postgres
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts


def _first(arguments: Sequence[Expression]) -> Facts:
    return ranges.merged([a.facts for a in arguments], all(a.facts.nullable for a in arguments))


def _null_if(arguments: Sequence[Expression]) -> Facts:
    return replace(arguments[0].facts, nullable=True)


def _least(arguments: Sequence[Expression]) -> Facts:
    """Both databases leave nulls out, so only an argument that is never null bounds it from above for all rows."""
    facts = [a.facts for a in arguments]
    merged = ranges.merged(facts, all(f.nullable for f in facts))
    tops = [f.hi for f in facts if f.hi is not None and not f.nullable]
    return _stepped(replace(merged, hi=min(tops) if tops else merged.hi, values=ranges.closed(facts)), facts)


def _greatest(arguments: Sequence[Expression]) -> Facts:
    facts = [a.facts for a in arguments]
    merged = ranges.merged(facts, all(f.nullable for f in facts))
    bottoms = [f.lo for f in facts if f.lo is not None and not f.nullable]
    return _stepped(replace(merged, lo=max(bottoms) if bottoms else merged.lo, values=ranges.closed(facts)), facts)


def _stepped(clamped: Facts, facts: Sequence[Facts]) -> Facts:
    """A double that is clamped is counted in steps of its new range, as one whose bounds are declared, unless all have their own steps."""
    if clamped.kind != "double" or not clamped.bounded:
        return clamped
    step = None if any(ranges.is_divided(f) for f in facts) else clamped.step
    return replace(clamped, step=ranges.number("double", clamped.nullable, (clamped.lo, clamped.hi), step).step)


def _named(name: str) -> tuple[Writer, Writer]:
    def duckdb(*arguments: str, call: Call) -> str:
        return f"{name}({', '.join(in_duckdb(arguments, call.arguments))})"

    def postgres(*arguments: str, call: Call) -> str:
        written = in_postgres(arguments, call.arguments)
        if name in ("LEAST", "GREATEST") and call.facts.kind == "text":
            written = [f'{w} COLLATE "C"' for w in written]
        return f"{name}({', '.join(written)})"

    return duckdb, postgres


FUNCTIONS = (
    Function("coalesce", _first, *_named("COALESCE")),
    Function("nullif", _null_if, *_named("NULLIF")),
    Function("least", _least, *_named("LEAST")),
    Function("greatest", _greatest, *_named("GREATEST")),
)
