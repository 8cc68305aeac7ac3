"""What PostgreSQL says, in words that name the place and hold no values and no password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provisioning.errors import ConstraintBroken, SchemaRefused, TargetFailure, TargetInUse, TargetInvalid
from schemas.errors import CompanyOSError

_FIRST = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(.*)")
_COPY = re.compile(r"CONTEXT:\s+COPY (.+), line \d+(?:, column ([^\n:]+))?")
_DEPENDENTS = re.compile(r"^(?:DETAIL:\s+)?(.+ depends on .+)$", re.MULTILINE)
_QUOTED_VALUE = re.compile(r': ".*$')
_BAD_URL = "Failed to connect: invalid "  # how libpq begins where it cannot make sense of a URL, and has asked no server yet
_NOISE = re.compile(r"^(?:[A-Z_]+: )?(?:\[libpq\] )?")


@contextmanager
def postgresql_errors(doing: str, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn the driver's errors into the errors of this room; `doing` says what was tried, `secrets` is never shown."""
    import adbc_driver_manager

    try:
        yield
    except (adbc_driver_manager.Error, OSError) as error:  # a stream of batches raises the latter
        raise _translated(error, doing, secrets) from None


def _translated(error: Any, doing: str, secrets: tuple[str, ...]) -> CompanyOSError:
    text = str(error)
    for secret in secrets:
        text = text.replace(secret, "***")
    state = getattr(error, "sqlstate", None) or ""
    first = _FIRST.search(text)
    said = first[1] if first else _NOISE.sub("", text).strip().partition("\n")[0]
    if said.startswith(_BAD_URL):
        return TargetInvalid(f"the database URL cannot be read: {said.removeprefix('Failed to connect: ')}")
    if state == "2BP01":
        dependents = "; ".join(_DEPENDENTS.findall(text)[:3])
        return TargetInUse(f"cannot replace the tables: {dependents or said}. Drop what depends on them first")
    if state == "55P03":
        return TargetFailure(f"{doing}: another session holds a lock on it; end that session and load again")
    if state.startswith(("22", "23")):
        place = _COPY.search(text)
        where = f"table '{place[1]}'{f', column {place[2]}' if place[2] else ''}" if place else doing
        return ConstraintBroken(f"{where}: PostgreSQL refused rows of the bundle: {_QUOTED_VALUE.sub('', said)}")
    if state == "42501":
        return TargetFailure(f"{doing}: the user lacks a privilege: {said}")
    if state.startswith(("42", "0A", "54")):
        return SchemaRefused(f"{doing}: PostgreSQL does not take it: {said}")
    if state == "53100":
        return TargetFailure(f"{doing}: the server's disk is full; nothing was loaded")
    return TargetFailure(f"{doing}: {said}")
