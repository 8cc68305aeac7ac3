"""What others need of a ledger: its words, and the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dpsql.accounting import NOTHING, Limit, Spend

Outcome = Literal["answered", "failed", "cancelled"]
Kind = Literal["limit", "analyst", "charge", "kept", "finish", "refusal", "anchor"]


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
    kind: Kind
    release: str | None
    analyst: str | None
    spend: Spend
    sql: str | None
    detail: str | None


@dataclass(frozen=True)
class Spending:
    """What was spent on a release, by all and by each analyst, and what may be.

    `total` and `analysts` count since the last refresh, `ever` since the first charge; without a refresh both are the same.
    `own_limits` are of the analysts who have one of their own in place of `per_analyst`.
    """

    release: str
    limit: Limit
    per_analyst: Limit | None
    total: Spend
    analysts: Mapping[str, Spend]
    ever: Spend
    own_limits: Mapping[str, Limit]
    refresh_days: int | None = None

    def limit_of(self, analyst: str) -> Limit | None:
        """The limit of `analyst`, None where only the shared one counts."""
        return self.own_limits.get(analyst, self.per_analyst)

    def left(self, analyst: str | None = None) -> float:
        """The epsilon that is left, of the shared limit and of the analyst's own: the smaller. More may be had in small questions."""
        left = self.limit.epsilon - self.limit.epsilon_of(self.total)
        if analyst is not None and (own := self.limit_of(analyst)) is not None:
            left = min(left, own.epsilon - own.epsilon_of(self.analysts.get(analyst, NOTHING)))
        return max(0.0, left)


class Ledger(Protocol):
    """What a service asks of a budget ledger. Whatever it has written down stays, whatever happens after."""

    def open_release(self, release: str, limit: Limit, per_analyst: Limit | None) -> None:
        """Write down the limits of a release when it is first used; later ones may only be lower."""
        ...

    def reserve(self, release: str, analyst: str, spend: Spend, question: Question) -> Charge:
        """Charge `spend` in one transaction, which no loss of power takes back; BudgetSpent where a limit does not allow it.

        The data may be read then, and what was read be told once `finish` has returned.
        """
        ...

    def kept(self, release: str, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the kept parts among `digests`."""
        ...

    def finish(self, charge: Charge, outcome: Outcome, parts: Mapping[str, bytes] | None = None) -> Mapping[str, bytes]:
        """Write down how a charged question ended, which gives nothing back, and keep its noisy parts by their digests, if it has any.

        Return those that hold: the first ones kept.
        """
        ...

    def keep(self, charge: Charge, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Keep further noisy parts of a finished question; return those that hold: the first ones kept."""
        ...

    def refuse(self, release: str | None, analyst: str, sql: str, reason: str) -> None:
        """Write down a question that was not answered."""
        ...

    def spending(self, release: str) -> Spending:
        """Return what was spent on `release`; InputError where the ledger does not know it."""
        ...

    def close(self) -> None:
        """Close what waits for the next question; the ledger can be used again."""
        ...
