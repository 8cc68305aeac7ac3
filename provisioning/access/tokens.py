"""API tokens: 256 random bits that are shown once; what is kept of one is its SHA-256.

A token is too long to be guessed, so that a plain hash serves: what slows down trying passwords would slow down each request here.
"""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

import sqlalchemy as sa

from provisioning.access.scopes import Scope, scopes_of
from provisioning.audit import record
from provisioning.control.database import Control
from provisioning.control.moments import moment, stamp
from provisioning.control.tables import tokens as table
from schemas.errors import InputError, followed, nearest

PREFIX = "cos_"  # by which scanners of repositories and logs find a token that got lost
SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Token:
    """What is recorded of a token: whose it is, what it allows, from when to when."""

    id: str
    owner: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return `valid`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if now < self.expires_at else "expired"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "owner": self.owner,
            "scopes": list(self.scopes),
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "revoked_at": None if self.revoked_at is None else self.revoked_at.isoformat(),
        }


def issue(control: Control, owner: str, scopes: Iterable[str], valid: timedelta, *, actor: str, why: str = "") -> tuple[Token, str]:
    """Make a token and return its record and the token itself, which nobody can read from the record.

    Raises InputError for an unknown scope, and for a time that is nothing or longer than a year.
    """
    allowed = scopes_of(scopes)
    if not timedelta(0) < valid <= LONGEST:
        raise InputError(f"a token is valid for some time up to {LONGEST.days} days")
    secret = PREFIX + secrets.token_urlsafe(32)
    now = control.clock()
    token = Token(f"tok-{b32encode(secrets.token_bytes(7))[:10].decode().lower()}", owner, allowed, now, now + valid, None)
    with control.write() as connection:
        connection.execute(
            table.insert().values(
                id=token.id,
                hash=_digest(secret),
                owner=owner,
                scopes=list(allowed),
                created_at=stamp(now),
                expires_at=stamp(token.expires_at),
            )
        )
        _event(connection, "token created", token, now, actor, why)
    return token, secret


def holder(control: Control, secret: str) -> Token | None:
    """Return the token that `secret` is, None where it is none, or one that is over or revoked."""
    if not SECRET.fullmatch(secret):
        return None
    with control.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.hash == _digest(secret))).first()
    token = None if row is None else _of(row)
    return token if token is not None and token.state(control.clock()) == "valid" else None


def tokens(control: Control, *, owner: str | None = None) -> list[Token]:
    """Return the tokens of an owner (None: of all), the oldest first, those that are over or revoked too."""
    asked = sa.select(table).order_by(table.c.created_at, table.c.id)
    if owner is not None:
        asked = asked.where(table.c.owner == owner)
    with control.read() as connection:
        return [_of(row) for row in connection.execute(asked)]


def are_there_any(control: Control) -> bool:
    """Whether anybody holds a token that is valid now."""
    now = control.clock()
    return any(token.state(now) == "valid" for token in tokens(control))


def revoke(control: Control, id: str, *, actor: str, why: str = "") -> Token:
    """Let a token open nothing any more, from the next request on; InputError for an unknown one. It may be revoked already."""
    now = control.clock()
    with control.write() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).first()
        if row is None:
            known = connection.scalars(sa.select(table.c.id)).all()
            hint = followed(nearest(id, known), "`companyos token list` shows those that there are")
            raise InputError(f"there is no token '{_named(id)}'{hint}")
        token = _of(row)
        if token.revoked_at is not None:
            return token
        connection.execute(table.update().where(table.c.id == id).values(revoked_at=stamp(now)))
        _event(connection, "token revoked", token, now, actor, why)
        return _of(connection.execute(sa.select(table).where(table.c.id == id)).one())


def _named(id: str) -> str:
    """What was given as an id, unless it is the token itself."""
    return f"{PREFIX}..." if PREFIX in id else id[:40]


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _of(row: sa.Row[Any]) -> Token:
    revoked = None if row.revoked_at is None else moment(row.revoked_at)
    scopes = cast("tuple[Scope, ...]", tuple(row.scopes))
    return Token(row.id, row.owner, scopes, moment(row.created_at), moment(row.expires_at), revoked)


def _event(connection: sa.Connection, action: str, token: Token, now: datetime, actor: str, why: str) -> None:
    details = {"token": token.id, "owner": token.owner, "scopes": list(token.scopes), "until": stamp(token.expires_at)}
    record(connection, at=now, actor=actor, action=action, why=why, details=details)
