"""The states of a sandbox, and which follows which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

State = Literal["requested", "provisioning", "ready", "expired", "deleting", "deleted", "failed"]

NEXT: Mapping[State, frozenset[State]] = {
    "requested": frozenset({"provisioning", "failed", "deleting"}),
    "provisioning": frozenset({"ready", "failed", "deleting"}),
    "ready": frozenset({"expired", "failed", "deleting"}),
    "expired": frozenset({"deleting"}),
    "failed": frozenset({"deleting"}),
    "deleting": frozenset({"deleted"}),
    "deleted": frozenset(),
}
STATES = tuple(NEXT)
BEING_MADE: tuple[State, ...] = ("requested", "provisioning")
PRESENT = tuple(s for s in STATES if s != "deleted")
LIVE: tuple[State, ...] = ("requested", "provisioning", "ready", "expired", "deleting")  # what takes room, and counts for a quota


def before(state: State) -> tuple[State, ...]:
    """Return the states that `state` may follow."""
    return tuple(s for s, after in NEXT.items() if state in after)
