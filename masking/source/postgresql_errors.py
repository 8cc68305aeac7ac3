"""What PostgreSQL says, in words that name the place and hold no values and no password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from masking.errors import PolicyInvalid, SourceFailure
from masking.source.conditions import refused

_FIRST = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(.*)")
_NOISE = re.compile(r"^[A-Z_]+: (?:\[libpq\] )?")
_VALUE = re.compile(r': (?:"|0x).*$')
_QUOTED = re.compile(r'(?P<noun>\w+) "(?:[^"]|"")*"')
# what PostgreSQL says before the names of things; anything else in quotes may be a value
_NOUNS = frozenset(
    (
        "at", "column", "constraint", "database", "encoding", "extension", "file", "function", "host", "index", "near", "parameter",
        "relation", "role", "schema", "sequence", "server", "socket", "table", "tablespace", "trigger", "type", "user", "view",
    )
)  # fmt: skip
_LOST = ("server closed the connection", "terminating connection", "no connection to the server", "connection to server", "SSL SYSCALL")
_SNAPSHOT = ("invalid snapshot identifier", "could not import the requested snapshot", "source process", "snapshot too old")


@contextmanager
def postgresql_failures(doing: str, condition_on: str | None = None) -> Iterator[None]:
    """Turn errors of ADBC, psycopg and Arrow streams into those of this room; `doing` says what was tried.

    `condition_on` names the table where the query has a person's condition, so that it may be to blame.
    """
    import adbc_driver_manager
    import psycopg
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise _failure(str(error.orig), getattr(error.orig, "sqlstate", None) or "", doing, condition_on) from None
    except (psycopg.Error, adbc_driver_manager.Error) as error:
        raise _failure(str(error), error.sqlstate or "", doing, condition_on) from None
    except (OSError, pa.ArrowException) as error:  # what a stream of Arrow makes of the driver's error
        raise _failure(str(error), "", doing, condition_on) from None


def _failure(text: str, state: str, doing: str, condition_on: str | None) -> SourceFailure | PolicyInvalid:
    first = _FIRST.search(text)
    said = first[1] if first else _NOISE.sub("", text).strip().partition("\n")[0]
    said = _QUOTED.sub(lambda found: found[0] if found["noun"].lower() in _NOUNS else found["noun"], _VALUE.sub("", said))
    if state == "P0001":
        said = "a function of the database raised an error of its own"
    if "row-level security" in said:
        return SourceFailure(
            f"{doing}: row-level security hides rows of it from this user, and a part would be taken for the whole; "
            "read as the owner of the table, or as a user with BYPASSRLS"
        )
    if any(words in text for words in _SNAPSHOT):
        return SourceFailure(f"{doing}: the source's snapshot was lost; was its session ended? Begin again")
    if any(words in text for words in _LOST) or state.startswith(("08", "57P")):
        return SourceFailure(f"{doing}: the connection was lost or refused: {said}")
    if condition_on is not None and ((state.startswith(("22", "42")) and state != "42501") or (first and not state)):
        return refused(condition_on, f"PostgreSQL does not take it: {said}")
    if state == "55P03":
        return SourceFailure(f"{doing}: another session holds a lock on it (is its structure being changed?); end that and begin again")
    if state == "42501":
        return SourceFailure(f"{doing}: the user lacks a privilege: {said}")
    if state.startswith("22"):
        return SourceFailure(f"{doing}: PostgreSQL cannot give a value as its column's type: {said}")
    return SourceFailure(f"{doing}: {said}")
