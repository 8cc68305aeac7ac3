"""Formats of dates that both databases write alike."""

from __future__ import annotations

import datetime
import re

# each letter of strftime: what it is in TO_CHAR, and the unit that it is as fine as
LETTERS = {
    "Y": ("YYYY", "year"), "m": ("MM", "month"), "d": ("DD", "day"), "H": ("HH24", "hour"), "M": ("MI", "minute"), "S": ("SS", "second"),
}  # fmt: skip
ORDER = ("year", "month", "day", "hour", "minute", "second")
# names of days and months in TO_CHAR, as they are read in strftime's letters: the letter, and to how many characters it is filled up
NAMES = {
    "%uay": ("%A", 9), "FM%uay": ("%A", 0), "%uy": ("%a", 0), "Month": ("%B", 9), "F%month": ("%B", 0), "Mon": ("%b", 0),
}  # fmt: skip
NOT_WRITTEN = (
    "a date is written with year, month, day, hour, minute and what stands between, in a constant format: 'YYYY-MM' in PostgreSQL's "
    "dialect, '%Y-%m' in DuckDB's"
)
BETWEEN = "-/ .:_"
ALIKE = re.compile("%-?[YymdjHIMSfAaBb]")  # what both write alike of a moment that is shown


def format_parts(text: str) -> list[str] | None:
    """Return the parts of a strftime format, each a letter behind % or what stands between; None where it has others."""
    if not text or not re.fullmatch(f"(%[{''.join(LETTERS)}]|[{BETWEEN}])+", text):
        return None
    return re.findall(f"%[{''.join(LETTERS)}]|[{BETWEEN}]", text)


def alike(text: str) -> bool:
    """Whether TO_CHAR and strftime write all of a format alike, which is in strftime's letters."""
    return not any(letter.isalpha() or letter in '%"\\' for letter in ALIKE.sub("", text))


def to_char(text: str) -> str:
    """Return a strftime format as TO_CHAR has it."""
    return "".join(LETTERS[part[1]][0] if part[0] == "%" else part for part in format_parts(text) or [])


def finest(text: str) -> str:
    """Return the finest unit in a format."""
    units = [LETTERS[part[1]][1] for part in format_parts(text) or [] if part[0] == "%"]
    return max(units, key=ORDER.index, default="year")


def shown(moment: datetime.datetime, text: str) -> str:
    """Return `moment` in a format, with four digits of the year."""
    return moment.strftime(text.replace("%Y", f"{moment.year:04}"))
