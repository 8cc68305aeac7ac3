"""Sandboxes on a PostgreSQL server: a database and a role for each, copied from a template of the bundle.

All is found by name and mark: any number of processes and machines may work on one server. The steps that change names and marks are one
transaction of the server.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bundles import Bundle
from provisioning.apart import Run, here
from provisioning.control.moments import utc_now
from provisioning.errors import ReadBackDiffers, WrongState
from provisioning.hosts import postgresql_activity as use
from provisioning.hosts.base import Activity, Found, Marker, Place, Seeded, Telling
from provisioning.hosts.postgresql_copying import Copying, copying
from provisioning.hosts.postgresql_marks import (
    SCHEMA,
    Database,
    comment,
    database,
    marker_of,
    read,
    require,
    sandbox_mark,
    write_row,
)
from provisioning.hosts.postgresql_roles import Roles
from provisioning.hosts.postgresql_server import (
    Connection,
    ask,
    driver,
    end_maker,
    end_sessions,
    run,
    server_from_environment,
    take_over,
)
from provisioning.hosts.postgresql_templates import Template, Templates
from provisioning.loaders.postgresql import compare
from provisioning.shifting import Shift
from provisioning.shipment import Shipment
from provisioning.target import Target
from schemas.ddl_names import qualified, quoted, split
from schemas.environments import Host, Limits

NAME = "companyos_sb_"
NEXT, OLD = "_next", "_old"  # end the names of a database that is to take a sandbox's place, and of the one whose place was taken
_TRIES = 5


class PostgreSQLHost:
    """A server, by the URL of a superuser in the environment variable that the host names; see `provisioning.hosts.base.SandboxHost`."""

    kind = "postgresql"

    def __init__(self, host: Host, *, control: str, clock: Callable[[], datetime] = utc_now, run: Run = here) -> None:
        self.name = host.name
        self.run = run
        self._control, self._clock = control, clock
        self._server = server_from_environment(host.name, host.url_from)
        self._templates = Templates(self._server, clock, run)
        self._roles = Roles(self._server, control)

    def place(self, sandbox: str) -> Place:
        """Return where the sandbox with this id lives, or would."""
        name = NAME + sandbox.removeprefix("sb-")
        return Place(sandbox, name, name)

    def seed(
        self, place: Place, bundle: Bundle, *, limits: Limits, as_of: str | None = None, swap: bool = False, on_progress: Telling = None
    ) -> Seeded:
        """Copy the bundle's template, which is loaded first where the server has none, and count the rows within the copy.

        The sandbox that had its template loaded has all its values read back and digested as well. Nobody but us may connect until
        `admit`. `limits` are the role's, whom `admit` gives them to.
        """
        started = time.monotonic()
        name = place.database + (NEXT if swap else "")
        marker = Marker(place.sandbox, self._control, bundle.manifest_digest, "making", self._clock())
        with self._server.connected(f"sandbox {place.sandbox}: making it") as connection:
            self._roles.require(connection, place)
            take_over(connection, place.database)
            if swap:
                self._require(connection, place.database, place)
            self._drop(connection, name, place)
            # what the last statement of this waits for on the disk has all that is before it in the log along
            run(connection, "SET synchronous_commit = off")
            role = self._roles.make(connection, place)
            template, way = self._copied(connection, name, bundle, as_of, on_progress)
            with connection.transaction():
                run(connection, f"REVOKE ALL ON DATABASE {quoted(name)} FROM PUBLIC")
                comment(connection, "DATABASE", name, sandbox_mark(marker))
            with self._server.visiting(connection, f"sandbox {place.sandbox}: its rows", name) as inside:
                _count(inside, template, place)
                run(inside, "SET synchronous_commit = off")
                with inside.transaction():
                    run(inside, f"REASSIGN OWNED BY {quoted(template.name)} TO {quoted(role)}")
                    write_row(inside, place.sandbox, self._control, bundle.manifest_digest, marker.made_at)
            if template.loading is not None:
                self.run(partial(compare, Target("postgresql", url=self._server.url(name)), Shipment(bundle, Shift(template.weeks))))
            run(connection, "SET synchronous_commit = on")
            comment(connection, "DATABASE", name, sandbox_mark(replace(marker, phase="next" if swap else "ready")))
        loaded = template.loading is not None
        return Seeded(
            strategy="load" if loaded else way.strategy,
            why=f"the server had no template of this bundle: it was loaded in {template.loading:.1f} s; {way.why}" if loaded else way.why,
            tables=template.tables,
            content_digest=template.content_digest,
            digest_of="sandbox" if loaded else "template",
            shifted_weeks=template.weeks,
            seconds=time.monotonic() - started,
        )

    def swap(self, place: Place) -> None:
        """Put what was seeded beside in the place of the database, whose connections are ended; the old one is kept.

        Nobody may connect to it before `admit`.
        """
        present, following, old = place.database, place.database + NEXT, place.database + OLD
        with self._server.connected(f"sandbox {place.sandbox}: swapping its database") as connection:
            ready = self._require(connection, following, place)
            if ready is None:
                if self._require(connection, present, place) and self._require(connection, old, place):
                    return
                raise WrongState(f"sandbox {place.sandbox}: nothing was seeded to take the place of its database")
            if ready.mark.get("phase") != "next":
                raise WrongState(f"sandbox {place.sandbox}: what is to take its place was not made to the end; seed it again")
            replaced = self._require(connection, present, place)
            if replaced is not None:
                self._drop(connection, old, place)
                self._empty(connection, present)
            self._empty(connection, following)
            with connection.transaction():
                if replaced is not None:
                    _rename(connection, replaced, old, "old")
                _rename(connection, ready, present, "ready")

    def swap_back(self, place: Place) -> None:
        """Put the old database back, if one is kept, and drop what took its place or was to; `admit` lets its owner in again."""
        present, following, old = place.database, place.database + NEXT, place.database + OLD
        with self._server.connected(f"sandbox {place.sandbox}: putting its database back") as connection:
            self._roles.require(connection, place)
            end_maker(connection, place.database)
            kept = self._require(connection, old, place)
            taken = self._require(connection, present, place)
            if kept is not None:
                self._drop(connection, following, place)
                if taken is not None:
                    self._empty(connection, present)
                with connection.transaction():
                    if taken is not None:
                        _rename(connection, taken, following, "next")
                    _rename(connection, kept, present, "ready")
            self._drop(connection, following, place)

    def forget_old(self, place: Place) -> None:
        """Drop the old database, if one is kept."""
        with self._server.connected(f"sandbox {place.sandbox}: dropping its old database") as connection:
            self._drop(connection, place.database + OLD, place)

    def configure(self, place: Place, flags: Mapping[str, bool], settings: Mapping[str, Any]) -> None:
        """Write `companyos_sandbox.feature_flags` and `.settings` anew; the application may read both, and switch flags."""
        doing = f"sandbox {place.sandbox}: its flags and settings"
        rows = [(name, json.dumps(value, sort_keys=True)) for name, value in sorted(settings.items())]
        with self._server.connected(doing) as connection:
            self._existing(connection, place)
            with self._server.visiting(connection, doing, place.database) as inside, inside.transaction():
                run(inside, f"DELETE FROM {SCHEMA}.feature_flags; DELETE FROM {SCHEMA}.settings")
                cursor = inside.cursor()
                cursor.executemany("INSERT INTO companyos_sandbox.feature_flags VALUES (%s, %s)", sorted(flags.items()))
                cursor.executemany("INSERT INTO companyos_sandbox.settings VALUES (%s, %s)", rows)

    def flags(self, place: Place) -> Mapping[str, bool]:
        """Return the feature flags as they stand in the sandbox, where others may have switched them."""
        doing = f"sandbox {place.sandbox}: its flags"
        with self._server.connected(doing) as connection:
            self._existing(connection, place)
            with self._server.visiting(connection, doing, place.database) as inside:
                return dict(ask(inside, f"SELECT name, enabled FROM {SCHEMA}.feature_flags ORDER BY name"))

    def admit(self, place: Place, password: str | None, until: datetime, limits: Limits) -> None:
        """Let the owner in until then, with these limits; a password reaches the server as a SCRAM verifier alone."""
        with self._server.connected(f"sandbox {place.sandbox}: letting its owner in") as connection:
            self._existing(connection, place)
            self._roles.make(connection, place)
            with connection.transaction():
                self._roles.admit(connection, place, password, until, limits)

    def restrict(self, place: Place) -> None:
        """Make the sandbox read-only, as PostgreSQL has no quota: its sessions end and new ones begin read-only, until `admit`.

        An owner who says `SET default_transaction_read_only = off` may write, so as to delete what is too much.
        """
        with self._server.connected(f"sandbox {place.sandbox}: making it read-only") as connection:
            self._existing(connection, place)
            self._roles.restrict(connection, place)

    def restricted(self, place: Place) -> bool:
        """Whether sessions begin read-only."""
        with self._server.connected(f"sandbox {place.sandbox}: whether it is read-only") as connection:
            return self._roles.restricted(connection, place)

    def shut(self, place: Place) -> None:
        """Let nobody in any more, and end the sessions that are there; the data stays."""
        with self._server.connected(f"sandbox {place.sandbox}: shutting it") as connection:
            marker = self._marker(connection, place)
            self._roles.shut(connection, place)
            if marker is not None:
                end_sessions(connection, database=place.database)

    def remove(self, place: Place) -> None:
        """Drop the databases and roles of the sandbox; what does not bear its marks is not touched, nor is anything else then."""
        names = (place.database + NEXT, place.database + OLD, place.database)
        with self._server.connected(f"sandbox {place.sandbox}: removing it") as connection:
            self._roles.require(connection, place)
            end_maker(connection, place.database)
            for name in names:
                self._require(connection, name, place)
            self._roles.shut(connection, place)
            for name in names:
                self._drop(connection, name, place)
            self._roles.remove(connection, place)

    def marker(self, place: Place) -> Marker | None:
        """Return the marker that the database's comment holds, without a session in it; None where there is no database.

        Raises NotASandbox where the comment is another one.
        """
        with self._server.connected(f"sandbox {place.sandbox}: its marker") as connection:
            return self._marker(connection, place)

    def activity(self, place: Place) -> Activity | None:
        """Return the database's own account of its use; None where there is no database."""
        with self._server.connected(f"sandbox {place.sandbox}: its use") as connection:
            return use.activity(connection, place, self._clock)

    def address(self, place: Place, password: str | None) -> str:
        """Return the URL to connect with."""
        return self._server.address(place.database, str(place.role), password)

    def admin_address(self, place: Place) -> str:
        """Return a URL for our own work on the data, good for an hour: as the sandbox's role, whose rights it has and no others."""
        with self._server.connected(f"sandbox {place.sandbox}: access for ourselves") as connection:
            self._existing(connection, place)
            operator, password = self._roles.operator(connection, place)
        return self._server.address(place.database, operator, password, {"role": str(place.role)})

    def bytes(self, place: Place) -> int:
        """Return what the database takes on the disk; 0 where there is none."""
        with self._server.connected(f"sandbox {place.sandbox}: its size") as connection:
            found = ask(connection, "SELECT pg_database_size(oid) FROM pg_database WHERE datname = %s", (place.database,))
            return int(found[0][0]) if found else 0

    def found(self) -> Sequence[Found]:
        """Return all databases and roles that bear the mark of our control database, and all templates."""
        with self._server.connected("sandboxes") as connection:
            found = self._templates.found(connection)
            of_roles = (
                "SELECT rolname, rolvaliduntil FROM pg_roles WHERE rolvaliduntil BETWEEN '2000-01-01' AND '9999-01-01'"  # not infinity
            )
            ends = dict(ask(connection, of_roles))
            for name, text in ask(connection, "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY 1"):
                marker = marker_of(read(text))
                if marker is not None and marker.control == self._control:
                    until = ends.get(self.place(marker.sandbox).role)
                    found.append(Found("database", name, marker.sandbox, marker.bundle_digest, until=until))
            for name, text in ask(connection, "SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles ORDER BY 1"):
                sandbox = self._roles.sandbox_of(text)
                if sandbox is not None:
                    found.append(Found("role", name, sandbox, until=ends.get(self.place(sandbox).role)))
            return found

    def drop_template(self, name: str) -> None:
        """Drop a template; it may be gone already. Raises WrongState while it is being made, NotASandbox where it is none of ours."""
        self._templates.drop(name)

    def _require(self, connection: Connection, name: str, place: Place) -> Database | None:
        return require(self._server, connection, name, place, self._control)

    def _marker(self, connection: Connection, place: Place) -> Marker | None:
        found = database(connection, place.database)
        if found is None:
            return None
        marker = marker_of(found.mark)
        if marker is None or (marker.sandbox, marker.control) != (place.sandbox, self._control):
            self._require(connection, place.database, place)
            return Marker(place.sandbox, self._control, "", "making", self._clock())
        return marker

    def _existing(self, connection: Connection, place: Place) -> None:
        """Raise where the sandbox has no database; the comment is enough for what destroys nothing."""
        if self._marker(connection, place) is None:
            raise WrongState(f"sandbox {place.sandbox} has no database on host '{self.name}': it was never made, or is gone")

    def _copied(
        self, connection: Connection, name: str, bundle: Bundle, as_of: str | None, on_progress: Telling
    ) -> tuple[Template, Copying]:
        """Copy the template; who collects old ones, or notes their use, may be at it just then."""
        errors = driver().errors
        loading = None
        for left in reversed(range(_TRIES)):
            template = self._templates.ensure(connection, bundle, as_of, on_progress)
            loading = template.loading if template.loading is not None else loading
            way = copying(connection, template.bytes)
            if way.clones:
                run(connection, "SET file_copy_method = clone")
            try:
                run(connection, f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template.name)} STRATEGY {way.option} CONNECTION LIMIT 0")
            except (errors.InvalidCatalogName, errors.ObjectInUse):
                if not left:
                    raise
                time.sleep(0.1)
                continue
            return replace(template, loading=loading), way
        raise AssertionError("the last try returns or raises")

    def _drop(self, connection: Connection, name: str, place: Place) -> None:
        """Drop a database of the sandbox, after both its marks were seen."""
        if self._require(connection, name, place) is not None:
            run(connection, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")

    def _empty(self, connection: Connection, name: str) -> None:
        """End the sessions in a database, and keep out new ones of all but superusers."""
        run(connection, f"ALTER DATABASE {quoted(name)} CONNECTION LIMIT 0")
        end_sessions(connection, database=name)


def _rename(connection: Connection, found: Database, name: str, phase: str) -> None:
    run(connection, f"ALTER DATABASE {quoted(found.name)} RENAME TO {quoted(name)}")
    comment(connection, "DATABASE", name, {**found.mark, "phase": phase})


def _count(inside: Connection, template: Template, place: Place) -> None:
    """Hold the rows of each table against the template's; a copy is only taken for one after this."""
    with inside.pipeline():
        cursors = [(table, inside.execute(f"SELECT count(*) FROM {_within(table)}".encode())) for table in template.tables]
        for table, cursor in cursors:
            row = cursor.fetchone()
            if row is None or row[0] != template.tables[table]:
                raise ReadBackDiffers(f"sandbox {place.sandbox}, table '{table}': the copy has other rows than {template.name}")


def _within(table: str) -> str:
    return qualified(table) if split(table)[0] else f"public.{quoted(table)}"
