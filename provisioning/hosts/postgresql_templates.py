"""Templates: databases that hold a bundle and that nobody can enter, of which sandboxes are copies.

One is made under a temporary name, loaded and read back, and takes its name, its mark and its locks in one transaction: a database
with the name of a template is whole. Whoever wants one that is being made waits for it, by a lock of the server.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from bundles import Bundle
from provisioning.apart import Run
from provisioning.control.moments import moment, stamp
from provisioning.errors import NotASandbox, SchemaRefused, TargetFailure, WrongState
from provisioning.hosts.base import Found, Telling
from provisioning.hosts.postgresql_marks import KEY, SCHEMA, TABLES, comment, database, read, write_row
from provisioning.hosts.postgresql_server import Connection, Server, ask, driver, run
from provisioning.loading import load
from provisioning.shifting import weeks_until
from schemas.ddl_names import quoted, split
from schemas.errors import InputError

PREFIX = "companyos_t_"
MAKING = "companyos_m_"
USE_IS_NOTED_EVERY = timedelta(hours=1)  # a comment locks the database against being copied for a moment
_WAITS_FOR_USERS = 60.0


@dataclass(frozen=True, slots=True)
class Template:
    """A database to copy: its rows by table, the content digest that was read back, how far times moved, its bytes on the disk.

    `loading` is how many seconds it took to make it, None where it was there already.
    """

    name: str
    tables: Mapping[str, int]
    content_digest: str
    weeks: int
    bytes: int
    loading: float | None = None


class Templates:
    """The templates of one server."""

    def __init__(self, server: Server, clock: Callable[[], datetime], run: Run) -> None:
        self._server, self._clock, self._run = server, clock, run

    def ensure(self, connection: Connection, bundle: Bundle, as_of: str | None, on_progress: Telling) -> Template:
        """Return the template of a bundle, its times moved to the week of `as_of`; it is made where the server has none.

        Raises InputError for a bundle without rows, SchemaRefused for one that has our schema, NotASandbox where a database has the name
        but not the mark, and what `provisioning.load` raises.
        """
        today = self._clock().date()
        weeks = 0 if as_of is None else weeks_until(bundle.schema.anchor, as_of, today=today)
        day = None if as_of is None else _day(as_of, today)
        suffix = _suffix(bundle.manifest_digest, weeks)
        if found := self._find(connection, PREFIX + suffix, bundle.manifest_digest, weeks):
            return found
        _require_rows(bundle)
        with self._server.connected(f"template of {bundle.reference}") as held:
            _lock(held, suffix)
            found = self._find(held, PREFIX + suffix, bundle.manifest_digest, weeks)
            try:
                return found or self._make(held, suffix, bundle, weeks, day, on_progress)
            except BaseException:
                with suppress(Exception):  # what cannot be dropped now, as the server is gone, is dropped by the next one who makes it
                    self._drop(held, MAKING + suffix)
                raise

    def found(self, connection: Connection) -> list[Found]:
        """Return all templates, and what was left of some."""
        rows = ask(connection, "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY 1")
        marks = [(name, read(text)) for name, text in rows]
        return [Found("template", name, None, m["bundle"], moment(m["last_used"])) for name, m in marks if m.get(KEY) == "template"]

    def drop(self, name: str) -> None:
        """Drop a template and the role that its objects belong to; NotASandbox for another database, WrongState while it is being made."""
        with self._server.connected(f"template {name}") as connection:
            if not ask(connection, "SELECT pg_try_advisory_lock(%s)", (_key(name.removeprefix(PREFIX).removeprefix(MAKING)),))[0][0]:
                raise WrongState(f"the template {name} on host '{self._server.name}' is being made; drop it later")
            self._drop(connection, name)

    def _find(self, connection: Connection, name: str, digest: str, weeks: int) -> Template | None:
        found = database(connection, name)
        if found is None:
            return None
        mark = found.mark
        if (mark.get(KEY), mark.get("bundle"), mark.get("weeks")) != ("template", digest, weeks):
            raise NotASandbox(
                f"database '{name}' on host '{self._server.name}' has the name of a template, but is none of ours; rename or drop it"
            )
        if found.broken or not found.template:  # its drop was broken off
            return None
        now = self._clock()
        if abs(now - moment(mark["last_used"])) > USE_IS_NOTED_EVERY:  # or a clock that was wrong noted one after now
            with suppress(driver().Error), connection.transaction():  # another one notes it, or copies it right now
                run(connection, "SET LOCAL lock_timeout = '100ms'")
                comment(connection, "DATABASE", name, {**mark, "last_used": stamp(now)})
        return Template(name, mark["tables"], mark["content_digest"], weeks, mark["bytes"])

    def _make(self, held: Connection, suffix: str, bundle: Bundle, weeks: int, day: str | None, on_progress: Telling) -> Template:
        name, making, maker = PREFIX + suffix, MAKING + suffix, PREFIX + suffix
        started = time.monotonic()
        mark = {KEY: "template", "bundle": bundle.manifest_digest, "weeks": weeks, "made_at": stamp(self._clock())}
        mark["last_used"] = mark["made_at"]
        for left in (making, name):
            self._drop(held, left)
        if not ask(held, "SELECT 1 FROM pg_roles WHERE rolname = %s", (maker,)):
            with held.transaction():
                run(held, f"CREATE ROLE {quoted(maker)} NOLOGIN NOINHERIT")
                comment(held, "ROLE", maker, {KEY: "maker"})
        run(held, f"CREATE DATABASE {quoted(making)} TEMPLATE template0 ENCODING 'UTF8' STRATEGY WAL_LOG CONNECTION LIMIT 0")
        comment(held, "DATABASE", making, mark)
        run(held, f"REVOKE ALL ON DATABASE {quoted(making)} FROM PUBLIC")
        run(held, f"GRANT CREATE ON DATABASE {quoted(making)} TO {quoted(maker)}")
        with self._server.connected(f"template of {bundle.reference}", making) as inside:
            run(inside, f"ALTER SCHEMA public OWNER TO {quoted(maker)}")
        loading = partial(load, bundle, self._server.url(making, role=maker), as_of=day, now=self._clock())
        receipt = self._run(loading, on_progress)
        if receipt.shifted_weeks != weeks:
            raise TargetFailure(f"template of {bundle.reference}: times moved by {receipt.shifted_weeks} weeks, not by {weeks}")
        with self._server.visiting(held, f"template of {bundle.reference}", making) as inside:
            with inside.transaction():
                run(inside, TABLES)
                write_row(inside, "", "", bundle.manifest_digest, self._clock())
            # copies have statistics at once, and their first reader need not write each page again
            run(inside, "VACUUM (FREEZE, ANALYZE)")
        size = ask(held, "SELECT pg_database_size(%s)", (making,))[0][0]
        mark.update({"tables": dict(receipt.tables), "content_digest": receipt.content_digest, "bytes": size})
        with held.transaction():
            comment(held, "DATABASE", making, mark)
            run(held, f"ALTER DATABASE {quoted(making)} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")
            run(held, f"ALTER DATABASE {quoted(making)} RENAME TO {quoted(name)}")
        return Template(name, receipt.tables, receipt.content_digest, weeks, size, time.monotonic() - started)

    def _drop(self, connection: Connection, name: str) -> None:
        """Drop a template, or what a crash left of one, which may have no mark yet but then is empty."""
        found = database(connection, name)
        if found is not None:
            if found.mark.get(KEY) != "template" and (found.commented or not self._is_empty(name)):
                raise NotASandbox(f"database '{name}' on host '{self._server.name}' is no template of ours; nothing of it was touched")
            if found.template:
                run(connection, f"ALTER DATABASE {quoted(name)} IS_TEMPLATE false")
            self._drop_unused(connection, name)
        maker = PREFIX + name.removeprefix(PREFIX).removeprefix(MAKING)
        comments = ask(connection, "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s", (maker,))
        if comments and read(comments[0][0]).get(KEY) == "maker":
            with suppress(driver().errors.DependentObjectsStillExist):  # of a copy that a crash left half made
                run(connection, f"DROP ROLE {quoted(maker)}")

    def _drop_unused(self, connection: Connection, name: str) -> None:
        """Drop a database that nobody is in: one that somebody fills without our lock is not taken from under them."""
        end = time.monotonic() + _WAITS_FOR_USERS
        while True:
            try:
                return run(connection, f"DROP DATABASE IF EXISTS {quoted(name)}")
            except driver().errors.ObjectInUse:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _is_empty(self, name: str) -> bool:
        with self._server.connected(f"template {name}", name) as inside:
            return not ask(
                inside,
                "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LIMIT 1",
            )


def _suffix(digest: str, weeks: int) -> str:
    return digest.partition(":")[2][:20] + (f"_w{weeks}" if weeks else "")


def _day(as_of: str, today: date) -> str:
    return today.isoformat() if as_of.strip() == "now" else as_of


def _lock(connection: Connection, suffix: str) -> None:
    """Wait until nobody else makes this template; the lock ends with the session."""
    run(connection, "SET lock_timeout = 0")
    connection.execute("SELECT pg_advisory_lock(%s)", (_key(suffix),))


def _key(suffix: str) -> int:
    return int.from_bytes(hashlib.sha256(f"companyos template {suffix}".encode()).digest()[:8], "big", signed=True)


def _require_rows(bundle: Bundle) -> None:
    if not sum(table.rows for table in bundle.tables.values()):
        raise InputError(f"{bundle.reference} has no row: a sandbox of it would be empty; build the bundle with rows")
    if any(split(table.name)[0] == SCHEMA for table in bundle.schema.tables):
        raise SchemaRefused(f"{bundle.reference} has tables in the schema {SCHEMA}, which is the sandbox's own; give them another one")
