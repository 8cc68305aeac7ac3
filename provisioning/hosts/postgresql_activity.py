"""What a PostgreSQL server itself knows of the use of a database, asked without a session in it.

`pg_stat_database` counts the sessions of clients, and how long they ran statements; what autovacuum does is not in these. While a session
is there, `pg_stat_activity` says when it was last at work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from provisioning.hosts.base import Activity, Place
from provisioning.hosts.postgresql_server import Connection, ask

_COUNTED = """
SELECT s.sessions, s.active_time, s.idle_in_transaction_time
FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datname = %s
"""
_SESSIONS = """
SELECT count(*), bool_or(state <> 'idle'), max(greatest(backend_start, xact_start, query_start, state_change))
FROM pg_stat_activity WHERE datname = %s AND usename = %s AND backend_type = 'client backend'
"""


def activity(connection: Connection, place: Place, clock: Callable[[], datetime]) -> Activity | None:
    """Return the use of a sandbox's database by its role; None where there is no database.

    Two readings with the same counter and no connection have no use between them. Our own sessions in the database are over and counted
    when the work that needed them returns, so that they are in the reading that follows it, and reading opens none.
    """
    counted = ask(connection, _COUNTED, (place.database,))
    if not counted:
        return None
    sessions, active, waiting = counted[0]
    connections, at_work, last = ask(connection, _SESSIONS, (place.database, place.role))[0]
    if at_work:
        last = clock()
    return Activity(f"{sessions}/{active:.3f}/{waiting:.3f}", connections, None if last is None else last.astimezone(UTC))
