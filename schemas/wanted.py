"""A column that needs a generator: what is known of it, and what its type and checks leave room for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from schemas.check_facts import ColumnFacts
from schemas.model import Recipe
from schemas.types import INTEGER_RANGE, INTEGERS, SqlType

_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
SCALE = 10  # times as many rows as there are, which proposals leave room for
_SAYS_NOTHING = frozenset(
    ("tbl", "table", "data", "info", "detail", "details", "master", "list", "record", "records", "profile", "profiles", "dim")
)
_OF_NAMES = frozenset(
    ("full", "legal", "short", "long", "display", "trade", "trading", "official", "business", "common", "public", "preferred")
)
_MOST_UNITS = 4 * Decimal(10) ** 18  # generators count in 63 bits


@lru_cache(4096)  # each rule for names asks for them
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters: `createdAt` and `created_at` have the same."""
    return tuple(w.lower() for w in _SPLIT.split(name) if w)


@dataclass(frozen=True)
class Wanted:
    """A column that needs a generator. `rows` is how many its table has; `others` are the columns made before it.

    `together` says that it is part of a unique combination of columns; `meaning` is the generator whose values its type in the
    database is for.
    """

    table: str
    name: str
    type: SqlType
    rows: int
    unique: bool
    key: bool
    facts: ColumnFacts
    others: dict[str, SqlType] = field(default_factory=dict)
    together: bool = False
    meaning: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return words_of(self.name)

    def has(self, *words: str) -> bool:
        """Whether the name contains one of the words, or ends in one written together."""
        joined = "".join(self.words)
        return any(w in self.words or (len(w) > 4 and w in joined) for w in words)

    @property
    def head(self) -> str:
        """The word of the table's name that says what its rows are: the last that says anything, `class` of `client_class`."""
        words = words_of(self.table.rpartition(".")[2])
        return next((w for w in reversed(words) if w not in _SAYS_NOTHING and not w.isdigit()), "")

    @property
    def names_rows(self) -> bool:
        """Whether it is the name of what its table holds, and not of something of it: `full_name`, but not `file_name`."""
        return self.words[-1:] == ("name",) and set(self.words[:-1]) <= _OF_NAMES | set(words_of(self.table))

    @property
    def room(self) -> int:
        """How many characters its type and checks let it have."""
        lengths = [n for n in (self.type.length, self.facts.max_length) if n is not None]
        return min(lengths, default=1000)


@dataclass(frozen=True)
class Proposal:
    """A recipe, and notes for the reader; `fixed` says that the table's rows cannot be multiplied."""

    recipe: Recipe
    notes: tuple[str, ...] = ()
    fixed: bool = False


def bounds(column: Wanted) -> tuple[Decimal, Decimal]:
    """The least and greatest value that type and checks allow, one step inside open bounds."""
    type, facts = column.type, column.facts
    said = max((abs(bound) for bound in (facts.low, facts.high) if bound is not None), default=Decimal(0))
    if type.kind in INTEGERS:
        most, step = Decimal(INTEGER_RANGE[type.kind]), Decimal(1)
    elif type.kind == "numeric":
        digits = (type.precision or 18) - type.decimals
        step = Decimal(1).scaleb(-type.decimals)
        most = min(Decimal(10) ** min(digits, 12) - step, _MOST_UNITS * step)
        most = max(most, min(10 * said, Decimal(10) ** digits - step, _MOST_UNITS * step))
    else:
        most = max(Decimal(10**6), 10 * said)
        step = max(Decimal("0.001"), Decimal(1).scaleb(said.adjusted() - (5 if type.kind == "real" else 12)))
    low, high = -most, most
    if facts.low is not None:
        low = max(low, _round(facts.low + (step if facts.open_low else 0), step, ROUND_CEILING))
    if facts.high is not None:
        high = min(high, _round(facts.high - (step if facts.open_high else 0), step, ROUND_FLOOR))
    return (low, high) if low <= high else (max(high, -most),) * 2


def _round(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding) * step


def plain(value: Decimal, column: Wanted) -> int | float:
    """A number as schema files write it."""
    return int(value) if column.type.kind in INTEGERS or value == value.to_integral_value() else float(value)
