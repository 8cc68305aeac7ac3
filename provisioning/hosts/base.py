"""What a host of sandboxes can do. Every step may be done again after a crash, and then leaves the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from bundles import Bundle, Progress
from provisioning.apart import Run
from schemas.environments import Limits

Telling = Callable[[Progress], None] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one sandbox lives on its host: its id, its database (or file name), and its role where the host has roles."""

    sandbox: str
    database: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Seeded:
    """How a sandbox came by its data: what goes into its receipt.

    `strategy` is `load`, `clone`, `file_copy`, `wal_log`, `reflink` or `copy`, `why` says why this one. `content_digest` is of the tables
    as they stand in the database; `digest_of` says where it was recomputed: `sandbox`, or `template`, of which the sandbox is a copy whose
    rows were counted inside the sandbox. `seconds` is the time of all.
    """

    strategy: str
    why: str
    tables: Mapping[str, int]
    content_digest: str
    digest_of: Literal["sandbox", "template"]
    shifted_weeks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Marker:
    """The row that says that a database is a sandbox: whose, of which control database, of which bundle (manifest digest), in which state.

    `phase` is `making`, `ready`, `next` (made to take the place of another) or `old` (whose place was taken).
    """

    sandbox: str
    control: str
    bundle_digest: str
    phase: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """What the database itself says of its use.

    `counter` changes with each use of others than ours; `last_use` is None where the database does not know it.
    """

    counter: str
    connections: int
    last_use: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """Something on a host that bears our mark: for whom (the sandbox's id), or for nobody where it is a template.

    `until` is when its owner is let in no more, None where the host does not know it.
    """

    what: Literal["database", "role", "template"]
    name: str
    sandbox: str | None
    bundle_digest: str | None = None
    last_used: datetime | None = None
    until: datetime | None = None


class SandboxHost(Protocol):
    """One host, on behalf of one control database, whose id is in all markers.

    Raises SystemFailure where it cannot be reached, NotASandbox where something is there without our marker. `run` runs
    what reads a sandbox's data at its `admin_address`.
    """

    name: str
    kind: str
    run: Run

    def place(self, sandbox: str) -> Place:
        """Return where the sandbox with this id lives, or would."""

    def seed(
        self, place: Place, bundle: Bundle, *, limits: Limits, as_of: str | None = None, swap: bool = False, on_progress: Telling = None
    ) -> Seeded:
        """Make the database from the bundle's template, which is made first where the host has none; nobody can use it yet.

        What an earlier try left is dropped first, if it bears the marker. With `swap` it is made beside the one that is there.
        """

    def swap(self, place: Place) -> None:
        """Put what was seeded beside in the place of the database, whose connections are ended; the old one is kept."""

    def swap_back(self, place: Place) -> None:
        """Put the old database back, if one is kept, and drop what took its place or was to."""

    def forget_old(self, place: Place) -> None:
        """Drop the old database, if one is kept."""

    def configure(self, place: Place, flags: Mapping[str, bool], settings: Mapping[str, Any]) -> None:
        """Write flags and settings where the application finds them: `companyos_sandbox.feature_flags` (name, enabled) and `.settings`.

        Where the database has no schemas the tables are `companyos_sandbox_feature_flags` and `companyos_sandbox_settings`.
        """

    def flags(self, place: Place) -> Mapping[str, bool]:
        """Return the feature flags as they stand in the sandbox, where others may have switched them."""

    def admit(self, place: Place, password: str | None, until: datetime, limits: Limits) -> None:
        """Let the owner in until then: make the role, give it the database and the password (None: keep the one it has)."""

    def restrict(self, place: Place) -> None:
        """Let the owner only read, until `admit`, so far as the database can: an owner who wants to can still make room."""

    def restricted(self, place: Place) -> bool:
        """Whether the owner may only read."""

    def shut(self, place: Place) -> None:
        """Let nobody in any more, and end the connections that are there; the data stays."""

    def remove(self, place: Place) -> None:
        """Drop all of the sandbox: databases, kept ones too, role and files. It may be gone already."""

    def marker(self, place: Place) -> Marker | None:
        """Return the marker of the database; None where there is no database."""

    def activity(self, place: Place) -> Activity | None:
        """Return the database's own account of its use; None where there is no database."""

    def address(self, place: Place, password: str | None) -> str:
        """Return the URL to connect with."""

    def admin_address(self, place: Place) -> str:
        """Return a URL by which we ourselves read and change the sandbox's data."""

    def bytes(self, place: Place) -> int:
        """Return what the database takes on the disk."""

    def found(self) -> Sequence[Found]:
        """Return all databases and roles that bear the mark of our control database, and all templates, which are everybody's."""

    def drop_template(self, name: str) -> None:
        """Drop a template; it may be gone already."""
