"""When a bundle is to be used no more."""

from __future__ import annotations

from datetime import datetime


def has_expired(expires: datetime | None, now: datetime) -> bool:
    """Whether the time of a bundle that expires at `expires` (None: never) is over."""
    return expires is not None and expires <= now
