"""What the service needs of a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dpsql.accounting import Limit, Spend

Outcome = Literal["answered", "failed", "cancelled"]


@dataclass(frozen=True)
class Question:
    """What is asked: a digest of all that is measured, the analyst's SQL, and the digests of the parts that are new."""

    digest: str
    sql: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Charge:
    """A spending that was written down: its number in the ledger."""

    number: int
    release: str
    analyst: str


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: what happened, by whom, when (UTC), and for how much."""

    number: int
    at: str
    kind: Literal["limit", "charge", "finish", "refusal"]
    release: str
    analyst: str | None
    spend: Spend
    sql: str | None
    detail: str | None


@dataclass(frozen=True)
class Spending:
    """What was spent on a release, by all and by each analyst, and what may be."""

    release: str
    limit: Limit
    per_analyst: Limit | None
    total: Spend
    analysts: Mapping[str, Spend]


class Ledger(Protocol):
    """A budget ledger. Whatever it has written down stays, whatever happens after."""

    def open_release(self, release: str, limit: Limit, per_analyst: Limit | None) -> None:
        """Write down the limits of a release when it is first used; later ones may only be lower."""
        ...

    def reserve(self, release: str, analyst: str, spend: Spend, question: Question) -> Charge:
        """Charge `spend` in one transaction; BudgetSpent where a limit does not allow it."""
        ...

    def keep(self, charge: Charge, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Keep noisy parts by their digests and return those that hold: the first ones kept."""
        ...

    def kept(self, release: str, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the kept parts among `digests`."""
        ...

    def finish(self, charge: Charge, outcome: Outcome) -> None:
        """Write down how a charged question ended; nothing is given back."""
        ...

    def refuse(self, release: str, analyst: str, sql: str, reason: str) -> None:
        """Write down a question that was not answered."""
        ...

    def spending(self, release: str) -> Spending:
        """Return what was spent on `release`; InputError where the ledger does not know it."""
        ...

    def releases(self) -> Sequence[str]:
        """Return the releases that the ledger knows, in the order of their first use."""
        ...

    def entries(self, release: str | None = None) -> Sequence[Entry]:
        """Return the entries, of one release or of all, in their order."""
        ...

    def verify(self) -> int:
        """Recompute the whole chain and return how many entries it has; LedgerBroken says which entry was touched."""
        ...

    def set_limit(self, release: str, limit: Limit, per_analyst: Limit | None, by: str) -> None:
        """Write down new limits, higher or lower, and who set them."""
        ...
