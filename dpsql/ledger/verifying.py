"""Reading a whole ledger again: every hash, every total, every kept part."""

from __future__ import annotations

from hashlib import sha256
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from dpsql.accounting import NOTHING, Spend
from dpsql.errors import LedgerBroken
from dpsql.ledger.canonical import canonical
from dpsql.ledger.chain import altered, chained, document_of, spend_of_row
from dpsql.ledger.tables import entries, parts
from dpsql.ledger.terms import Terms, plain_spend
from schemas.hash_chain import START, Mark, fault

PAGE = 1_000
WHAT_NOW = "Put back the newest copy of the ledger"


def parts_hash(kept: dict[str, bytes]) -> str:
    """The SHA-256 of parts that were kept together."""
    return sha256(canonical({digest: sha256(data).hexdigest() for digest, data in kept.items()})).hexdigest()


def verify_chain(connection: sa.Connection) -> tuple[int, dict[int, str]]:
    """Recompute the chain and its totals; return the number of entries, and the hashes of what was kept by the entries that kept it.

    `connection` sees one state throughout. Raises LedgerBroken with the first entry that was altered, moved, added or taken out. What is
    missing at the end is known to the anchor alone.
    """
    walk = _Walk()
    for row in connection.execution_options(yield_per=PAGE).execute(sa.select(entries).order_by(entries.c.number)):
        walk.step(row)
    return walk.last.number, walk.kept


class _Walk:
    """What is known of the chain up to an entry."""

    def __init__(self) -> None:
        self.last = START
        self.kept: dict[int, str] = {}
        self._terms: dict[str, Terms] = {}
        self._totals: dict[tuple[str, str | None], tuple[str, Spend]] = {}
        self._ever: dict[str, Spend] = {}

    def step(self, row: sa.Row[Any]) -> None:
        number = self.last.number + 1
        match fault(chained(row._asdict()), self.last):
            case "missing":
                raise LedgerBroken(f"entry {number} of the ledger is missing: the next is {row.number}. {WHAT_NOW}")
            case "altered":
                raise altered(row)
            case "unlinked":
                said = f"entry {number} of the ledger does not follow entry {number - 1}: one of them was altered or moved"
                raise LedgerBroken(f"{said}. {WHAT_NOW}")
        self.last = Mark(number, row.hash)
        match row.kind:
            case "limit":
                self._terms[row.release] = Terms.of(document_of(row))
            case "kept":
                self.kept[number] = document_of(row)["parts"]
            case "charge":
                self._charge(row)

    def _charge(self, row: sa.Row[Any]) -> None:
        spend, said = spend_of_row(row), document_of(row)
        self._ever[row.release] = self._ever.get(row.release, NOTHING) + spend
        found = {"ever": plain_spend(self._ever[row.release])}
        renewed = self._terms[row.release].renewed(row.at) if row.release in self._terms else None
        for which, who in (("all", None), ("own", row.analyst)):
            at, total = self._totals.get((row.release, who), ("", NOTHING))
            total = (NOTHING if renewed is not None and at < renewed else total) + spend
            self._totals[row.release, who] = (row.at, total)
            found[which] = plain_spend(total)
        if found != said:
            raise LedgerBroken(f"entry {row.number} of the ledger holds totals that are not the sums of the charges before. {WHAT_NOW}")


def verify_parts(connection: sa.Connection, kept: dict[int, str]) -> None:
    """Raise LedgerBroken where the kept parts are not those of the hashes in `kept`, by the entries that kept them."""
    left = dict(kept)
    asked = sa.select(parts.c.entry, parts.c.digest, parts.c.data).order_by(parts.c.entry)
    rows = connection.execution_options(yield_per=PAGE).execute(asked)
    for number, group in groupby(rows, key=lambda row: int(row.entry)):
        if left.pop(number, None) != parts_hash({row.digest: bytes(row.data) for row in group}):
            raise LedgerBroken(f"the noisy parts that entry {number} of the ledger kept were altered. {WHAT_NOW}")
    if left:
        raise LedgerBroken(f"the noisy parts that entry {min(left)} of the ledger kept are missing. {WHAT_NOW}")
