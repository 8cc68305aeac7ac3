"""The statements that measure a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

from dpsql.compiling.dialects import Dialect, quoted
from dpsql.compiling.relations import Relations
from dpsql.planning.model import OF_VALUES, UNBOUNDED, Bounds, Part, Plan, Threshold

ADDED = ("rows", "values", "sum", "square", "units")
DISTINCT = ("distinct", "sum of distinct")


@dataclass(frozen=True)
class Statement:
    """SQL, and the names of the parts whose cells its columns hold, after the keys.

    `binned` says that a bin follows the keys, and the number of rows in it.
    """

    sql: str
    parts: tuple[str, ...]
    binned: bool = False


class Measuring:
    """Writes the statements of one plan. `contributions` names a table that already holds what `by_unit` selects, if there is one.

    `keys_hold` says that the data is held to the keys that the plan relies on; else units are told apart and clipped all the same.
    """

    def __init__(
        self, plan: Plan, relations: Relations, dialect: Dialect, contributions: str | None = None, *, keys_hold: bool = True
    ) -> None:
        self._plan = plan
        self._one_row = plan.one_row and keys_hold
        self._one_group = not plan.release.keys or (keys_hold and all(key.one_a_unit for key in plan.release.keys))
        self._dialect = dialect
        self._contributions = contributions
        self._rows = relations.sql(plan.release.rows)
        self._keys = [f"k{n}" for n in range(len(plan.release.keys))]
        self._key_columns = [f"{dialect.key(k.expression)} AS {name}" for k, name in zip(plan.release.keys, self._keys)]

    @cached_property
    def by_unit(self) -> str | None:
        """What each unit adds to each group before clipping, or None where no sum by unit is needed."""
        if self._one_row or not self._added():
            return None
        parts = [f"{self._sum(p)} AS {p.name}" for p in self._added() if p.kind != "units"]
        keys = [f"{self._unit()} AS u", *self._key_columns]
        return f"SELECT {', '.join([*keys, *parts])} FROM ({self._rows}) AS x GROUP BY {_places(len(keys))}"

    @cached_property
    def thresholds(self) -> str | None:
        """How many units exceed each power of two, as (threshold, j, units with 2 ** (j - 1) < magnitude <= 2 ** j)."""
        counted = [self._exceeding(t) for t in self._plan.thresholds]
        return " UNION ALL ".join(counted) if counted else None

    @cached_property
    def magnitudes(self) -> str | None:
        """What units contribute to the one part, as (j, whether below zero, units, their sum), with j as in `thresholds`.

        From that follow both which threshold is chosen and the sum that is clipped to it. None where more is asked: of several parts, of
        groups, or of contributions that are not just cut off at a threshold of their own.
        """
        threshold = next(iter(self._plan.thresholds), None)
        if self._keys or len(self._plan.parts) != 1 or threshold is None:
            return None
        (part,) = self._plan.parts
        if threshold.of != part.name or part.scaled or part.threshold != threshold.name or self.by_unit is None:
            return None
        held = f"CAST(LEAST(GREATEST({part.name}, {-UNBOUNDED}), {UNBOUNDED}) AS BIGINT)"
        counted = f"SELECT {held} AS m, COUNT(*) AS n FROM {self._source()} AS y GROUP BY 1"
        columns = [f"{self._dialect.magnitude('m')} AS j", "m < 0 AS below", "SUM(n) AS n", f"SUM({self._dialect.product('m', 'n')}) AS s"]
        return f"SELECT {', '.join(columns)} FROM ({counted}) AS o GROUP BY {_places(2)}"

    @cached_property
    def by_rows(self) -> Statement | None:
        """How many units have each number of rows and what these add together, as (rows, units, a sum for each of the parts named).

        There are fewer such numbers than the root of twice the rows. From them follow both the threshold on a unit's rows and every sum
        that is clipped to it or scaled down by it. None where more is asked: of groups, or of parts that another bound holds.
        """
        counted = next((t.of for t in self._plan.thresholds), None)
        if self._keys or len(self._plan.thresholds) != 1 or counted is None or (source := self.by_unit) is None:
            return None
        (threshold,), part = self._plan.thresholds, self._plan.part(counted)
        scaled = [p for p in self._plan.parts if p.scaled and p.threshold == threshold.name and self._counted(p) == counted]
        if part.kind not in ("rows", "values") or not all(p in (part, *scaled) or p.kind == "units" for p in self._plan.parts):
            return None
        sums = "".join(f", SUM({p.name})" for p in scaled)
        return Statement(f"SELECT {counted}, COUNT(*){sums} FROM ({source}) AS y GROUP BY 1", tuple(p.name for p in scaled))

    def sums(self, bounds: Mapping[str, int], salt: int) -> list[Statement]:
        """The statements that sum clipped contributions; `bounds` has the outcome of every threshold, `groups` among them."""
        groups = self._plan.groups if self._plan.groups is not None else bounds["groups"]
        made = []
        if self._added():
            made.append(self._sums_of_added(bounds, groups, salt))
        made += [self._distinct(p, bounds, groups, salt) for p in self._plan.parts if p.kind in DISTINCT]
        made += [self._bins(p, bounds, groups, salt) for p in self._plan.parts if p.kind == "quantile"]
        if not made:
            made.append(Statement(self._grouped([], f"({self._rows}) AS x", self._key_columns), ()))
        return made

    def _added(self) -> list[Part]:
        return [p for p in self._plan.parts if p.kind in ADDED]

    def _unit(self) -> str:
        unit = self._plan.release.rows.unit
        assert unit is not None
        return quoted(unit)

    def _steps(self, part: Part) -> str:
        assert part.argument is not None
        row = part.row or Bounds(-UNBOUNDED, UNBOUNDED)
        if part.kind == "quantile":
            row = Bounds(0, part.bins - 1)
        if part.kind == "square":
            largest = max(part.row.hi if part.row else 0, 0)
            reach = isqrt(largest)
            row = Bounds(-reach, reach)
        value = self._dialect.steps(part.argument, part.step, row.lo + part.centre, row.hi + part.centre)
        return f"({value} - {part.centre})" if part.centre else value

    def _sum(self, part: Part) -> str:
        """What the rows of one unit, or of all, add to a part."""
        if part.kind == "rows":
            return "COUNT(*)"
        if part.kind == "units":
            return "COUNT(*)"
        assert part.argument is not None
        if part.kind == "values":
            return f"COUNT({self._dialect.expression(part.argument)})"
        steps = self._steps(part)
        return f"COALESCE(SUM({steps} * {steps}), 0)" if part.kind == "square" else f"COALESCE(SUM({steps}), 0)"

    def _grouped(self, columns: Sequence[str], source: str, keys: Sequence[str]) -> str:
        grouped = f" GROUP BY {_places(len(keys))}" if keys else ""
        return f"SELECT {', '.join([*keys, *columns]) or '1'} FROM {source}{grouped}"

    @cached_property
    def _of_all_rows(self) -> Statement:
        """The sums where a unit has one row at most."""
        parts = self._added()
        columns = [self._sum(p) for p in parts]
        return Statement(self._grouped(columns, f"({self._rows}) AS x", self._key_columns), tuple(p.name for p in parts))

    def _sums_of_added(self, bounds: Mapping[str, int], groups: int, salt: int) -> Statement:
        parts = self._added()
        names = tuple(p.name for p in parts)
        if self._one_row:
            return self._of_all_rows
        if self._plan.total:
            shared = [f"COALESCE(SUM({self._shared(p, bounds)}), 0)" for p in parts]
            return Statement(self._grouped(shared, f"({self._with_totals()}) AS x", self._keys), names)
        sums = [f"COALESCE(SUM({self._clipped(p, bounds)}), 0)" if p.kind != "units" else "COUNT(*)" for p in parts]
        return Statement(self._grouped(sums, self._limited(self._source(), "u", self._keys, groups, salt), self._keys), names)

    def _source(self) -> str:
        if self._contributions is not None:
            return self._contributions
        return f"({self.by_unit})"

    def _limited(self, source: str, unit: str, keys: Sequence[str], groups: int, salt: int) -> str:
        """`source` with at most `groups` groups of each unit."""
        if self._one_group:
            return f"{source} AS x"
        order = self._dialect.order([unit, *keys], salt)
        rank = f"DENSE_RANK() OVER (PARTITION BY {unit} ORDER BY {order}, {', '.join(keys)})"
        return f"(SELECT * FROM (SELECT *, {rank} AS g FROM {source} AS y) AS z WHERE g <= {groups}) AS x"

    def _with_totals(self) -> str:
        """What each unit adds to each group, held within what is exact, and the sums of the magnitudes over all groups."""
        held = [f"LEAST(GREATEST({p.name}, {-UNBOUNDED}), {UNBOUNDED}) AS {p.name}" for p in self._added()]
        totals = [f"SUM(ABS({p.name})) OVER (PARTITION BY u) AS {p.name}_of_unit" for p in self._added()]
        return f"SELECT *, {', '.join(totals)} FROM (SELECT u, {', '.join([*self._keys, *held])} FROM {self._source()} AS y) AS z"

    def _shared(self, part: Part, bounds: Mapping[str, int]) -> str:
        limit = unit_bounds(part, bounds)
        shared = self._dialect.shared(part.name, f"{part.name}_of_unit", limit.largest)
        return f"LEAST(GREATEST({shared}, {limit.lo}), {limit.hi})"

    def _clipped(self, part: Part, bounds: Mapping[str, int]) -> str:
        value = part.name
        limit = unit_bounds(part, bounds)
        if part.scaled:
            counted = self._counted(part)
            most = self._plan.release.rows.most_rows if part.threshold is None else bounds[part.threshold]
            assert most is not None
            value = self._dialect.scaled_down(value, counted, most)
        return f"LEAST(GREATEST({value}, {limit.lo}), {limit.hi})"

    def _counted(self, part: Part) -> str:
        """The part that counts the rows which `part` sums."""
        return next(f.parts["count"] for f in self._plan.formulas if "count" in f.parts and part.name in f.parts.values())

    def _distinct(self, part: Part, bounds: Mapping[str, int], groups: int, salt: int) -> Statement:
        """How many different values a group has, or their sum in steps: each counts once, whoever has it."""
        assert part.argument is not None
        if self._one_row and part.kind == "distinct":
            counted = f"COUNT(DISTINCT {self._dialect.expression(part.argument)})"
            return Statement(self._grouped([counted], f"({self._rows}) AS x", self._key_columns), (part.name,))
        each = f"({self._each_value(part)})"
        if not self._one_row:
            most = self._most_values(part, bounds)
            source = self._limited(each, "u", self._keys, groups, salt)
            rank = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(['u', *self._keys])} ORDER BY {self._dialect.order(['u', 'v'], salt)}, v)"
            each = f"(SELECT * FROM (SELECT *, {rank} AS n FROM {source}) AS w WHERE n <= {most})"
        if part.kind == "distinct":
            return Statement(self._grouped(["COUNT(DISTINCT v)"], f"{each} AS q", self._keys), (part.name,))
        once = f"(SELECT DISTINCT {', '.join([*self._keys, 'v', 's'])} FROM {each} AS q) AS d"
        return Statement(self._grouped(["COALESCE(SUM(s), 0)"], once, self._keys), (part.name,))

    def _most_values(self, part: Part, bounds: Mapping[str, int]) -> int:
        """How many values of a unit count in a group."""
        if part.threshold is not None:
            return bounds[part.threshold]
        most = part.unit.hi if part.kind == "distinct" and part.unit is not None else self._plan.release.rows.most_rows
        assert most is not None
        return most

    def _each_value(self, part: Part) -> str:
        assert part.argument is not None
        columns = [f"{self._unit()} AS u", *self._key_columns, f"{self._dialect.expression(part.argument)} AS v"]
        if part.kind == "sum of distinct":
            columns.append(f"{self._steps(part)} AS s")
        return f"SELECT DISTINCT * FROM (SELECT {', '.join(columns)} FROM ({self._rows}) AS x) AS e WHERE v IS NOT NULL"

    def _bins(self, part: Part, bounds: Mapping[str, int], groups: int, salt: int) -> Statement:
        bin_column = f"{self._steps(part)} AS b"
        if self._one_row:
            rows = f"(SELECT {', '.join([*self._key_columns, bin_column])} FROM ({self._rows}) AS x) AS q"
        else:
            most = unit_bounds(part, bounds).hi
            columns = [f"{self._unit()} AS u", *self._key_columns, bin_column]
            source = self._limited(
                f"(SELECT * FROM (SELECT {', '.join(columns)} FROM ({self._rows}) AS x) AS e WHERE b IS NOT NULL)",
                "u",
                self._keys,
                groups,
                salt,
            )
            rank = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(['u', *self._keys])} ORDER BY {self._dialect.order(['u', 'b'], salt)}, b)"
            rows = f"(SELECT * FROM (SELECT *, {rank} AS n FROM {source}) AS w WHERE n <= {most}) AS q"
        keys = [*self._keys, "b"]
        return Statement(
            f"SELECT {', '.join(keys)}, COUNT(*) FROM {rows} WHERE b IS NOT NULL GROUP BY {_places(len(keys))}", (part.name,), binned=True
        )

    def _exceeding(self, threshold: Threshold) -> str:
        if threshold.of is None:
            units = f"SELECT u, COUNT(*) AS m FROM {self._groups_of_units()} AS y GROUP BY u"
        else:
            part = self._plan.part(threshold.of)
            if part.kind in DISTINCT:
                counted = f"SELECT u, COUNT(*) AS c FROM ({self._each_value(part)}) AS y GROUP BY {', '.join(['u', *self._keys])}"
                units = f"SELECT u, MAX(c) AS m FROM ({counted}) AS y GROUP BY u"
            elif part.kind == "quantile":
                assert part.argument is not None
                columns = [f"{self._unit()} AS u", *self._key_columns, f"COUNT({self._dialect.expression(part.argument)}) AS c"]
                counted = f"SELECT {', '.join(columns)} FROM ({self._rows}) AS x GROUP BY {_places(len(columns) - 1)}"
                units = f"SELECT u, MAX(c) AS m FROM ({counted}) AS y GROUP BY u"
            else:
                # without keys a unit has but one contribution
                held = f"LEAST(ABS({part.name}), {UNBOUNDED})" if threshold.total else f"ABS({part.name})"
                most, by = (f"{'SUM' if threshold.total else 'MAX'}({held})", " GROUP BY u") if self._keys else (held, "")
                units = f"SELECT u, {most} AS m FROM {self._source()} AS y{by}"
        # many units have the same m, and the magnitude of each takes longer than to count those
        counted = f"SELECT CAST(LEAST(m, {UNBOUNDED}) AS BIGINT) AS m, COUNT(*) AS n FROM ({units}) AS v GROUP BY 1"
        return f"SELECT '{threshold.name}' AS t, {self._dialect.magnitude('m')} AS j, SUM(n) AS n FROM ({counted}) AS o GROUP BY 2"

    def _groups_of_units(self) -> str:
        if self._added():
            return self._source()
        keys = [f"{self._unit()} AS u", *self._key_columns]
        return f"(SELECT DISTINCT {', '.join(keys)} FROM ({self._rows}) AS x)"


def unit_bounds(part: Part, bounds: Mapping[str, int]) -> Bounds:
    """What a unit adds to a group of `part` at least and at most, with the outcomes of thresholds in `bounds`."""
    if part.unit is not None:
        return part.unit
    assert part.threshold is not None
    most = bounds[part.threshold]
    if part.row is None and part.kind in OF_VALUES:
        return Bounds(0, most)
    if part.row is None:
        return Bounds(-most if part.signed else 0, most)
    if part.scaled or part.kind == "sum of distinct":
        return Bounds(most * part.row.lo, most * part.row.hi)
    return Bounds(-most if part.row.lo < 0 else 0, most if part.row.hi > 0 else 0)


def _places(count: int) -> str:
    return ", ".join(str(n) for n in range(1, count + 1))
