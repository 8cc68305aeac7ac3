"""Numbers of things as people say them: 1 row, 2,000 rows."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with the word for so many: `one` for 1, else `many` (`one` with an s where it is left out)."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
