"""The chain: every entry holds the hash of the one before, so that none can be altered, moved or taken out unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dpsql.accounting import NOTHING, Spend
from dpsql.errors import LedgerBroken
from dpsql.ledger.base import Kind
from dpsql.ledger.canonical import canonical_text
from dpsql.ledger.statements import ADD_ENTRY, HASH_OF, LAST, LATEST, EntryRow
from schemas import hash_chain
from schemas.hash_chain import START, Mark

MOST_SEEN = 10_000
_AMOUNTS = ("epsilon", "delta", "rho", "delta_rho")


class Seen:
    """What a process has seen of the newest entries. It holds as long as the newest of all is the one that it saw last.

    What it has read or written itself it need not read again: an entry that was altered behind its back since then is found by `verify`,
    and by whoever reads it next, and no total that it knows gets lower by that.
    """

    def __init__(self) -> None:
        self.last: Mark | None = None
        self.anchored: Mark | None = None  # the anchor that fits this chain
        self.latest: dict[tuple[Kind, str | None, str | None], EntryRow | None] = {}

    def at(self, last: Mark) -> None:
        """Forget all if `last` is not the newest entry that was seen, and see it."""
        if self.last != last or len(self.latest) > MOST_SEEN:
            self.forget()
            self.last = last

    def forget(self) -> None:
        """Forget all, since nobody knows what of it holds."""
        self.last = self.anchored = None
        self.latest.clear()


class Chain:
    """The chain as one transaction sees and lengthens it; `connection` holds the writers' lock where entries are appended.

    `seen` is what the only process that writes by it has seen before.
    """

    def __init__(self, connection: sa.Connection, now: str, seen: Seen | None = None) -> None:
        self.connection = connection
        self.now = now
        self._seen = Seen() if seen is None else seen
        self._last: Mark | None = None

    def last(self) -> Mark:
        """The newest entry, or `START`."""
        if self._last is None:
            rows = LAST.run(self.connection)
            self._last = Mark(*rows[0]) if rows else START
            self._seen.at(self._last)
        return self._last

    def back_to(self, mark: Mark) -> None:
        """Forget what was appended after `mark`, since the database did, too."""
        self._seen.forget()
        self._last = mark

    def append(
        self,
        kind: Kind,
        *,
        release: str | None,
        analyst: str | None = None,
        spend: Spend = NOTHING,
        sql: str | None = None,
        digest: str | None = None,
        document: Mapping[str, Any],
    ) -> Mark:
        """Add an entry; `document` is what its kind adds, made of texts, whole numbers, lists and mappings."""
        last = self.last()
        entry: dict[str, Any] = {
            "number": last.number + 1,
            "at": self.now,
            "kind": kind,
            "release": release,
            "analyst": analyst,
            **{name: float(getattr(spend, name)) for name in _AMOUNTS},
            "sql": sql,
            "digest": digest,
            "document": canonical_text(document),
            "previous": last.hash,
        }
        mark = Mark(entry["number"], entry_hash(entry))
        ADD_ENTRY.run(self.connection, **entry, hash=mark.hash)
        row = EntryRow(**entry, hash=mark.hash)
        for names in {(release, None), (None, analyst), (release, analyst)} - {(None, None)}:
            self._seen.latest[kind, *names] = row
        self._last = self._seen.last = mark
        return mark

    def latest(self, kind: Kind, *, release: str | None = None, analyst: str | None = None) -> EntryRow | None:
        """The newest entry of a kind, of a release or an analyst or both; LedgerBroken where it was altered."""
        self.last()
        if (kind, release, analyst) not in self._seen.latest:
            self._seen.latest[kind, release, analyst] = self._read(kind, release, analyst)
        return self._seen.latest[kind, release, analyst]

    def _read(self, kind: Kind, release: str | None, analyst: str | None) -> EntryRow | None:
        wanted = {"kind": kind, "release": release, "analyst": analyst}
        named = {name: value for name, value in wanted.items() if value is not None}
        rows = LATEST[tuple(named)].run(self.connection, **named)
        if not rows:
            return None
        row = EntryRow(*rows[0])
        hold_entry(row)
        return row

    def hold(self, mark: Mark | None, path: Path) -> None:
        """Raise LedgerBroken where the database is behind the `mark` of its anchor, or another one, or has lost its anchor at `path`."""
        if mark is None and self.last() == START:
            return
        if mark is None:
            raise LedgerBroken(
                f"the ledger's anchor {path} is missing, so that nobody can say whether the ledger is whole. Put it back, or say "
                "where it is (--anchor); if it is lost, `companyos dp audit --new-anchor` verifies the ledger, writes another and says so "
                "in the audit log"
            )
        last = self.last()
        if mark == self._seen.anchored:
            return
        found = START.hash
        if mark.number == last.number:
            found = last.hash
        elif mark.number:
            rows = HASH_OF.run(self.connection, number=mark.number)
            found = rows[0][0] if rows else ""
        if found != mark.hash:
            raise LedgerBroken(
                f"the ledger is not the one that its anchor {path} knows: entry {mark.number} is "
                f"{'another one' if found else 'missing'}. It was cut short or put back from an old copy, and what was spent since is not "
                "in it. Put back the newest copy; if that is lost, so is the budget of its releases: `companyos dp audit --new-anchor` "
                "accepts the ledger as it is, and says so in the audit log"
            )
        self._seen.anchored = mark


def entry_hash(entry: Mapping[str, Any]) -> str:
    """The hash of an entry, which holds the hash of the entry before."""
    return hash_chain.entry_hash(chained(entry))


def chained(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as the chain holds it: its amounts exact, in hexadecimal."""
    return {name: value.hex() if isinstance(value, float) else value for name, value in entry.items()}


def hold_entry(row: sa.Row[Any] | EntryRow) -> None:
    """Raise LedgerBroken where an entry is not what its hash says."""
    if not hash_chain.is_whole(chained(row._asdict())):
        raise altered(row)


def altered(row: sa.Row[Any] | EntryRow) -> LedgerBroken:
    """What to raise for an entry that is not what its hash says."""
    return LedgerBroken(f"entry {row.number} of the ledger was altered: a {row.kind} of {row.at}. Put back the newest copy of the ledger")


def document_of(row: sa.Row[Any] | EntryRow) -> dict[str, Any]:
    """What the kind of an entry adds."""
    document: dict[str, Any] = json.loads(row.document)
    return document


def spend_of_row(row: sa.Row[Any]) -> Spend:
    """What an entry charges."""
    return Spend(*(getattr(row, name) for name in _AMOUNTS))
