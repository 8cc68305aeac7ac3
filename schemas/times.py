"""Lengths of time and moments as the schema language writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND

_UNITS = {
    "us": 1, "ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": DAY, "w": 7 * DAY, "mo": 30 * DAY, "y": 365 * DAY,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|mo|[smhdwy])")
_DURATION = re.compile(r"([+-]?)((?:\d+(?:\.\d+)?(?:us|ms|mo|[smhdwy]))+)$")
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?$")


def parse_duration(text: str) -> int:
    """Return the microseconds of a length such as `90s`, `1d12h`, `-3y` (mo = 30 days, y = 365 days); raises ValueError."""
    found = _DURATION.match(text.strip())
    if not found:
        raise ValueError(f"'{text}' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y")
    total = 0
    for number, unit in _PART.findall(found[2]):
        whole, _, fraction = number.partition(".")
        total += int(whole) * _UNITS[unit] + int((fraction + "000000000000")[:12] or 0) * _UNITS[unit] // 10**12
    return -total if found[1] == "-" else total


def format_duration(microseconds: int) -> str:
    """Return the shortest text that `parse_duration` reads as `microseconds`."""
    if microseconds == 0:
        return "0s"
    rest, parts = abs(microseconds), []
    for unit in ("y", "w", "d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if microseconds < 0 else "") + "".join(parts)


def parse_moment(text: str) -> int:
    """Return the microseconds since 1970 (UTC) of an ISO 8601 date or time stamp; raises ValueError."""
    try:
        if len(text.strip()) == 10:
            moment = datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
        else:
            moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"'{text}' is no date or time stamp; write it like 2026-01-31 or 2026-01-31T09:00:00Z") from None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def format_moment(microseconds: int) -> str:
    """Return the ISO 8601 time stamp of microseconds since 1970 (UTC)."""
    return (EPOCH + microseconds * MICROSECOND).isoformat().replace("+00:00", "Z")


def canonical_moment(text: str) -> str:
    """Return `text` if it is `now`, an offset such as -3y, a date or a time stamp; raises ValueError."""
    stripped = text.strip()
    if stripped == "now":
        return stripped
    if _DURATION.match(stripped):
        return stripped
    if not stripped[:1].isdigit():
        raise ValueError(f"'{text}' is no moment; write now, an offset such as -3y, or a date such as 2026-01-31")
    parse_moment(stripped)
    return stripped


def resolve_moment(text: str, anchor: int) -> int:
    """Return the microseconds since 1970 of a moment, `now` being `anchor`."""
    if text == "now":
        return anchor
    if _DURATION.match(text):
        return anchor + parse_duration(text)
    return parse_moment(text)


def resolve_time_of_day(text: str) -> int:
    """Return the microseconds since midnight of a time such as 08:30 or 17:05:10; raises ValueError."""
    found = _TIME_OF_DAY.match(text.strip())
    if not found:
        raise ValueError(f"'{text}' is no time of day; write it like 08:30")
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    total = ((hours * 60 + minutes) * 60 + seconds) * SECOND + int(((found[4] or ".0")[1:] + "000000")[:6])
    return min(total, DAY - 1)
