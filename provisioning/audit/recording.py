"""Adding events to the ledger."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import rfc8785
import sqlalchemy as sa

from provisioning.audit.checkpoints import sign
from provisioning.audit.keys import configured_key, read_private_key
from provisioning.audit.reading import last_mark
from provisioning.control.moments import stamp
from provisioning.control.tables import events
from provisioning.errors import AuditBroken
from schemas.errors import without_secrets
from schemas.hash_chain import Mark, entry_hash, storable

EVERY = 100  # events between two checkpoints, where a key is configured
LONGEST = 4_000  # characters of one text; what is longer is cut


def record(
    connection: sa.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    why: str,
    sandbox: str | None = None,
    outcome: Mapping[str, Any] | None = None,
    bundle_digest: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Mark:
    """Add an event within the transaction of `connection`, which holds the writers' lock, and return its number and hash.

    `outcome` is what the policy said and `details` what else there is to know, both of what JSON can hold. Passwords in URLs are taken
    out of all texts. Every hundredth event is signed in a checkpoint where $COMPANYOS_AUDIT_KEY names a key; a broken chain is not signed,
    with a warning, and does not keep sandboxes from their end.
    Raises KeyInvalid where that key cannot be used, AuditBroken where the database does not keep the row.
    """
    key = configured_key()
    last = last_mark(connection)
    row: dict[str, Any] = {
        "number": last.number + 1,
        "at": stamp(at),
        "actor": _text(actor),
        "action": _text(action),
        "sandbox": None if sandbox is None else _text(sandbox),
        "why": _text(why),
        "outcome": rfc8785.dumps(_plain(outcome or {})).decode(),
        "bundle_digest": None if bundle_digest is None else _text(bundle_digest),
        "details": rfc8785.dumps(_plain(details or {})).decode(),
        "previous": last.hash,
    }
    mark = Mark(row["number"], entry_hash(row))
    insert = events.insert().values(**row, hash=mark.hash).execution_options(preserve_rowcount=True)
    if connection.execute(insert).rowcount != 1:
        raise AuditBroken(f"the database did not keep row {mark.number} of the audit ledger: a trigger or rule of the table is in its way")
    if key is not None and mark.number % EVERY == 0:
        try:
            sign(connection, read_private_key(key), row["at"])
        except AuditBroken as error:
            warnings.warn(str(error), stacklevel=2)
    return mark


def _text(value: str) -> str:
    text = storable(without_secrets(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case Mapping():
            return {_text(str(name)): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value
