"""Reading events: filtered, a page at a time, the newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from provisioning.audit.reading import any_text
from provisioning.control.moments import stamp
from provisioning.control.tables import events
from schemas.errors import InputError
from schemas.hash_chain import is_whole

if TYPE_CHECKING:
    from provisioning.control.database import Control

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One row. Where it is not `whole`, it is not what its hash says, and `outcome` and `details` are texts as they stand."""

    number: int
    at: str
    actor: str
    action: str
    sandbox: str | None
    why: str
    outcome: Any
    bundle_digest: str | None
    details: Any
    hash: str
    whole: bool

    def to_json(self) -> dict[str, Any]:
        """The event for machines."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events: of one sandbox, one actor, one action, since a moment."""

    sandbox: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events, the newest first, and the number `before` which the next page begins, None where there are no more."""

    events: tuple[Event, ...]
    next: int | None


def log(control: Control, filters: Filters = Filters(), *, before: int | None = None, limit: int = 50) -> Page:
    """Return the newest events that fit, those with numbers below `before`; InputError for a limit outside of 1 to 10,000."""
    if not 1 <= limit <= MOST:
        raise InputError(f"a page has 1 to {MOST:,} events, not {limit}")
    c = events.c
    asked = sa.select(events).order_by(c.number.desc()).limit(limit + 1)
    for column, wanted in ((c.sandbox, filters.sandbox), (c.actor, filters.actor), (c.action, filters.action)):
        if wanted is not None:
            asked = asked.where(column == wanted)
    if filters.since is not None:
        asked = asked.where(c.at >= stamp(filters.since))
    if before is not None:
        asked = asked.where(c.number < before)
    with control.read() as connection, any_text(connection):
        rows = connection.execute(asked).mappings().all()
    found = tuple(_event(dict(row)) for row in rows[:limit])
    return Page(found, found[-1].number if len(rows) > limit else None)


def actions(control: Control) -> tuple[str, ...]:
    """Return what has been done so far, each action once, sorted."""
    with control.read() as connection, any_text(connection):
        found = connection.execute(sa.select(events.c.action).distinct()).scalars().all()
    return tuple(sorted(a.decode("utf-8", "replace") if isinstance(a, bytes) else a for a in found))


def _event(row: dict[str, Any]) -> Event:
    whole = is_whole(row)
    del row["previous"]
    for name, value in row.items():
        if whole and name in ("outcome", "details"):
            row[name] = json.loads(value)
        elif isinstance(value, bytes):
            row[name] = value.decode("utf-8", "replace")
        elif isinstance(value, str):
            row[name] = value.encode("utf-8", "replace").decode()
    return Event(**row, whole=whole)
