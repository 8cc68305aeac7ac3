"""What a schema says of privacy: whose it is, what is public, and how much one person's rows can hold."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Number = int | Decimal
Limit = Number | datetime.date | datetime.datetime


@dataclass(frozen=True)
class ColumnPrivacy:
    """What is declared of a column: `bounds` between which its values count, or the closed list of its `values`."""

    bounds: tuple[Limit, Limit] | None = None
    values: tuple[str | int | bool | datetime.date, ...] | None = None


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
