"""Patterns of LIKE in one form for both databases."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Wild(Enum):
    """What a pattern leaves open: any text, or one letter."""

    ANY = "%"
    ONE = "_"


ANY, ONE = Wild.ANY, Wild.ONE
Token = Wild | str


def pattern_tokens(pattern: str, escape: str) -> list[Token] | None:
    """Return the letters and wild cards of a pattern, or None where it ends in `escape`; '' escapes nothing."""
    tokens: list[Token] = []
    letters = iter(pattern)
    for letter in letters:
        if escape and letter == escape:
            following = next(letters, None)
            if following is None:
                return None
            tokens.append(following)
        else:
            tokens.append(ANY if letter == "%" else ONE if letter == "_" else letter)
    return tokens


def written_pattern(tokens: Sequence[Token]) -> str:
    """Return a pattern whose escape letter is the backslash."""
    return "".join(t.value if isinstance(t, Wild) else "\\" + t if t in ("%", "_", "\\") else t for t in tokens)


def needs_escape(pattern: str) -> bool:
    """Whether a pattern has an escaped letter, so that the escape letter must be said."""
    return "\\" in pattern
