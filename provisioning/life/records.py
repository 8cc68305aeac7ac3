"""Reading and changing the records of sandboxes, within a transaction of the control database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bundles import Bundle
from provisioning.control.moments import stamp
from provisioning.control.tables import recalls, sandboxes
from provisioning.errors import NoSuchSandbox, SeedRefused, WrongState
from provisioning.life.lineage import lineage
from provisioning.life.sandbox import ID, Sandbox
from provisioning.life.states import LIVE, State, before
from schemas.errors import InputError, nearest

MOST = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some sandboxes, the newest first, and what to ask for the next ones with."""

    sandboxes: Sequence[Sandbox]
    next: str | None


def find(connection: sa.Connection, id: str) -> Sandbox:
    """Return the sandbox with this id; NoSuchSandbox where there is none."""
    row = connection.execute(sa.select(sandboxes).where(sandboxes.c.id == id)).first() if ID.fullmatch(id) else None
    if row is None:
        known = connection.scalars(sa.select(sandboxes.c.id).where(sandboxes.c.state != "deleted").limit(1000)).all()
        raise NoSuchSandbox(f"there is no sandbox '{id[:40]}'{nearest(id, known)}")
    return Sandbox.of(row)


def select(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Sandbox]:
    """Return all sandboxes for which the conditions are true, the oldest first."""
    rows = connection.execute(sa.select(sandboxes).where(*where).order_by(sandboxes.c.created_at, sandboxes.c.id))
    return [Sandbox.of(row) for row in rows]


def page(
    connection: sa.Connection,
    *,
    owner: str | None,
    states: Sequence[State],
    tenant: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Return sandboxes of an owner (None: of all) in some states, the newest first; `after` is the `next` of the page before."""
    if not 1 <= limit <= MOST:
        raise InputError(f"a page has from 1 to {MOST} sandboxes, not {limit}")
    key = sa.tuple_(sandboxes.c.created_at, sandboxes.c.id)
    asked = sa.select(sandboxes).where(sandboxes.c.state.in_(states))
    if owner is not None:
        asked = asked.where(sandboxes.c.owner == owner)
    if tenant is not None:
        asked = asked.where(sandboxes.c.tenant == tenant)
    if after is not None:
        created, found, id = after.partition("_")
        if not found:
            raise InputError("the cursor of the next page is not one that was given out")
        asked = asked.where(key < (created, id))
    rows = connection.execute(asked.order_by(sandboxes.c.created_at.desc(), sandboxes.c.id.desc()).limit(limit + 1)).all()
    shown = [Sandbox.of(row) for row in rows[:limit]]
    last = f"{stamp(shown[-1].created_at)}_{shown[-1].id}" if len(rows) > limit else None
    return Page(shown, last)


def live(connection: sa.Connection, owner: str, environment: str) -> int:
    """Return how many sandboxes of an owner take room in an environment."""
    asked = sa.select(sa.func.count()).where(
        sandboxes.c.owner == owner, sandboxes.c.environment == environment, sandboxes.c.state.in_(LIVE)
    )
    return connection.scalar(asked) or 0


def add(connection: sa.Connection, sandbox: Sandbox, now: datetime) -> None:
    """Record a new sandbox."""
    connection.execute(sandboxes.insert().values(**_values(sandbox), changed_at=stamp(now)))


def move(connection: sa.Connection, sandbox: Sandbox, state: State, now: datetime, **changed: Any) -> None:
    """Move a sandbox on to `state`, with other changes.

    Raises WrongState where its state is none that this one follows, or where somebody has begun something else with it since it was read.
    """
    done = connection.execute(
        sandboxes.update()
        .where(
            sandboxes.c.id == sandbox.id,
            sandboxes.c.state.in_(before(state)),
            sandboxes.c.doing.is_not_distinct_from(sandbox.doing),
        )
        .values(state=state, changed_at=stamp(now), **changed)
    )
    if done.rowcount != 1:
        raise WrongState(f"{sandbox.id} is {_state(find(connection, sandbox.id))}, so it cannot become {state}")


def change(connection: sa.Connection, sandbox: Sandbox, now: datetime, **changed: Any) -> None:
    """Change a sandbox that stays in its state; WrongState where somebody else has moved it, or begun or ended something with it."""
    done = connection.execute(
        sandboxes.update()
        .where(
            sandboxes.c.id == sandbox.id,
            sandboxes.c.state == sandbox.state,
            sandboxes.c.doing.is_not_distinct_from(sandbox.doing),
        )
        .values(changed_at=stamp(now), **changed)
    )
    if done.rowcount != 1:
        raise WrongState(f"{sandbox.id} is no longer as it was: it is {_state(find(connection, sandbox.id))}")


def beat(connection: sa.Connection, sandbox: Sandbox, now: datetime) -> None:
    """Note that the worker of a sandbox lives."""
    connection.execute(sandboxes.update().where(sandboxes.c.id == sandbox.id).values(beat_at=stamp(now)))


def let_go(connection: sa.Connection, id: str, worker: str) -> None:
    """Note that `worker` no longer works on a sandbox, whatever state it left it in."""
    connection.execute(sandboxes.update().where(sandboxes.c.id == id, sandboxes.c.worker == worker).values(worker=None))


def refuse_recalled(connection: sa.Connection, bundle: Bundle, reference: str) -> None:
    """Raise SeedRefused where a bundle was recalled, or one that it is a snapshot of."""
    recalled = connection.execute(sa.select(recalls).where(recalls.c.bundle_digest.in_(lineage(bundle)))).first()
    if recalled is not None:
        raise SeedRefused(f"{reference} was recalled on {recalled.at[:10]}: {recalled.why}")


def _state(sandbox: Sandbox) -> str:
    return f"{sandbox.state} ({sandbox.doing})" if sandbox.doing else sandbox.state


def _values(sandbox: Sandbox) -> dict[str, Any]:
    found = {name: getattr(sandbox, name) for name in Sandbox.__slots__}
    for name in ("created_at", "expires_at", "last_use"):
        found[name] = stamp(found[name])
    found["beat_at"] = None if sandbox.beat_at is None else stamp(sandbox.beat_at)
    found["limits"] = sandbox.to_json()["limits"]
    found["flags"], found["guardrails"] = dict(sandbox.flags), dict(sandbox.guardrails)
    return found
