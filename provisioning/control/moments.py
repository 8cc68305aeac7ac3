"""Moments as the control database holds them: UTC, to the microsecond, in one form that sorts as text."""

from __future__ import annotations

from datetime import UTC, datetime

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment as text."""
    return moment.astimezone(UTC).strftime(FORM)


def moment(text: str) -> datetime:
    """Return the moment of a text that `stamp` made."""
    return datetime.strptime(text, FORM).replace(tzinfo=UTC)
