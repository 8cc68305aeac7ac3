"""What a schema says of privacy: whose it is, what is public, and how much one person's rows can hold."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Said = str | bool | int | float | Decimal | datetime.date | datetime.datetime


@dataclass(frozen=True)
class ColumnPrivacy:
    """What is declared of a column: `bounds` between which its values count, or the closed list of its `values`.

    Kept as texts, as a schema file writes them (`schemas.privacy_values` reads them); numbers, truth values, dates and times that
    are given instead become such texts.
    """

    bounds: tuple[Said, Said] | None = None
    values: tuple[Said, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("bounds", "values"):
            said: Iterable[Said] | None = getattr(self, name)
            if said is not None:
                object.__setattr__(self, name, tuple(_text(one) for one in said))


def _text(said: Said) -> str:
    if isinstance(said, bool):
        return "true" if said else "false"
    return said.isoformat() if isinstance(said, datetime.date) else str(said)


@dataclass(frozen=True)
class Budget:
    """The most that may be spent on one release of the data: by all together, and by one analyst where that is limited too."""

    epsilon: float
    delta: float = 0.0
    analyst_epsilon: float | None = None
    analyst_delta: float | None = None


@dataclass(frozen=True)
class Privacy:
    """The privacy of a schema.

    `unit` is the column (table.column) whose values are the units of privacy: two databases that differ in all rows of one unit must
    not be told apart. `public` tables hold nothing of anybody. `through` names, for a table with several ways to the unit, the column
    whose reference is the way. `columns` maps table.column to what is declared of it, `contributions` tables to the most rows that a
    unit has there, and `groups` is the most groups of a query that a unit counts in.
    """

    unit: str
    public: tuple[str, ...] = ()
    through: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, ColumnPrivacy] = field(default_factory=dict)
    contributions: Mapping[str, int] = field(default_factory=dict)
    groups: int | None = None
    budget: Budget | None = None

    def to_document(self) -> dict[str, Any]:
        """Return all but the unit as JSON data, without what is not said."""
        budget = self.budget
        said: dict[str, Any] = {
            "public": list(self.public),
            "through": [[table, column] for table, column in self.through.items()],
            "columns": [
                [name, {k: list(v) for k, v in (("bounds", c.bounds), ("values", c.values)) if v is not None}]
                for name, c in self.columns.items()
            ],
            "contributions": [[table, rows] for table, rows in self.contributions.items()],
            "groups": self.groups,
            "budget": None
            if budget is None
            else [None if v is None else repr(v) for v in (budget.epsilon, budget.delta, budget.analyst_epsilon, budget.analyst_delta)],
        }
        return {name: value for name, value in said.items() if value is not None and value != []}

    @classmethod
    def from_document(cls, unit: str, said: Mapping[str, Any]) -> Privacy:
        """Return the privacy that `to_document` wrote."""
        budget = said.get("budget")
        return cls(
            unit,
            tuple(said.get("public", ())),
            dict(said.get("through", ())),
            {
                name: ColumnPrivacy(*(None if (found := c.get(key)) is None else tuple(found) for key in ("bounds", "values")))
                for name, c in said.get("columns", ())
            },
            dict(said.get("contributions", ())),
            said.get("groups"),
            None if budget is None else Budget(*(None if v is None else float(v) for v in budget)),  # type: ignore[arg-type]
        )
