"""The terms of a release: its limits, those that its declaration said last, and how often its budget is renewed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dpsql.accounting import Limit, Spend
from schemas.errors import InputError
from schemas.plurals import counted

Declared = tuple[Limit, Limit | None]


@dataclass(frozen=True)
class Terms:
    """What holds for a release since the entry that wrote it down; `since` is when its refresh began to count, in UTC."""

    limit: Limit
    per_analyst: Limit | None
    declared: Declared | None
    refresh_days: int | None = None
    since: str | None = None

    def renewed(self, now: str) -> str | None:
        """When the budget was last renewed at the moment `now`; None where it never was. Moments are as `stamp` gives them."""
        if self.refresh_days is None or self.since is None:
            return None
        since = datetime.datetime.fromisoformat(self.since)
        times = (datetime.datetime.fromisoformat(now) - since) // datetime.timedelta(days=self.refresh_days)
        return stamp(since + times * datetime.timedelta(days=self.refresh_days)) if times >= 1 else None

    def document(self) -> dict[str, Any]:
        """Return the terms as an entry holds them."""
        return {
            "limit": plain_limit(self.limit),
            "per_analyst": plain_limit(self.per_analyst),
            "declared": None if self.declared is None else [plain_limit(one) for one in self.declared],
            "refresh_days": self.refresh_days,
            "since": self.since,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Terms:
        """Return the terms that `document` wrote."""
        limit = limit_of(document["limit"])
        assert limit is not None
        declared = document["declared"]
        first = None if declared is None else limit_of(declared[0])
        return cls(
            limit,
            limit_of(document["per_analyst"]),
            None if first is None else (first, limit_of(declared[1])),
            document["refresh_days"],
            document["since"],
        )

    def told(self) -> str:
        """Return the terms in words."""
        each = "" if self.per_analyst is None else f"; each analyst {words(self.per_analyst)}"
        renewed = "" if self.refresh_days is None else f"; renewed every {counted(self.refresh_days, 'day')}"
        return f"{words(self.limit)}{each}{renewed}"


def words(limit: Limit) -> str:
    """Return a limit in words."""
    return f"epsilon {limit.epsilon:g}, delta {limit.delta:g}"


def checked(*limits: Limit | None) -> None:
    """Raise InputError for limits that allow everything, nothing, or are not numbers."""
    for one in limits:
        if one is not None and not (0 < one.epsilon < math.inf and 0 <= one.delta < 1):
            raise InputError(f"a budget needs an epsilon above 0 and a delta from 0 to below 1, not {one.epsilon:g} and {one.delta:g}")


def lower(a: Limit, b: Limit) -> Limit:
    """The lower of both, in epsilon and in delta."""
    return Limit(min(a.epsilon, b.epsilon), min(a.delta, b.delta))


def lower_of(a: Limit | None, b: Limit | None) -> Limit | None:
    """The lower of both, where None does not limit."""
    return a or b if a is None or b is None else lower(a, b)


def plain_spend(spend: Spend) -> list[str]:
    """A spending as canonical JSON holds it: exact, infinity too."""
    return [float(x).hex() for x in (spend.epsilon, spend.delta, spend.rho, spend.delta_rho)]


def spend_of(numbers: list[str]) -> Spend:
    """The spending that `plain_spend` wrote."""
    return Spend(*(float.fromhex(x) for x in numbers))


def limit_of(numbers: list[str] | None) -> Limit | None:
    """The limit that `document` wrote."""
    return None if numbers is None else Limit(*(float.fromhex(x) for x in numbers))


def plain_limit(limit: Limit | None) -> list[str] | None:
    """A limit as canonical JSON holds it."""
    return None if limit is None else [float(limit.epsilon).hex(), float(limit.delta).hex()]


def stamp(moment: datetime.datetime) -> str:
    """A moment as entries hold it: UTC, milliseconds, one length, so that texts sort as moments."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
