"""A file outside of the database that remembers how far the chain of entries has come."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from dpsql.errors import LedgerFailure


@dataclass(frozen=True)
class Mark:
    """The number and hash of an entry that was written."""

    number: int
    hash: str


class Anchor:
    """The anchor of one ledger. It only ever moves forward, whichever process moves it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mark | None:
        """Return where the chain had come to, None for a new ledger; LedgerFailure where the file cannot be read."""
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerFailure(f"the ledger's anchor {self.path} cannot be read: {error.strerror}") from error
        if not text:
            return None
        try:
            number, digest = json.loads(text)
            return Mark(int(number), str(digest))
        except (ValueError, TypeError) as error:
            raise LedgerFailure(f"the ledger's anchor {self.path} is damaged; put back a newer copy of it") from error

    def move(self, mark: Mark) -> None:
        """Write down that the chain has come to `mark`, durably, unless it is further already."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                known = os.read(descriptor, 4096)
                if known and json.loads(known)[0] >= mark.number:
                    return
                # one short write in place: a file of another length is never seen half-written, since it is padded to one length
                os.pwrite(descriptor, json.dumps([mark.number, mark.hash]).encode().ljust(128), 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise LedgerFailure(f"the ledger's anchor {self.path} cannot be written") from error
