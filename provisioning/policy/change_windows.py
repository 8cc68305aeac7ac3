"""When an environment may be changed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.environments import ChangeWindow

_DAY = 1440
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_open(window: ChangeWindow, now: datetime) -> bool:
    """Whether `now` is within the window, by the clocks of its zone; one that closes before it opens goes on into the next day."""
    local = now.astimezone(ZoneInfo(window.zone))
    minute, today = local.hour * 60 + local.minute, local.weekday()
    if window.begins < window.ends:
        return today in window.days and window.begins <= minute < window.ends
    yesterday = (today - 1) % 7
    return (today in window.days and minute >= window.begins) or (yesterday in window.days and minute < window.ends)


def next_opening(window: ChangeWindow, now: datetime) -> datetime:
    """Return the first opening after `now`, in the zone of the window."""
    zone = ZoneInfo(window.zone)
    today = now.astimezone(zone).date()
    openings = (_opening(window, today + timedelta(days=i), zone) for i in range(9) if (today.weekday() + i) % 7 in window.days)
    return next(opening for opening in openings if opening > now)


def in_words(window: ChangeWindow) -> str:
    """Return a window for people: `Mon Tue Wed 09:00-16:00 Europe/Berlin`."""
    days = " ".join(_DAYS[day] for day in window.days)
    return f"{days} {_clock(window.begins)}-{_clock(window.ends)} {window.zone}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _opening(window: ChangeWindow, day: date, zone: ZoneInfo) -> datetime:
    day += timedelta(days=window.begins // _DAY)
    return datetime.combine(day, time(window.begins % _DAY // 60, window.begins % 60), zone)
