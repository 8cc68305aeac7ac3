"""Functions of text, mostly for keys and conditions. Over a closed list of values they are worked out beforehand, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from dpsql.functions import ranges
from dpsql.functions.registry import Function
from dpsql.tree import Call, Expression, Facts, Literal

LONGEST = 1_000_000  # characters of a text that is made longer


def _text(arguments: Sequence[Expression]) -> Facts:
    return Facts("text", ranges.nullable(arguments))


def _closing(work: Callable[..., str | None]):  # type: ignore[no-untyped-def]
    """Facts of a function whose outcome is known for each closed value of its first argument, when the others are constants."""

    def facts(arguments: Sequence[Expression]) -> Facts:
        first, rest = arguments[0].facts, arguments[1:]
        found = _text(arguments)
        if first.values is None or not all(isinstance(a, Literal) for a in rest):
            return found
        if not all(v is None or (isinstance(v, str) and v.isascii()) for v in first.values):
            return found  # how letters beyond ASCII change differs between databases
        constants = [a.value for a in rest if isinstance(a, Literal)]
        made = [work(v, *constants) for v in first.values if v is not None]
        return Facts("text", found.nullable or None in made, values=tuple(dict.fromkeys(v for v in made if v is not None)))

    return facts


def _length(arguments: Sequence[Expression]) -> Facts:
    return ranges.number("integer", arguments[0].facts.nullable, (0, None), Fraction(1))


def _truth(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", ranges.nullable(arguments), values=(False, True))


def _named(name: str, postgres: str | None = None):  # type: ignore[no-untyped-def]
    def in_duckdb(*arguments: str, call: Call) -> str:
        return f"{name}({', '.join(arguments)})"

    def in_postgres(*arguments: str, call: Call) -> str:
        return f"{postgres or name}({', '.join(arguments)})"

    return in_duckdb, in_postgres


def _substring(*arguments: str, call: Call) -> str:
    """The part that starts at a place from 1 on; with a length below zero it is null in both databases."""
    text, start, *length = arguments
    if not length:
        return f"SUBSTRING({text}, CAST(GREATEST({start}, 1) AS INTEGER))"
    inside = f"CAST(LEAST(GREATEST({length[0]} + LEAST({start} - 1, 0), 0), {LONGEST}) AS INTEGER)"
    return f"(CASE WHEN {length[0]} >= 0 THEN SUBSTRING({text}, CAST(GREATEST({start}, 1) AS INTEGER), {inside}) END)"


def _sub(text: object, start: object, length: object = None) -> str | None:
    assert isinstance(text, str)
    assert isinstance(start, int)
    if length is None:
        return text[max(start, 1) - 1 :]
    assert isinstance(length, int)
    return None if length < 0 else text[max(start, 1) - 1 : max(start, 1) - 1 + max(length + min(start - 1, 0), 0)]


def _like(sign: str):  # type: ignore[no-untyped-def]
    def write(a: str, pattern: str, call: Call) -> str:
        return f"({a} {sign} {pattern})"

    return write, write


def _concatenated(*arguments: str, call: Call) -> str:
    return "(" + " || ".join(arguments) + ")"


def _concat_facts(arguments: Sequence[Expression]) -> Facts:
    return Facts("text", ranges.nullable(arguments))


FUNCTIONS = (
    Function("upper", _closing(lambda v: v.upper()), *_named("UPPER")),
    Function("lower", _closing(lambda v: v.lower()), *_named("LOWER")),
    Function("trim", _closing(lambda v: v.strip(" ")), *_named("TRIM")),
    Function("ltrim", _closing(lambda v: v.lstrip(" ")), *_named("LTRIM")),
    Function("rtrim", _closing(lambda v: v.rstrip(" ")), *_named("RTRIM")),
    Function("left", _closing(lambda v, n: v[:n]), *_named("LEFT"), risky=True),
    Function("right", _closing(lambda v, n: v[max(0, len(v) - n) :] if n >= 0 else v[-n:]), *_named("RIGHT"), risky=True),
    Function("substring", _closing(_sub), _substring, _substring, risky=True),
    Function("replace", _closing(lambda v, a, b: v.replace(a, b) if a else v), *_named("REPLACE"), risky=True),
    Function("concat", _concat_facts, _concatenated, _concatenated, risky=True),
    Function("length", _length, *_named("LENGTH")),
    Function("starts_with", _truth, *_named("STARTS_WITH")),
    Function("position", _length, *_named("STRPOS")),
    Function("like", _truth, *_like("LIKE")),
    Function("ilike", _truth, *_like("ILIKE")),
    Function("split_part", _text, *_named("SPLIT_PART"), risky=True),
)
