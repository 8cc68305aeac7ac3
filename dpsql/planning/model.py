"""A plan of one release: its parts, the bounds of one unit's contribution to them, and what is chosen privately first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from dpsql.remembered import Remembered
from dpsql.tree import Expression, Release

PartKind = Literal["rows", "values", "sum", "square", "units", "distinct", "sum of distinct", "quantile"]
UNBOUNDED = 2**52  # what no contribution exceeds, in steps: beyond it a double is not exact
MOST_GROUPS = 100_000
OF_VALUES = ("distinct", "sum of distinct", "quantile")  # of which a unit has so many values in a group that count


@dataclass(frozen=True)
class Bounds:
    """The least and greatest a unit adds to one group of a part, in steps; zero is always between them."""

    lo: int
    hi: int

    @property
    def largest(self) -> int:
        return max(-self.lo, self.hi)


@dataclass(frozen=True)
class Threshold:
    """A bound that nobody declared, to be chosen privately among powers of two, up to 2 ** `highest`.

    It is on the number of groups of a unit (`of` is None), or on the magnitude of a unit's contribution to the part called `of`,
    or on its number of rows in a group for that part (`rows`). With `total` the bound is on what a unit contributes to all groups together.
    With `of_means` it is needed for means alone, which clipping hardly moves.
    """

    name: str
    of: str | None
    rows: bool = False
    highest: int = 52
    of_means: bool = False
    total: bool = False


@dataclass(frozen=True)
class Part:
    """Something that is counted or summed by unit and group, in whole steps.

    Different values count once, whoever has them: those of the group are all that any unit has there after clipping to so many of
    its values, so that taking a unit away takes away some of its own at most: as many values, and a sum of as many times the largest one.

    `row` bounds what a row adds (None: unknown, where a unit's sum comes ready-made). `unit` bounds what a unit adds to a group, and
    is None where `threshold` has still to say. With `scaled`, the threshold (or what is declared) is on the unit's rows in a group, and one
    with more of them has its sum scaled down as if it had that many, so that a mean stays a mean. `fraction`, `bins`: of quantiles.
    """

    name: str
    kind: PartKind
    argument: Expression | None = None
    step: Fraction = Fraction(1)
    centre: int = 0
    row: Bounds | None = None
    unit: Bounds | None = None
    threshold: str | None = None
    scaled: bool = False
    fraction: Fraction | None = None
    bins: int = 0

    @property
    def signed(self) -> bool:
        """Whether contributions may be below zero."""
        if self.row is not None:
            return self.row.lo < 0
        lo = None if self.argument is None else self.argument.facts.lo
        return not isinstance(lo, int | Fraction) or lo < 0


@dataclass(frozen=True)
class Formula:
    """How an aggregate follows from noisy parts: `parts` maps the roles of the formula (sum, square, count, value) to parts."""

    function: str
    parts: Mapping[str, str]
    centre: Fraction = Fraction(0)
    lo: Fraction | None = None
    hi: Fraction | None = None


@dataclass(frozen=True)
class Shares:
    """What the plan spends: epsilon of each threshold, of the release of private keys, and of each part.

    With `rho`, the parts are measured with Gaussian noise and pay (epsilon, delta) together; else each pays `part` on its own.
    """

    threshold: float = 0.0
    keys: float = 0.0
    keys_delta: float = 0.0
    part: float = 0.0
    rho: float | None = None
    delta: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What an analyst may set for a query; None leaves it to the declaration."""

    epsilon: float | None = None
    delta: float | None = None
    rel_error: float | None = None
    max_groups: int | None = None
    min_units: int | None = None
    errors: bool = False
    synthetic: bool = True


@dataclass(frozen=True)
class Plan:
    """What is measured for one release.

    `groups` is the most groups of a unit that count, None where the threshold called `groups_threshold` has still to say.
    `one_row` says that a unit has at most one row here, whose bounds are known, so that no sum by unit is needed. With `total`, what
    is bounded is the sum of a unit's magnitudes over all groups, which is then the L1 sensitivity, however many groups they are.
    `remembered` has what followed from the plan.
    """

    release: Release
    settings: Settings
    formulas: tuple[Formula, ...] = ()
    parts: tuple[Part, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    groups: int | None = None
    groups_threshold: str | None = None
    shares: Shares = field(default_factory=Shares)
    total: bool = False
    remembered: Remembered = field(default_factory=Remembered, init=False, compare=False, repr=False)

    @property
    def spread(self) -> int | None:
        """Over how many groups the bound of a unit's contribution is spread at most: the L0 sensitivity, 1 where it is a total."""
        return 1 if self.total else self.groups

    @property
    def one_row(self) -> bool:
        return self.release.rows.rows_a_unit == 1 and not self.thresholds

    @property
    def private_keys(self) -> bool:
        return any(not key.public for key in self.release.keys)

    def part(self, name: str) -> Part:
        """Return the part called `name`."""
        return next(p for p in self.parts if p.name == name)
