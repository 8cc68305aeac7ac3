"""What a condition that holds tells of columns: WHERE age BETWEEN 20 AND 30 bounds age, and IN lists its values.

Used for the rows that pass a WHERE, and for the branches of CASE. Nothing private rests on it: a measured value is clamped to the
range that was worked out, whatever the data holds.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal

from dpsql.functions import ranges
from dpsql.tree import Call, Column, Expression, Facts
from dpsql.tree import Literal as Constant

Known = Mapping[str, Facts]
Outcome = Literal["true", "false", "not true"]
SIGNS: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def learned(condition: Expression, outcome: Outcome = "true", known: Known | None = None) -> dict[str, Facts]:
    """Return the facts of the columns that are known better where `condition` is true, is false, or is either false or null."""
    made = dict(known or {})
    if isinstance(condition, Column):
        facts = made.get(condition.name, condition.facts)
        if outcome != "not true":
            made[condition.name] = replace(facts, values=(outcome == "true",), nullable=False)
        return made
    if not isinstance(condition, Call):
        return made
    name, arguments = condition.function, condition.arguments
    if name == ("and" if outcome == "true" else "or"):
        for argument in arguments:
            made = learned(argument, outcome, made)
    elif name in ("and", "or"):
        made = _either([learned(argument, outcome, made) for argument in arguments], made)
    elif name == "not" and outcome != "not true":
        made = learned(arguments[0], "false" if outcome == "true" else "true", made)
    elif name in SIGNS:
        _compared(name if outcome == "true" else OPPOSITE[name], arguments, outcome, made)
    elif name == "in" and outcome == "true":
        _listed(arguments, made)
    elif name == ("is_not_null" if outcome == "true" else "is_null") and isinstance(arguments[0], Column):
        made[arguments[0].name] = replace(made.get(arguments[0].name, arguments[0].facts), nullable=False)
    elif name == "is_true" and outcome == "true":
        made = learned(arguments[0], "true", made)
    elif name == "is_false" and outcome == "true":
        made = learned(arguments[0], "false", made)
    return made


def _either(branches: Sequence[Known], before: Known) -> dict[str, Facts]:
    """What holds in all branches: the hull of what each knows of a column."""
    made = dict(before)
    for name in branches[0]:
        if all(name in branch for branch in branches):
            facts = [branch[name] for branch in branches]
            merged = ranges.merged(facts, any(f.nullable for f in facts))
            made[name] = replace(facts[0], nullable=merged.nullable, lo=merged.lo, hi=merged.hi, values=merged.values)
    return made


def _compared(sign: str, arguments: Sequence[Expression], outcome: Outcome, made: dict[str, Facts]) -> None:
    a, b = arguments
    if isinstance(b, Column) and isinstance(a, Constant):
        a, b, sign = b, a, TURNED[sign]
    if isinstance(a, Column):
        facts = made.get(a.name, a.facts)
        if outcome != "not true":
            facts = replace(facts, nullable=False)
        made[a.name] = narrowed(facts, sign, b.value) if isinstance(b, Constant) else facts
    if isinstance(b, Column) and outcome != "not true":
        made[b.name] = replace(made.get(b.name, b.facts), nullable=False)


def _listed(arguments: Sequence[Expression], made: dict[str, Facts]) -> None:
    column, *others = arguments
    if not isinstance(column, Column) or not all(isinstance(o, Constant) for o in others):
        return
    facts = made.get(column.name, column.facts)
    listed = [narrowed(facts, "=", o.value) for o in others if isinstance(o, Constant) and o.value is not None]
    if listed:
        merged = ranges.merged(listed, False)
        made[column.name] = replace(facts, nullable=False, lo=merged.lo, hi=merged.hi, values=merged.values)


def narrowed(facts: Facts, sign: str, value: Any) -> Facts:
    """Return the facts of those values for which a comparison with a constant holds."""
    if value is None or facts.identifies:
        return facts
    holds = SIGNS[sign]
    if facts.values is not None and _alike(facts, value):
        facts = replace(facts, values=tuple(v for v in facts.values if v is not None and holds(v, value)))
    if facts.is_number and isinstance(value, int | Fraction) and not isinstance(value, bool):
        return _number(facts, sign, Fraction(value))
    if facts.kind in ("date", "timestamp", "timestamptz") and _alike(facts, value):
        return _moment(facts, sign, value)
    if facts.kind in ("text", "boolean") and sign == "=" and facts.values is None and _alike(facts, value):
        return replace(facts, values=(value,))
    return facts


def _number(facts: Facts, sign: str, value: Fraction) -> Facts:
    lo, hi = facts.lo, facts.hi
    whole = facts.kind == "integer"
    if sign in ("=", ">", ">="):
        least = value if not whole else Fraction(value.__floor__() + 1 if sign == ">" else value.__ceil__())
        lo = least if lo is None else max(Fraction(lo), least)  # type: ignore[arg-type]
    if sign in ("=", "<", "<="):
        most = value if not whole else Fraction(value.__ceil__() - 1 if sign == "<" else value.__floor__())
        hi = most if hi is None else min(Fraction(hi), most)  # type: ignore[arg-type]
    if lo is not None and hi is not None and lo > hi:  # type: ignore[operator]
        return replace(facts, values=()) if facts.values is not None or whole else facts
    found = ranges.number(facts.kind, facts.nullable, (lo, hi), facts.step)
    values = facts.values if facts.values is not None else found.values
    return replace(facts, lo=found.lo, hi=found.hi, step=found.step, values=values)


def _moment(facts: Facts, sign: str, value: datetime.date) -> Facts:
    lo: Any = facts.lo
    hi: Any = facts.hi
    if sign in ("=", ">", ">="):
        lo = value if lo is None else max(lo, value)
    if sign in ("=", "<", "<="):
        hi = value if hi is None else min(hi, value)
    if sign == "<" and hi == value and facts.kind == "date":
        hi = value - datetime.timedelta(days=1)
    elif sign == "<" and hi == value:
        hi = value - datetime.timedelta(microseconds=1)
    if lo is not None and hi is not None and lo > hi:
        return facts
    return replace(facts, lo=lo, hi=hi)


def _alike(facts: Facts, value: Any) -> bool:
    match facts.kind:
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "decimal" | "double":
            return isinstance(value, int | Fraction) and not isinstance(value, bool)
        case "date":
            return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
        case "timestamp":
            return isinstance(value, datetime.datetime) and value.tzinfo is None
        case "timestamptz":
            return isinstance(value, datetime.datetime) and value.tzinfo is not None
        case _:
            return False
