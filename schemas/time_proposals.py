"""Generators for dates, time stamps and times of day, by the column's name, its bounds and the columns before it."""

from __future__ import annotations

from schemas.check_facts import ColumnFacts
from schemas.model import Recipe
from schemas.times import DAY, SECOND, format_moment, parse_moment, resolve_time_of_day
from schemas.types import MOMENTS
from schemas.wanted import Proposal, Wanted, words_of

_LATER = (
    "updated", "modified", "changed", "end", "ended", "ends", "expires", "expired", "expiry", "due", "closed", "finished", "completed",
    "deleted", "cancelled", "canceled", "shipped", "required", "paid", "delivered", "return", "returned", "resolved", "until", "to",
    "last", "processed", "valid",
)  # fmt: skip
_FIRST, _LAST = parse_moment("0001-01-01"), parse_moment("9999-12-31")
_EARLIER = (
    "created",
    "start",
    "started",
    "starts",
    "from",
    "begin",
    "opened",
    "order",
    "ordered",
    "rental",
    "hired",
    "inserted",
    "registered",
    "issued",
)


def propose_moment(column: Wanted) -> Proposal:
    """Return a recipe of dates or time stamps."""
    facts = column.facts
    strict = DAY if column.type.kind == "date" else 1_000_000
    for other, is_strict in facts.after:
        if other in column.others and column.others[other].kind in MOMENTS:
            least = {"at_least": strict} if is_strict else {}
            return Proposal(Recipe("after", {"path": other, "within": 30 * DAY, **least, "until": "2y"}))
    if facts.low_text or facts.high_text:
        return Proposal(Recipe("between", {"period": _period(facts, strict)}))
    if column.has("birth", "birthday", "dob", "birthdate"):
        return Proposal(Recipe("person.birth_date", {}))
    if column.has(*_LATER) and not column.unique:
        for other, type in column.others.items():
            words = set(words_of(other))
            if words & set(_EARLIER) and type.kind in MOMENTS:
                return Proposal(Recipe("after", {"path": other, "within": 90 * DAY}))
    return Proposal(Recipe("between", {"period": ("-3y", "now")}))


def _period(facts: ColumnFacts, step: int) -> tuple[str, str]:
    """The moments that bounds leave, three years of them where one is missing."""
    try:
        low = None if facts.low_text is None else parse_moment(facts.low_text) + (step if facts.open_low else 0)
        high = None if facts.high_text is None else parse_moment(facts.high_text) - (step if facts.open_high else 0)
    except ValueError:
        return "-3y", "now"
    if low is None:
        low = (high or 0) - 3 * 365 * DAY
    high = low + 3 * 365 * DAY if high is None else high
    return _moment_of(low), _moment_of(high)


def _moment_of(microseconds: int) -> str:
    """A moment of the calendar's years, 1 to 9999."""
    return format_moment(min(max(microseconds, _FIRST), _LAST))


def times_of_day(facts: ColumnFacts) -> tuple[str, str]:
    """The times of a day that bounds leave, those of an office where there are none."""
    if facts.low_text is None and facts.high_text is None:
        return "08:00", "18:00"
    try:
        low = resolve_time_of_day(facts.low_text or "00:00") + (SECOND if facts.open_low else 0)
        high = resolve_time_of_day(facts.high_text or "23:59:59") - (SECOND if facts.open_high else 0)
    except ValueError:
        return "08:00", "18:00"
    return _time_of_day(low), _time_of_day(high)


def _time_of_day(microseconds: int) -> str:
    return format_moment(min(max(microseconds, 0), DAY - SECOND))[11:19]
