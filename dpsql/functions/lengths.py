"""How long texts get: what makes texts longer cuts them, so that no nesting of functions makes the text of one row fill the memory.

Where a database runs out of memory over one person's text, that tells of the person.
"""

from __future__ import annotations

from collections.abc import Iterable

from dpsql.tree import Call, Expression, Literal

GROWING = 10_000  # characters of a text that is made longer
PUT_IN = 100  # characters that REPLACE puts in for what it finds
REPLACED = 10 * GROWING  # characters up to which REPLACE may come before its outcome is cut
CLOSED_TEXT, CLOSED_TEXTS = 1_000, 300_000  # characters of each text of a closed list that is worked out, and of all together
PLAIN, OF_PLAIN = ("boolean", "date", "timestamp", "timestamptz", "uuid"), 100  # kinds whose values are short as text, and how short
CUT = {"left": 1, "right": 1, "substring": 2, "lpad": 1, "rpad": 1}  # functions, and which argument of theirs is a number of characters


def most_letters(expression: Expression) -> int | None:
    """The most characters that a text can have, by how it is made; None: not known. Closed values say nothing: a row may hold another."""
    if isinstance(expression, Literal):
        return len(expression.value) if isinstance(expression.value, str) else 0
    return _most_of_call(expression) if isinstance(expression, Call) else None


def _most_of_call(made: Call) -> int | None:
    match made.function:
        case "concat" | "replace" if grows(made):
            return GROWING
        case "overlay":
            return GROWING
        case "md5":
            return 32
        case "cast_text":
            return OF_PLAIN if made.arguments[0].facts.kind in PLAIN else None
        case function if function in CUT and len(made.arguments) > CUT[function]:
            count = made.arguments[CUT[function]]
            return count.value if isinstance(count, Literal) and isinstance(count.value, int) and count.value >= 0 else None
    return None


def grows(made: Call) -> bool:
    """Whether the outcome can be longer than the first argument, and is cut for that."""
    if made.function == "concat":
        return True
    found, new = made.arguments[1:]
    constant = isinstance(found, Literal) and isinstance(new, Literal)
    return not (constant and len(str(new.value)) <= len(str(found.value)))  # type: ignore[union-attr]


def cut(written: str, most: int, known: int | None) -> str:
    """SQL of a text with at most so many characters; as it is where it is `known` to have no more."""
    return written if known is not None and known <= most else f"LEFT({written}, {most})"


def closed_texts(made: Iterable[str | None]) -> tuple[str | None, ...] | None:
    """The different ones of `made`, which are worked out one by one; None where they are too long to go on."""
    found: dict[str | None, None] = {}
    letters = 0
    for text in made:
        if text not in found:
            found[text] = None
            letters += len(text or "")
            if letters > CLOSED_TEXTS or len(text or "") > CLOSED_TEXT:
                return None
    return tuple(found)
