"""Days that are written as whole numbers: 19600503, 3051960, 030560, -3530 days or -304992000 seconds since 1970."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import MAXYEAR, date, timedelta

import pyarrow as pa

_EPOCH = date(1970, 1, 1)
A_DAY = {"seconds": 86_400, "milliseconds": 86_400_000, "microseconds": 86_400_000_000}
DAYS_SINCE_1970, YEARS = "days since 1970", "years in 4 digits"
_EARLIEST, _LATEST = 1850, 2150
_NEARLY = 0.95  # of the numbers are days; some stand for days that nobody knows, as 99999999 does
# how many different numbers must be days: any eight digits hardly ever are, any six once in thirty times
_LEAST_LONG, _LEAST_SHORT = 5, 10
_LEAST_COUNTED = 20


def days_in(texts: Sequence[str], today: int, *, counted: bool) -> Iterator[tuple[str, pa.Array]]:
    """The ways in which nearly all of some different whole numbers can be days, with what they are called, the surest first.

    `today` is in microseconds since 1970: years of two digits are none to come. Days since 1970 are told where `counted` says so, since
    any numbers can be that; some lie before 1970.
    """
    year = (_EPOCH + timedelta(microseconds=today)).year
    forms: tuple[tuple[str, int, int, Callable[[str], date | None]], ...] = (
        ("year, month and day", 8, _LEAST_LONG, lambda v: _day(v[:4], v[4:6], v[6:])),
        ("day, month and year", 8, _LEAST_LONG, lambda v: _day(v[4:], v[2:4], v[:2])),
        ("month, day and year", 8, _LEAST_LONG, lambda v: _day(v[4:], v[:2], v[2:4])),
        ("day, month and year", 6, _LEAST_SHORT, lambda v: _day(_full(v[4:], year), v[2:4], v[:2])),
        ("year, month and day", 6, _LEAST_SHORT, lambda v: _day(_full(v[:2], year), v[2:4], v[4:])),
        ("month, day and year", 6, _LEAST_SHORT, lambda v: _day(_full(v[4:], year), v[:2], v[2:4])),
    )
    for what, size, least, read in forms:
        # of numbers the first zero is lost
        long = [v.zfill(size) for v in texts if size - 1 <= len(v) <= size and v.isdecimal() and v.isascii()]
        found = [day for v in long if (day := read(v)) is not None] if len(long) >= least else []
        if len(found) >= max(least, _NEARLY * len(texts)):
            yield f"{what} in {size} digits", pa.array(found, pa.date32())
    numbers = [int(v) for v in texts if v.removeprefix("-").isdecimal()]
    if len(numbers) < max(len(texts), _LEAST_LONG):
        return
    for unit, size in A_DAY.items():
        if all(number % size == 0 for number in numbers):
            yield from _since_1970([number // size for number in numbers], f"{unit} since 1970 at midnight")
    if counted and len(numbers) >= _LEAST_COUNTED and min(numbers) < 0 < max(numbers):
        yield from _since_1970(numbers, DAYS_SINCE_1970)


def written(texts: Sequence[str], today: int) -> str | None:
    """The way in which all of some different whole numbers, which are said to be days or years, are that; None where none is sure."""
    numbers = [int(v) for v in texts if v.removeprefix("-").isdecimal()]
    if not numbers or len(numbers) < len(texts):
        return None
    if all(_EARLIEST <= number <= (_EPOCH + timedelta(microseconds=today)).year for number in numbers):
        return YEARS
    return next((what for what, days in named_days(texts, today) if len(days) == len(numbers)), None)


def named_days(texts: Sequence[str], today: int) -> Iterator[tuple[str, pa.Array]]:
    """The ways in which some different numbers, which are said to be days, can be that: as `days_in`, and any days since 1970."""
    yield from days_in(texts, today, counted=False)
    numbers = [int(v) for v in texts if v.removeprefix("-").isdecimal()]
    if numbers and len(numbers) == len(texts):
        yield from _since_1970(numbers, DAYS_SINCE_1970)


def _since_1970(days: Sequence[int], what: str) -> Iterator[tuple[str, pa.Array]]:
    if all((_EARLIEST - 1970) * 366 < number < (_LATEST - 1970) * 365 for number in days):
        yield what, pa.array([_EPOCH + timedelta(days=number) for number in days], pa.date32())


def _day(year: str, month: str, day: str) -> date | None:
    if not _EARLIEST <= int(year) <= min(_LATEST, MAXYEAR):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _full(two: str, year: int) -> str:
    """The year that two digits stand for, which has begun."""
    century = year // 100 if int(two) <= year % 100 else year // 100 - 1
    return f"{century}{two}"
