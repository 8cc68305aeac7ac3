"""Measuring a plan: thresholds first, then clipped sums from the engine, then noise on top.

`clipped` is the exact outcome after clipping, whose change by one unit the plan bounds, and so is `clipped_at_once`, where one statement
says enough; nothing but tests calls them outside of this module, and what they return never leaves it without noise.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from dpsql.compiling.dialects import Dialect
from dpsql.compiling.measuring import Measuring, Statement, unit_bounds
from dpsql.compiling.relations import Relations
from dpsql.engines.base import DataFault, Engine, Reading
from dpsql.kept import GroupKey, KeptPart, group_key
from dpsql.noise import Mechanism, ReleasedKeys, Sensitivity, add_noise, choose_threshold, keys_above, quantile
from dpsql.noise.ranges import LARGEST
from dpsql.planning.model import Bounds, Part, Plan, Shares, Threshold
from dpsql.relied_keys import keys_hold
from schemas.model import Schema


@dataclass(frozen=True)
class Cells:
    """Exact clipped sums: of each part by group in steps, or by group and bin for quantiles. `groups` are all that were found."""

    groups: tuple[GroupKey, ...]
    sums: Mapping[str, Mapping[GroupKey, int]]
    bins: Mapping[str, Mapping[GroupKey, Mapping[int, int]]]


@dataclass(frozen=True)
class Magnitude:
    """Units whose contribution is above 2 ** (`j` - 1) in magnitude and within 2 ** `j`, on one side of zero, and the `total` of these."""

    j: int
    below: bool
    units: int
    total: int


@dataclass(frozen=True)
class WithRows:
    """Units with so many `rows` each: how many `units`, and what these add to each part together."""

    rows: int
    units: int
    totals: Mapping[str, int]


@dataclass(frozen=True)
class Measured:
    """What was measured: thresholds and parts by name."""

    thresholds: Mapping[str, KeptPart]
    parts: Mapping[str, KeptPart]


def measure(
    plan: Plan,
    schema: Schema,
    engine: Engine,
    groups: Sequence[GroupKey] | None,
    known: Measured,
) -> Measured:
    """Return thresholds and parts with noise, drawn for all that `known` has not.

    `groups` are the public groups, or None where keys are private: then those that enough units are in are released.
    Raises EngineFailure where the database fails.
    """
    with engine.read() as reading:
        measuring = _Measuring(plan, schema, engine, reading)
        try:
            return measuring.run(groups, known)
        except DataFault:
            return measuring.nothing_found(groups, known)


def clipped(plan: Plan, schema: Schema, engine: Engine, reading: Reading, bounds: Mapping[str, int], salt: int) -> Cells:
    """Return the exact sums after clipping to `bounds`, one for each threshold of the plan."""
    return _Measuring(plan, schema, engine, reading).cells(bounds, salt)


def clipped_at_once(plan: Plan, schema: Schema, engine: Engine, reading: Reading, bounds: Mapping[str, int]) -> Cells | None:
    """Return what `clipped` does as far as one statement finds it for every outcome of the one threshold, None where that is not enough."""
    at_once = _Measuring(plan, schema, engine, reading).at_once()
    return None if at_once is None else at_once[1](bounds[plan.thresholds[0].name])


class _Measuring:
    def __init__(self, plan: Plan, schema: Schema, engine: Engine, reading: Reading) -> None:
        dialect = Dialect(engine.dialect)
        self._plan = plan
        self._reading = reading
        self._relations = Relations(schema, dialect)
        self._dialect = dialect
        self._keys_hold = keys_hold(plan, schema, engine, reading)
        self._sql: Measuring = plan.remembered.get(
            ("measuring", dialect.name, self._keys_hold), lambda: Measuring(plan, self._relations, dialect, keys_hold=self._keys_hold)
        )

    def run(self, groups: Sequence[GroupKey] | None, known: Measured) -> Measured:
        if (at_once := self.at_once()) is not None:
            (threshold,), (counts, clipped_to) = self._plan.thresholds, at_once
            chosen = known.thresholds.get(threshold.name) or self._chosen(threshold, counts)
            return self._with_noise(clipped_to(chosen.values[0]), groups, {threshold.name: chosen}, known)
        by_unit = self._sql.by_unit
        held = self._reading.hold(by_unit) if by_unit and self._plan.thresholds else None
        if held is not None:
            self._sql = Measuring(self._plan, self._relations, self._dialect, held, keys_hold=self._keys_hold)
        thresholds = self._thresholds(known)
        bounds = {name: kept.values[0] for name, kept in thresholds.items()}
        return self._with_noise(self.cells(bounds, secrets.randbits(62)), groups, thresholds, known)

    def at_once(self) -> tuple[Mapping[int, int], Callable[[int], Cells]] | None:
        """How many units are of each magnitude, for the one threshold, and what is clipped to its outcome, all from one statement.

        None where that is not possible.
        """
        if (by_rows := self._sql.by_rows) is not None:
            return self._by_rows(by_rows)
        if (magnitudes := self._sql.magnitudes) is not None:
            return self._by_magnitude(magnitudes)
        return None

    def _by_magnitude(self, sql: str) -> tuple[Mapping[int, int], Callable[[int], Cells]]:
        """Both from the magnitudes of what units contribute to the one part."""
        (part,), (threshold,) = self._plan.parts, self._plan.thresholds
        found = [Magnitude(int(j), bool(below), int(units), int(total)) for j, below, units, total in self._reading.rows(sql)]
        counts: dict[int, int] = {}
        for one in found:
            counts[one.j] = counts.get(one.j, 0) + one.units

        def clipped_to(most: int) -> Cells:
            return Cells(((),), {part.name: {(): clipped_sum(found, unit_bounds(part, {threshold.name: most}))}}, {})

        return counts, clipped_to

    def _by_rows(self, statement: Statement) -> tuple[Mapping[int, int], Callable[[int], Cells]]:
        """Both from how many units have how many rows."""
        found = []
        for rows, units, *totals in self._reading.rows(statement.sql):
            sums = {name: int(total or 0) for name, total in zip(statement.parts, totals, strict=True)}
            found.append(WithRows(int(rows), int(units), sums))

        def clipped_to(most: int) -> Cells:
            return Cells(((),), {part.name: {(): sum_by_rows(found, part, most)} for part in self._plan.parts}, {})

        return units_by_magnitude(found), clipped_to

    def nothing_found(self, groups: Sequence[GroupKey] | None, known: Measured) -> Measured:
        """The outcome over no rows, with the same noise: that a database failed over its data is not told."""
        thresholds = {t.name: known.thresholds.get(t.name) or self._chosen(t, {}) for t in self._plan.thresholds}
        return self._with_noise(Cells((), {}, {}), groups, thresholds, known)

    def cells(self, bounds: Mapping[str, int], salt: int) -> Cells:
        count = len(self._plan.release.keys)
        sums: dict[str, dict[GroupKey, int]] = {}
        bins: dict[str, dict[GroupKey, dict[int, int]]] = {}
        groups: dict[GroupKey, None] = {}
        for statement in self._sql.sums(bounds, salt):
            for row in self._reading.rows(statement.sql):
                group = group_key(row[:count])
                groups.setdefault(group)
                if statement.binned:
                    bins.setdefault(statement.parts[0], {}).setdefault(group, {})[int(row[count])] = int(row[count + 1])
                    continue
                for name, value in zip(statement.parts, row[count:]):
                    sums.setdefault(name, {})[group] = int(value or 0)
        return Cells(tuple(groups), sums, bins)

    def _thresholds(self, known: Measured) -> dict[str, KeptPart]:
        asked = [t for t in self._plan.thresholds if t.name not in known.thresholds]
        counts: dict[str, dict[int, int]] = {t.name: {} for t in asked}
        sql = self._sql.thresholds if asked else None
        for name, j, units in self._reading.rows(sql) if sql else ():
            if name in counts and j is not None:
                counts[name][int(j)] = int(units)
        chosen = {t.name: self._chosen(t, counts[t.name]) for t in asked}
        return {**known.thresholds, **chosen}

    def _chosen(self, threshold: Threshold, counts: Mapping[int, int]) -> KeptPart:
        shares = self._plan.shares
        above = sum(units for j, units in counts.items() if j >= 0)
        exceeding = {2**j: (above := above - counts.get(j, 0)) for j in range(threshold.highest + 1)}
        bound = choose_threshold(exceeding, shares.threshold, shares.part, of_means=threshold.of_means)
        return KeptPart(((),), (bound,), "noisy max", 0.0, shares.threshold)

    def _with_noise(self, cells: Cells, groups: Sequence[GroupKey] | None, thresholds: Mapping[str, KeptPart], known: Measured) -> Measured:
        bounds = {name: kept.values[0] for name, kept in thresholds.items()}
        most_groups = self._plan.spread if self._plan.spread is not None else bounds["groups"]
        parts = dict(known.parts)
        if groups is None:
            units = next(p for p in self._plan.parts if p.kind == "units")
            if units.name not in parts:
                parts[units.name] = self._released_keys(cells.sums.get(units.name, {}), most_groups)
            groups = parts[units.name].groups
        for part in self._plan.parts:
            if part.name not in parts:
                parts[part.name] = self._part(part, cells, tuple(groups), most_groups, bounds)
        return Measured(thresholds, parts)

    def _released_keys(self, counts: Mapping[GroupKey, int], most_groups: int) -> KeptPart:
        shares = self._plan.shares
        released: ReleasedKeys[GroupKey] = keys_above(
            counts, most_groups, shares.keys, shares.keys_delta, min_units=self._plan.settings.min_units
        )
        return KeptPart(tuple(released.counts), tuple(released.counts.values()), "laplace", released.scale, shares.keys)

    def _part(self, part: Part, cells: Cells, groups: tuple[GroupKey, ...], most_groups: int, bounds: Mapping[str, int]) -> KeptPart:
        shares = self._plan.shares
        limit = unit_bounds(part, bounds)
        if part.kind == "quantile":
            assert part.fraction is not None
            found = cells.bins.get(part.name, {})
            # every group is another choice, and a unit is in most_groups of them
            epsilon = shares.part / most_groups
            chosen = tuple(quantile(found.get(g, {}), part.bins, part.fraction, limit.hi, epsilon) for g in groups)
            return KeptPart(groups, chosen, "noisy max", 0.0, shares.part)
        mechanism = mechanism_of(Sensitivity(most_groups, limit.largest), shares)
        exact = cells.sums.get(part.name, {})
        # a refusal of sums beyond what the samplers hold would tell of one unit; held at their end they change no more than before
        held = [max(1 - LARGEST, min(exact.get(group, 0), LARGEST - 1)) for group in groups]
        noisy = add_noise(held, mechanism)
        return KeptPart(groups, tuple(noisy), mechanism.kind, mechanism.scale, shares.part)


def clipped_sum(found: Sequence[Magnitude], limit: Bounds) -> int:
    """The sum of contributions after each is held within `limit`, whose ends are 0 or powers of two, exactly."""
    total = 0
    for one in found:
        end = limit.lo if one.below else limit.hi
        # a contribution is within 2 ** j, and all of one magnitude are either within the end or beyond it
        total += one.total if one.j < 0 or 2**one.j <= abs(end) else one.units * end
    return total


def units_by_magnitude(found: Sequence[WithRows]) -> dict[int, int]:
    """How many units have 2 ** j rows at most and more than 2 ** (j - 1), by j; none at all is -1."""
    counts: dict[int, int] = {}
    for one in found:
        j = (one.rows - 1).bit_length() if one.rows else -1
        counts[j] = counts.get(j, 0) + one.units
    return counts


def sum_by_rows(found: Sequence[WithRows], part: Part, most: int) -> int:
    """The sum of `part` where each unit counts with at most `most` rows: one with more has its own sum scaled down by most / rows.

    A row adds from `row.lo` to `row.hi`, so that a unit, scaled down, adds from most * row.lo to most * row.hi, which are whole. The sum of
    all is exact and only then rounded down; as adding a whole number passes through that, no unit changes the rounded sum by more.
    """
    if part.kind == "units":
        return sum(one.units for one in found)
    if not part.scaled:
        return sum(one.units * min(one.rows, most) for one in found)
    return floor(sum((Fraction(one.totals[part.name] * most, max(one.rows, most)) for one in found), Fraction(0)))


def mechanism_of(sensitivity: Sensitivity, shares: Shares) -> Mechanism:
    """The noise of an additive part."""
    if shares.rho is not None:
        return Mechanism.gaussian(sensitivity, shares.rho)
    return Mechanism.laplace(sensitivity, shares.part)
