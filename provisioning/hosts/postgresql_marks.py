"""What marks databases and roles of a PostgreSQL server as ours, so that nothing else is ever touched.

A sandbox is marked twice: by a row within, in a schema that its owner cannot write to, and by a comment, which all of the server can be
searched for without a session in any sandbox, and which changes in one transaction with the database's name. Comments are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.control.moments import moment, stamp
from provisioning.errors import NotASandbox
from provisioning.hosts.base import Marker, Place
from provisioning.hosts.postgresql_server import Connection, Server, ask, driver, run
from schemas.ddl_names import literal, quoted

SCHEMA = "companyos_sandbox"
KEY = "companyos"  # of a comment: it says what is marked
# readable by all who may connect to the database; only flags can be switched by them
TABLES = f"""
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.marker (sandbox text NOT NULL, control text NOT NULL, bundle_digest text NOT NULL, made_at timestamptz NOT NULL);
CREATE TABLE {SCHEMA}.feature_flags (name text PRIMARY KEY, enabled boolean NOT NULL);
CREATE TABLE {SCHEMA}.settings (name text PRIMARY KEY, value jsonb NOT NULL);
GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO PUBLIC;
GRANT UPDATE (enabled) ON {SCHEMA}.feature_flags TO PUBLIC
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server: its comment, if that is one of ours, whether it has another one, and whether a drop was broken off."""

    name: str
    mark: Mapping[str, Any]
    commented: bool
    broken: bool
    template: bool


def database(connection: Connection, name: str) -> Database | None:
    """Return what is known of a database without a session in it; None where there is none."""
    rows = ask(
        connection,
        "SELECT shobj_description(oid, 'pg_database'), datconnlimit = -2, datistemplate AND NOT datallowconn FROM pg_database "
        "WHERE datname = %s",
        (name,),
    )
    if not rows:
        return None
    comment, broken, template = rows[0]
    return Database(name, read(comment), comment is not None, broken, template)


def read(comment: str | None) -> Mapping[str, Any]:
    """Return the mark in a comment; empty where it holds none."""
    try:
        found = json.loads(comment or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and KEY in found else {}


def comment(connection: Connection, what: str, name: str, mark: Mapping[str, Any]) -> None:
    """Mark a DATABASE or a ROLE."""
    run(connection, f"COMMENT ON {what} {quoted(name)} IS {literal(json.dumps(mark, sort_keys=True))}")


def sandbox_mark(marker: Marker) -> dict[str, Any]:
    """Return the comment of a sandbox's database."""
    return {
        KEY: "sandbox",
        "sandbox": marker.sandbox,
        "control": marker.control,
        "bundle": marker.bundle_digest,
        "phase": marker.phase,
        "made_at": stamp(marker.made_at),
    }


def marker_of(mark: Mapping[str, Any]) -> Marker | None:
    """Return the marker that a comment holds; None where it is none of a sandbox."""
    if mark.get(KEY) != "sandbox":
        return None
    return Marker(mark["sandbox"], mark["control"], mark["bundle"], mark["phase"], moment(mark["made_at"]))


def write_row(connection: Connection, sandbox: str, control: str, bundle_digest: str, at: datetime) -> None:
    """Write the row within a database, in place of that of the template; a template's names no sandbox."""
    run(connection, f"DELETE FROM {SCHEMA}.marker")
    connection.execute("INSERT INTO companyos_sandbox.marker VALUES (%s, %s, %s, %s)", (sandbox, control, bundle_digest, at))


def require(server: Server, connection: Connection, name: str, place: Place, control: str) -> Database | None:
    """Return the database if both marks say that it is of this sandbox and of our control database; None where there is no database.

    Raises NotASandbox otherwise. What a crash left in the making has no comment yet, and the row of its template; what it left
    in a drop cannot be entered any more.
    """
    found = database(connection, name)
    if found is None:
        return None
    marker = marker_of(found.mark)
    if (found.commented and marker is None) or (marker and (marker.sandbox, marker.control) != (place.sandbox, control)):
        raise _stranger(server, name, place, "its comment is not that of the sandbox")
    if found.broken:
        if marker is None:
            raise _stranger(server, name, place, "it has no comment of ours")
        return found
    psycopg = driver()
    with server.visiting(connection, f"sandbox {place.sandbox}: its marker", name) as inside:
        try:
            rows = ask(inside, f"SELECT sandbox, control FROM {SCHEMA}.marker")
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            rows = []
    if rows == [(place.sandbox, control)] or (rows == [("", "")] and (marker is None or marker.phase == "making")):
        return found
    raise _stranger(server, name, place, "it holds no marker row of the sandbox")


def _stranger(server: Server, name: str, place: Place, why: str) -> NotASandbox:
    return NotASandbox(
        f"database '{name}' on host '{server.name}' is not the sandbox {place.sandbox}: {why}. Nothing of it was touched; "
        "rename it, if it is yours"
    )
