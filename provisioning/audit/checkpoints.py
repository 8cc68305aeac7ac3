"""Checkpoints: signed statements of how far the chain had come, kept beside it and, as files, elsewhere."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
import sqlalchemy as sa

from provisioning.audit.keys import name_of
from provisioning.audit.reading import any_text, last_mark, pages_after
from provisioning.control.moments import stamp
from provisioning.control.tables import checkpoints, events
from provisioning.errors import AuditBroken
from schemas.errors import InputError
from schemas.hash_chain import START, Mark, fault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from provisioning.control.database import Control
    from schemas.anchor import Anchor

FORMAT = "companyos-audit-checkpoint-v1"  # what is signed begins with it, so that a signature of anything else never fits
_LONGEST = 10_000_000
_NOTHING_SIGNED = ". Nothing was signed; `companyos audit verify` says all"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the chain ended at row `number` with `hash` at the moment `at`, signed; `key` is the public key in hexadecimal."""

    number: int
    hash: str
    at: str
    key: str
    signature: str

    def to_json(self) -> dict[str, Any]:
        """What is kept elsewhere."""
        return {"format": FORMAT, **asdict(self)}

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is that of `key`."""
        from cryptography.exceptions import InvalidSignature

        try:
            key.verify(b64decode(self.signature, validate=True), signed_bytes(self.number, self.hash, self.at))
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def signed_bytes(number: int, hash: str, at: str) -> bytes:
    """What is signed: the format's name, a line end, and canonical JSON (RFC 8785)."""
    return FORMAT.encode() + b"\n" + rfc8785.dumps({"at": at, "hash": hash, "number": number})


def checkpoint(control: Control, key: Ed25519PrivateKey, *, anchor: Anchor | None = None) -> Checkpoint:
    """Sign how far the chain has come and keep that beside it; where this key has signed just that, return what it signed.

    Raises AuditBroken, and signs nothing, where the chain does not go on unbroken from the checkpoint before, or is not the one that
    `anchor` knows, which is moved on otherwise.
    """
    with control.write() as connection:
        if anchor is not None and (known := anchor.read()) is not None:
            _hold(connection, known, "the anchor")
        made = sign(connection, key, stamp(control.clock()))
    if anchor is not None:
        anchor.move(Mark(made.number, made.hash))
    return made


def sign(connection: sa.Connection, key: Ed25519PrivateKey, at: str) -> Checkpoint:
    """Do what `checkpoint` does within the writer's transaction of `connection`."""
    with any_text(connection):
        last, name = last_mark(connection), name_of(key.public_key())
        for before in _newest(connection):
            if before.key == name and not before.is_signed_by(key.public_key()):
                raise AuditBroken(f"the signature of the checkpoint at row {before.number} of the audit ledger is false{_NOTHING_SIGNED}")
            _hold(connection, Mark(before.number, before.hash), "its newest checkpoint")
            _hold_rows(connection, Mark(before.number, before.hash))
            if before.key == name and before.number == last.number:
                return before
    signature = b64encode(key.sign(signed_bytes(last.number, last.hash, at))).decode()
    made = Checkpoint(last.number, last.hash, at, name, signature)
    connection.execute(checkpoints.insert().values(**asdict(made)))
    return made


def _newest(connection: sa.Connection) -> Sequence[Checkpoint]:
    """The checkpoints of the furthest row that has any, one for each key; that of the chain's start where there are none."""
    furthest = sa.select(sa.func.max(checkpoints.c.number)).scalar_subquery()
    asked = sa.select(checkpoints).where(checkpoints.c.number == furthest).order_by(checkpoints.c.key)
    return [Checkpoint(**row._mapping) for row in connection.execute(asked)] or [Checkpoint(START.number, START.hash, "", "", "")]


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Read the checkpoints of a file, one on each line; InputError where it holds anything else."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LONGEST).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the checkpoints {path} cannot be read: {getattr(error, 'strerror', None) or 'they are no text'}") from error
    found = [_parsed(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError(f"{path} holds no checkpoint; `companyos audit checkpoint --to FILE` writes one")
    return found


def write_checkpoint(path: Path, made: Checkpoint) -> None:
    """Add a checkpoint to a file as a line, on the disk when this returns; what is in the file stays."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(made.to_json()) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"the checkpoint cannot be written to {path}: {error.strerror}") from error


def _parsed(line: str, place: str) -> Checkpoint:
    try:
        said = json.loads(line)
        if said.pop("format") != FORMAT:
            raise ValueError
        found = Checkpoint(**said)
        if type(found.number) is not int or any(type(value) is not str for value in (found.hash, found.at, found.key, found.signature)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{place} is no checkpoint: a JSON object of the format {FORMAT}") from None
    return found


def _hold(connection: sa.Connection, known: Mark, what: str) -> None:
    """Raise AuditBroken where the chain does not hold the row that `what` knows."""
    found = START.hash
    if known.number:
        found = connection.scalar(sa.select(events.c.hash).where(events.c.number == known.number)) or ""
    if found != known.hash:
        said = "another one than" if found else "missing, which"
        raise AuditBroken(f"row {known.number} of the audit ledger is {said} {what} knows{_NOTHING_SIGNED}")


def _hold_rows(connection: sa.Connection, known: Mark) -> None:
    """Raise AuditBroken where the chain does not go on from `known` to its end."""
    for page in pages_after(connection, known.number):
        for row in page:
            if fault(row, known):
                raise AuditBroken(f"the audit ledger is broken at row {known.number + 1}{_NOTHING_SIGNED}")
            known = Mark(row["number"], row["hash"])
