"""Functions of text, mostly for keys and conditions. Over a closed list of values they are worked out beforehand, exactly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from hashlib import md5
from itertools import product
from math import prod

from dpsql.functions import ranges
from dpsql.functions.lengths import CLOSED_TEXT, GROWING, PUT_IN, REPLACED, closed_texts, cut, grows, most_letters
from dpsql.functions.patterns import needs_escape
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal

LONGEST = 1_000_000  # characters of a text that is cut or counted in
Work = Callable[..., str | None]


def _text(arguments: Sequence[Expression]) -> Facts:
    return Facts("text", ranges.nullable(arguments))


def _closing(work: Work, may_be_null: bool = False) -> Callable[[Sequence[Expression]], Facts]:
    """Facts of a function whose outcome is known for each closed value of its first argument, when the others are constants.

    `may_be_null` says that the outcome can be null though no argument is.
    """

    def facts(arguments: Sequence[Expression]) -> Facts:
        first, rest = arguments[0].facts, arguments[1:]
        found = Facts("text", may_be_null or ranges.nullable(arguments))
        if first.values is None or not all(isinstance(a, Literal) and a.value is not None for a in rest):
            return found
        if not all(v is None or (isinstance(v, str) and v.isascii()) for v in first.values):
            return found  # how letters beyond ASCII change differs between databases
        if any(isinstance(v, str) and len(v) > CLOSED_TEXT for v in first.values):
            return found  # what is cut in the database is not worked out here
        constants = [a.value for a in rest if isinstance(a, Literal)]
        made = closed_texts(work(str(v), *constants) for v in first.values if v is not None)
        if made is None:
            return found
        return Facts("text", ranges.nullable(arguments) or None in made, values=tuple(v for v in made if v is not None))

    return facts


def _concatenated_facts(arguments: Sequence[Expression]) -> Facts:
    """What comes several times has the same value each time."""
    found = _text(arguments)
    domains: dict[Expression, list[str]] = {}
    for argument in arguments:
        listed = argument.facts.values
        if listed is None or not all(v is None or isinstance(v, str) for v in listed):
            return found
        domains[argument] = [v for v in listed if isinstance(v, str)]
    if prod(map(len, domains.values())) > ranges.CLOSED:
        return found
    chosen = (dict(zip(domains, values, strict=True)) for values in product(*domains.values()))
    made = closed_texts("".join(one[argument] for argument in arguments) for one in chosen)
    if made is None or len(made) > ranges.CLOSED // 10:
        return found
    return replace(found, values=made)


def _length(arguments: Sequence[Expression]) -> Facts:
    first = arguments[0].facts
    bounds: tuple[int | None, int | None] = (0, None)
    if first.values is not None and all(v is None or isinstance(v, str) for v in first.values):
        counts = [len(v) for v in first.values if isinstance(v, str)]
        bounds = (min(counts, default=0), max(counts, default=0))
    return ranges.number("integer", ranges.nullable(arguments), bounds, Fraction(1))


def _named(name: str, postgres: str | None = None) -> tuple[Writer, Writer]:
    def in_duckdb(*arguments: str, call: Call) -> str:
        return f"{name}({', '.join(arguments)})"

    def in_postgres(*arguments: str, call: Call) -> str:
        return f"{postgres or name}({', '.join(arguments)})"

    return in_duckdb, in_postgres


def _counted(written: str, argument: Expression) -> str:
    """A number of characters, at most LONGEST either way, as an INTEGER; null stays null."""
    if isinstance(argument, Literal) and isinstance(argument.value, int):
        return str(max(-LONGEST, min(LONGEST, argument.value)))
    inside = f"CASE WHEN {written} > {LONGEST} THEN {LONGEST} WHEN {written} < -{LONGEST} THEN -{LONGEST} ELSE {written} END"
    return f"CAST({inside} AS INTEGER)"


def _end(name: str) -> Writer:
    def write(value: str, count: str, call: Call) -> str:
        return f"{name}({value}, {_counted(count, call.arguments[1])})"

    return write


def _substring(*written: str, call: Call) -> str:
    """The part that starts at a place from 1 on; places before are passed over. With a length below zero it is null."""
    value, first, *rest = written
    start = _counted(first, call.arguments[1])
    place = f"(CASE WHEN {start} < 1 THEN 1 ELSE {start} END)"
    if not rest:
        return f"SUBSTRING({value}, {place})"
    length = _counted(rest[0], call.arguments[2])
    end = f"({start} + {length} - {place})"
    return f"(CASE WHEN {length} >= 0 THEN SUBSTRING({value}, {place}, CASE WHEN {end} < 0 THEN 0 ELSE {end} END) END)"


def _sub(text: str, start: object, length: object = None) -> str | None:
    assert isinstance(start, int)
    if length is None:
        return text[max(start, 1) - 1 :]
    assert isinstance(length, int)
    return None if length < 0 else text[max(start, 1) - 1 : max(start + length, 1) - 1 if start + length > start else 0]


def _replace(value: str, search: str, by: str, call: Call) -> str:
    """What gets longer is cut, before and after; an empty text is nowhere found."""
    found, new = call.arguments[1:]
    if isinstance(found, Literal) and found.value == "":
        return value
    if grows(call):
        value, longest = _growing(value, call)
        by = by if isinstance(new, Literal) else cut(by, PUT_IN, most_letters(new))
    made = f"REPLACE({value}, {search}, {by})"
    if grows(call):
        made = cut(made, GROWING, longest)
    return made if isinstance(found, Literal) else f"(CASE WHEN {search} = '' THEN {value} ELSE {made} END)"


def _growing(value: str, call: Call) -> tuple[str, int]:
    """A text in which something is replaced by something longer, cut to what stays within REPLACED, and what it can then come to."""
    text, found, new = call.arguments
    least = len(found.value) if isinstance(found, Literal) and isinstance(found.value, str) else 1
    put_in = len(new.value) if isinstance(new, Literal) and isinstance(new.value, str) else PUT_IN
    growth = max(1, -(-put_in // least))
    most = min(GROWING, REPLACED // growth)
    known = most_letters(text)
    return cut(value, most, known), growth * (most if known is None else min(most, known))


def _trimmed(name: str) -> tuple[Writer, Writer]:
    def write(value: str, letters: str = "' '", *, call: Call) -> str:
        return f"{name}({value}, {letters})"

    def postgres(value: str, letters: str = "' '", *, call: Call) -> str:
        return f"{'BTRIM' if name == 'TRIM' else name}({value}, {letters})"

    return write, postgres


def _like(sign: str) -> tuple[Writer, Writer]:
    """The backslash escapes; in DuckDB only where that is said."""

    def duckdb(value: str, pattern: str, call: Call) -> str:
        written = call.arguments[1]
        assert isinstance(written, Literal)
        escape = " ESCAPE '\\'" if needs_escape(str(written.value)) else ""
        return f"({value} {sign} {pattern}{escape})"

    def postgres(value: str, pattern: str, call: Call) -> str:
        return f"({value} {sign} {pattern})"

    return duckdb, postgres


def _concatenated(*arguments: str, call: Call) -> str:
    """The texts one behind the other, as far as a text may grow."""
    known = [most_letters(a) for a in call.arguments]
    parts = [cut(written, GROWING, most) for written, most in zip(arguments, known, strict=True)]
    return cut("(" + " || ".join(parts) + ")", GROWING, sum(GROWING if most is None else most for most in known))


def _split(value: str, by: str, place: str, call: Call) -> str:
    """Between nothing and nothing there are no parts: null for an empty text, at which DuckDB would split every letter."""
    separator = call.arguments[1]
    if not isinstance(separator, Literal):
        by = f"NULLIF({by}, '')"
    elif separator.value == "":
        return "CAST(NULL AS VARCHAR)"
    return f"SPLIT_PART({value}, {by}, {_counted(place, call.arguments[2])})"


def _parts(text: str, by: str, place: int) -> str | None:
    if by == "":
        return None
    found = text.split(by)
    return found[place - 1] if place <= len(found) else ""


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _pad(name: str) -> tuple[Writer, Writer]:
    def write(value: str, count: str, letters: str, call: Call) -> str:
        return f"{name}({value}, {count}, {letters})"

    return write, write


def _padded(left: bool) -> Work:
    def work(text: str, count: int, letters: str) -> str:
        missing = (letters * count)[: max(0, count - len(text))]
        return (missing + text if left else text + missing) if missing else text[:count]

    return work


def _translate(text: str, letters: str, others: str) -> str:
    """Each letter that is the n-th of `letters` as the n-th of `others`, or left out where there are fewer; the first of several counts."""
    by = {ord(a): others[n : n + 1] for n, a in reversed(list(enumerate(letters)))}
    return text.translate(by)


def _overlay(text: str, new: str, start: int, length: int) -> str:
    return text[: start - 1] + new + text[start - 1 + length :]


def _overlaid(value: str, new: str, start: str, length: str, call: Call) -> str:
    """What stands before, the new text, and what stands behind, as far as a text may grow."""
    text, _, first, count = call.arguments
    assert isinstance(first, Literal)
    assert isinstance(count, Literal)
    kept = cut(value, GROWING, most_letters(text))
    before, behind = (min(place, LONGEST) for place in (first.value - 1, first.value + count.value))  # type: ignore[operator]
    return cut(f"(LEFT({kept}, {before}) || {new} || SUBSTRING({kept}, {behind}))", GROWING, None)


def _first_letter(arguments: Sequence[Expression]) -> Facts:
    first = arguments[0].facts
    if first.values is not None and all(v is None or isinstance(v, str) for v in first.values):
        codes = [ord(v[0]) if v else 0 for v in first.values if isinstance(v, str)]
        found = ranges.number("integer", first.nullable, (min(codes, default=0), max(codes, default=0)), Fraction(1))
        return replace(found, values=tuple(dict.fromkeys(codes)))
    return ranges.number("integer", first.nullable, (0, sys.maxunicode), Fraction(1))


def _right(text: str, count: int) -> str:
    return text[max(0, len(text) - count) :] if count >= 0 else text[-count:]


FUNCTIONS = (
    Function("upper", _closing(lambda v: v.upper()), *_named("UPPER")),
    Function("lower", _closing(lambda v: v.lower()), *_named("LOWER")),
    Function("trim", _closing(lambda v, letters=" ": v.strip(letters) if letters else v), *_trimmed("TRIM")),
    Function("ltrim", _closing(lambda v, letters=" ": v.lstrip(letters) if letters else v), *_trimmed("LTRIM")),
    Function("rtrim", _closing(lambda v, letters=" ": v.rstrip(letters) if letters else v), *_trimmed("RTRIM")),
    Function("left", _closing(lambda v, n: v[:n]), _end("LEFT"), _end("LEFT")),
    Function("right", _closing(_right), _end("RIGHT"), _end("RIGHT")),
    Function("substring", _closing(_sub, True), _substring, _substring),
    Function("replace", _closing(lambda v, a, b: v.replace(a, b) if a else v), _replace, _replace),
    Function("concat", _concatenated_facts, _concatenated, _concatenated),
    Function("reverse", _closing(lambda v: v[::-1]), *_named("REVERSE")),
    Function("translate", _closing(_translate), *_named("TRANSLATE")),
    Function("overlay", _closing(_overlay), _overlaid, _overlaid),
    Function("ascii", _first_letter, *_named("ASCII")),
    Function("md5", _closing(_md5), *_named("MD5")),
    Function("lpad", _closing(_padded(left=True)), *_pad("LPAD")),
    Function("rpad", _closing(_padded(left=False)), *_pad("RPAD")),
    Function("length", _length, *_named("LENGTH")),
    Function("starts_with", ranges.truth, *_named("STARTS_WITH")),
    Function("position", lambda a: ranges.number("integer", ranges.nullable(a), (0, None), Fraction(1)), *_named("STRPOS")),
    Function("like", ranges.truth, *_like("LIKE")),
    Function("ilike", ranges.truth, *_like("ILIKE")),
    Function("split_part", _closing(_parts, True), _split, _split),
)
