"""Lengths of time and moments as the schema language writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from schemas.errors import nearest

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND

_UNITS = {
    "us": 1, "ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": DAY, "w": 7 * DAY, "mo": 30 * DAY, "y": 365 * DAY,
}  # fmt: skip
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(us|ms|mo|[smhdwy])")
_DURATION = re.compile(r"([+-]?)((?:[0-9]+(?:\.[0-9]+)?(?:us|ms|mo|[smhdwy]))+)\Z")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)
_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,6})?)?\Z")


def parse_duration(text: str, *, negative: bool = False) -> int:
    """Return the microseconds of a length such as `90s`, `15m`, `1d12h` (mo = 30 days, y = 365 days).

    Raises ValueError for any other text, and for lengths below zero unless `negative`.
    """
    found = _DURATION.match(text.strip())
    if not found:
        raise ValueError(f"'{text[:60]}' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y")
    total = 0
    for number, unit in _PART.findall(found[2]):
        whole, _, fraction = number.partition(".")
        if len(whole) > 20:
            raise ValueError("a length of time is at most 290,000 years")
        total += int(whole) * _UNITS[unit] + int((fraction + "000000000000")[:12] or 0) * _UNITS[unit] // 10**12
    if total >= 2**63:
        raise ValueError("a length of time is at most 290,000 years")
    if found[1] == "-" and not negative:
        raise ValueError(f"'{text[:60]}' must not be below zero")
    return -total if found[1] == "-" else total


def format_duration(microseconds: int) -> str:
    """Return text that `parse_duration` reads as `microseconds`: in one unit where one divides it."""
    if microseconds == 0:
        return "0s"
    sign, rest = "-" if microseconds < 0 else "", abs(microseconds)
    for unit in reversed(_UNITS):
        if rest % _UNITS[unit] == 0:
            return f"{sign}{rest // _UNITS[unit]}{unit}"
    raise AssertionError("every whole number is a number of microseconds")


def parse_moment(text: str) -> int:
    """Return the microseconds since 1970 (UTC) of an ISO 8601 date or time stamp; raises ValueError."""
    stripped = text.strip()
    try:
        if not _MOMENT.match(stripped):
            raise ValueError
        moment = datetime.fromisoformat(stripped)
        return _since_epoch(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"'{text[:60]}' is no date or time stamp; write it like 2026-01-31 or 2026-01-31T09:00:00Z") from None


def _since_epoch(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def format_moment(microseconds: int) -> str:
    """Return the ISO 8601 time stamp of microseconds since 1970 (UTC)."""
    return (EPOCH + microseconds * MICROSECOND).isoformat().replace("+00:00", "Z")


def canonical_moment(text: str) -> str:
    """Return `text`, stripped, if it is `now`, an offset such as -3y, a date or a time stamp; raises ValueError."""
    stripped = text.strip()
    if stripped == "now":
        return stripped
    if _DURATION.match(stripped):
        parse_duration(stripped, negative=True)
        return stripped
    if not stripped[:1].isdigit():
        hint = nearest(stripped, ("now",)) or "; write now, an offset such as -3y, or a date such as 2026-01-31"
        raise ValueError(f"'{text[:60]}' is no moment{hint}")
    parse_moment(stripped)
    return stripped


def is_moment(text: str) -> bool:
    """Whether `text` is written as a moment: `now`, an offset, or something that begins with a digit as dates do."""
    stripped = text.strip()
    return stripped == "now" or stripped[:1].isdigit() or _DURATION.match(stripped) is not None


def canonical_limit(text: str) -> str:
    """Return `text`, stripped, if it is a moment or may name a column; raises ValueError."""
    return canonical_moment(text) if is_moment(text) else text.strip()


def resolve_moment(text: str, anchor: int) -> int:
    """Return the microseconds since 1970 of a moment, `now` being `anchor` (microseconds since 1970, UTC)."""
    if text == "now":
        return anchor
    if _DURATION.match(text):
        return anchor + parse_duration(text, negative=True)
    return parse_moment(text)


def resolve_time_of_day(text: str) -> int:
    """Return the microseconds since midnight of a time such as 08:30 or 17:05:10; raises ValueError."""
    found = _TIME_OF_DAY.match(text.strip())
    if not found:
        raise ValueError(f"'{text[:60]}' is no time of day; write it like 08:30")
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    total = ((hours * 60 + minutes) * 60 + seconds) * SECOND + int(((found[4] or ".0")[1:] + "000000")[:6])
    return min(total, DAY - 1)
