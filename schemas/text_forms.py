"""Regular expressions for texts that checks hold to a form: a pattern, a LIKE, bounds in the order of the alphabet."""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase, digits

from schemas.check_facts import ColumnFacts
from schemas.fitted_forms import fitted

_SPECIAL = r".^$*+?()[]{}|\\"
_ORDERED = (ascii_lowercase, ascii_uppercase, digits)
_FILL = 4


def form_of(facts: ColumnFacts, room: int, different: int = 0, *, filling: bool = False) -> str | None:
    """Return a regular expression all of whose texts, of at most `room` characters, satisfy `facts`; None where none is known.

    It has at least `different` texts, and those are `filling` the room, where that can be.
    """
    bounded = facts.low_text is not None or facts.high_text is not None
    if [facts.pattern is not None, facts.like is not None, bounded].count(True) != 1:
        return None
    if facts.pattern is not None:
        free = facts.min_length <= 1 and facts.max_length is None
        return fitted(facts.pattern, room, filling=filling) if free else None
    if facts.like is not None:
        return _like(facts.like, room if filling and "%" in facts.like else facts.min_length, room, different)
    return _between(facts, room, different)


def is_formed(facts: ColumnFacts) -> bool:
    """Whether checks hold a text to a form, whether it is known or not."""
    return not (facts.pattern is None and facts.like is None and facts.low_text is None and facts.high_text is None)


def satisfies(text: str, facts: ColumnFacts) -> bool:
    """Whether a text satisfies what checks say of a column."""
    if len(text) < facts.min_length or (facts.max_length is not None and len(text) > facts.max_length):
        return False
    if facts.low_text is not None and (text < facts.low_text or (facts.open_low and text == facts.low_text)):
        return False
    if facts.high_text is not None and (text > facts.high_text or (facts.open_high and text == facts.high_text)):
        return False
    forms = [facts.pattern] if facts.pattern is not None else []
    if facts.like is not None:
        forms.append("".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in facts.like))
    try:
        return all(re.fullmatch(form.removeprefix("^").removesuffix("$"), text, re.DOTALL) for form in forms)
    except re.error:
        return False


def _like(pattern: str, least: int, most: int, different: int) -> str | None:
    some = pattern.count("%")
    fixed = len(pattern) - some
    filled = _long_enough(_FILL * some, different) if some else 0
    filled = min(max(filled, least - fixed), most - fixed)
    if filled < 0 or fixed + filled < least or (filled and not some):
        return None
    lengths = [filled // max(some, 1) + (place < filled % max(some, 1)) for place in range(some)]
    return "".join(_fill(lengths.pop(0)) if c == "%" else "[a-z]" if c == "_" else f"\\{c}" if c in _SPECIAL else c for c in pattern)


def _between(facts: ColumnFacts, room: int, different: int) -> str | None:
    """Texts whose first character alone says that they are between the bounds, in the order of any language."""
    low, high = facts.low_text or "", facts.high_text or ""
    ordered = next((known for known in _ORDERED if (low or high)[0:1] and (low or high)[0] in known), None)
    if ordered is None or (high and high[0] not in ordered):
        return None
    tail = max(facts.min_length, 1) - 1
    first, last = (ordered.index(low[0]) + 1 if low else 0), (ordered.index(high[0]) - 1 if high else len(ordered) - 1)
    if room == 1:
        first -= len(low) == 1 and not facts.open_low
        last += len(high) == 1 and not facts.open_high
    else:
        tail = min(max(tail, _long_enough(_FILL, different)), room - 1)
    if first > last or tail >= room:
        return None
    return f"[{ordered[first]}-{ordered[last]}]{_fill(tail)}"


def _long_enough(least: int, different: int) -> int:
    return next((n for n in range(least, 60) if 36**n >= different), 60)


def _fill(length: int) -> str:
    return f"[a-z0-9]{{{length}}}" if length else ""
