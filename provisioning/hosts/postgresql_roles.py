"""The roles of sandboxes: one that owns the data and logs in as long as the sandbox may be used, and one for our own work on the data.

A role can nothing but what is in its database. `CONNECTION LIMIT`, `VALID UNTIL` and `temp_file_limit` hold whatever the owner does;
`statement_timeout` is what sessions begin with, and the owner may set another one.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from provisioning.errors import NotASandbox, TargetFailure, WrongState
from provisioning.hosts.base import Place
from provisioning.hosts.postgresql_marks import KEY, comment, read
from provisioning.hosts.postgresql_server import Connection, Server, ask, driver, end_sessions, run, verifier
from schemas.ddl_names import literal, quoted
from schemas.environments import Limits

OPERATOR = "_op"  # ends the name of the role for our own work
_NOTHING = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_LEAST_TEMPORARY = 64 * 2**20
_OPERATOR_HAS = "1 hour"
_OPERATOR_CONNECTIONS = 8


class Roles:
    """The roles of one server, on behalf of one control database."""

    def __init__(self, server: Server, control: str) -> None:
        self._server, self._control = server, control

    def make(self, connection: Connection, place: Place) -> str:
        """Make the sandbox's role, which cannot log in yet, where it is not there; return its name."""
        role = _role(place)
        if not self._is_there(connection, place, role):
            with connection.transaction():
                run(connection, f"CREATE ROLE {quoted(role)} NOLOGIN NOINHERIT CONNECTION LIMIT 0 {_NOTHING}")
                comment(connection, "ROLE", role, self._mark(place))
        return role

    def admit(self, connection: Connection, place: Place, password: str | None, until: datetime, limits: Limits) -> None:
        """Let the role log in until then, with these limits, and into its database; within the caller's transaction."""
        role = _role(place)
        name = quoted(role)
        known = "" if password is None else f"PASSWORD {verifier(connection, role, password)}"
        run(
            connection,
            f"ALTER ROLE {name} LOGIN {_NOTHING} CONNECTION LIMIT {limits.connections} {known} VALID UNTIL {literal(until.isoformat())}",
        )
        temporary = max(_LEAST_TEMPORARY, limits.bytes // max(1, limits.connections)) // 1024
        run(connection, f"ALTER ROLE {name} SET statement_timeout = '{limits.statement_seconds}s'")
        run(connection, f"ALTER ROLE {name} SET temp_file_limit = '{temporary}kB'")
        run(connection, f"ALTER ROLE {name} RESET default_transaction_read_only")
        run(connection, f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {quoted(place.database)} TO {name}")
        run(connection, f"ALTER DATABASE {quoted(place.database)} CONNECTION LIMIT -1")  # until now 0: nobody but superusers

    def restrict(self, connection: Connection, place: Place) -> None:
        """Have the role's sessions begin read-only, and end those that are there."""
        role = self._known(connection, place)
        run(connection, f"ALTER ROLE {quoted(role)} SET default_transaction_read_only = on")
        end_sessions(connection, roles=(role,))

    def restricted(self, connection: Connection, place: Place) -> bool:
        """Whether the role's sessions begin read-only."""
        query = (
            "SELECT 'default_transaction_read_only=on' = ANY (setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole "
            "WHERE r.rolname = %s AND s.setdatabase = 0"
        )
        return any(row[0] for row in ask(connection, query, (self._known(connection, place),)))

    def shut(self, connection: Connection, place: Place) -> None:
        """Keep the roles from logging in, and end their sessions, in whatever database they are."""
        role = _role(place)
        there = [name for name in (role, role + OPERATOR) if self._is_there(connection, place, name)]
        for name in there:
            run(connection, f"ALTER ROLE {quoted(name)} NOLOGIN")
        end_sessions(connection, roles=tuple(there))

    def operator(self, connection: Connection, place: Place) -> tuple[str, str]:
        """Return a role, and a new password of it for an hour, that can do what the sandbox's role can, and nothing more.

        What an owner left in the data (functions behind views, triggers, casts) runs as whoever reads it, who must be no superuser.
        """
        role = self._known(connection, place)
        operator, password = role + OPERATOR, secrets.token_urlsafe(32)
        with connection.transaction():
            if not self._is_there(connection, place, operator):
                run(connection, f"CREATE ROLE {quoted(operator)} INHERIT {_NOTHING} IN ROLE {quoted(role)}")
                comment(connection, "ROLE", operator, self._mark(place))
            until = ask(connection, f"SELECT (now() + interval '{_OPERATOR_HAS}')::text")[0][0]
            run(
                connection,
                f"ALTER ROLE {quoted(operator)} LOGIN CONNECTION LIMIT {_OPERATOR_CONNECTIONS} "
                f"PASSWORD {verifier(connection, operator, password)} VALID UNTIL {literal(until)}",
            )
            run(connection, f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted(place.database)} TO {quoted(operator)}")
        return operator, password

    def remove(self, connection: Connection, place: Place) -> None:
        """Drop the roles, whose databases are gone; TargetFailure where they own something in another one."""
        self.shut(connection, place)
        role = _role(place)
        for name in (role + OPERATOR, role):
            try:
                run(connection, f"DROP ROLE IF EXISTS {quoted(name)}")
            except driver().errors.DependentObjectsStillExist as error:
                what = (error.diag.message_detail or "").splitlines()[:3]
                raise TargetFailure(
                    f"sandbox {place.sandbox}: role {name} on host '{self._server.name}' has something outside of it: "
                    f"{'; '.join(what)}. Drop or reassign it, and remove the sandbox again"
                ) from None

    def require(self, connection: Connection, place: Place) -> None:
        """Raise NotASandbox where a role has a name of the sandbox's roles, but not its mark."""
        role = _role(place)
        for name in (role, role + OPERATOR):
            self._is_there(connection, place, name)

    def sandbox_of(self, comment: str | None) -> str | None:
        """Return the sandbox whose role has this comment, if it is one of our control database."""
        mark = read(comment)
        return mark["sandbox"] if mark.get(KEY) == "role" and mark.get("control") == self._control else None

    def _known(self, connection: Connection, place: Place) -> str:
        role = _role(place)
        if not self._is_there(connection, place, role):
            raise WrongState(f"sandbox {place.sandbox} has no role on host '{self._server.name}': it was never made, or is gone")
        return role

    def _is_there(self, connection: Connection, place: Place, role: str) -> bool:
        found = ask(connection, "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s", (role,))
        if found and read(found[0][0]) != self._mark(place):
            raise NotASandbox(f"role '{role}' on host '{self._server.name}' does not bear the mark of {place.sandbox}; it was not touched")
        return bool(found)

    def _mark(self, place: Place) -> dict[str, str]:
        return {KEY: "role", "sandbox": place.sandbox, "control": self._control}


def _role(place: Place) -> str:
    assert place.role is not None, "a place on a PostgreSQL server has a role"
    return place.role
