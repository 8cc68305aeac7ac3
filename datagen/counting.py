"""In which order tables are counted: each when first asked for, after the columns that its count reads.

Counts may follow columns of the parent row, and what those columns read must then be planned before all tables are counted.
So counting asks for columns, columns for references, and references for the counts of other tables; whoever asks for a count
that is on its way has found a circle, unless it can wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

from datagen.additions import GrownFamily
from datagen.counts import family_of
from datagen.errors import Unusable
from datagen.inputs import COUNTS_OF, Node, counts_of, rows_of

if TYPE_CHECKING:
    from datagen.plan import Plan

_HALF = Fraction(1, 2)


class StillCounted(Unusable):
    """The number of rows of `table` is asked for while it is being found."""

    def __init__(self, table: str, circle: list[str]) -> None:
        super().__init__(f"the number of rows of {table} depends on itself: {' <- '.join(circle)}")
        self.table = table


class Counting:
    """Counts the tables of a plan, and prepares the columns that counts read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counted: set[str] = set()
        self._prepared: set[Node] = set()
        self._trail: list[tuple[str, ...]] = []

    def ensure(self, table: str) -> None:
        """Count `table` unless it is counted; its problems are reported to the plan. Raises StillCounted."""
        if table in self._counted:
            return
        with self._on_the_way(("rows", table), table):
            try:
                self._count(table)
            except StillCounted as circle:
                if circle.table != table:
                    raise
                self._plan.report(circle, self._plan.schema.table(table).rows.at)
            except Unusable as problem:
                self._plan.report(problem, self._plan.schema.table(table).rows.at)
        self._counted.add(table)
        if self._plan.base is None:
            self._plan.begin_to_keep(table)

    def _count(self, table: str) -> None:
        plan, own = self._plan, self._plan.tables[table]
        rows = own.table.rows
        if rows.per is None:
            count = rows.count or 0
            scaled = count if rows.fixed else int(count * plan.scale + _HALF)
            own.count = max(scaled, 1) if count else 0
            plan.inputs.note(rows_of(table), "count", own.count)
            return
        if plan.base is None:
            own.family = family_of(plan, own.table, plan.row_count(rows.per))
        else:  # scenarios that set what counts follow must not move rows
            own.family = plan.base.family(table)
        further = plan.further.get(table)
        if further is not None and own.family is not None:
            own.family = GrownFamily(own.family, further)
        assert own.family is not None
        own.count = own.family.total
        plan.inputs.reads(rows_of(table), counts_of(rows.per, table))
        for what, number in (("count", own.count), ("parents", own.family.parents)):
            plan.inputs.note(rows_of(table), what, number)

    def prepare(self, node: Node) -> None:
        """Make a column or link, and all that it is computed from, ready to be evaluated; raises Unusable."""
        if node in self._prepared:
            return
        with self._on_the_way(node, ""):
            if len(node) > 2:
                self._plan.prepare_link(node[1], node[2:])
            elif not node[1].startswith(COUNTS_OF):
                self._plan.prepare_column(*node)
            for other in sorted(self._plan.needed_by(node)):
                self.prepare(other)
        self._prepared.add(node)

    @contextmanager
    def _on_the_way(self, step: tuple[str, ...], table: str) -> Iterator[None]:
        if step in self._trail:
            circle = [_shown(s) for s in [*self._trail[self._trail.index(step) :], step] if not s[-1].startswith(COUNTS_OF)]
            if table:
                raise StillCounted(table, circle)
            raise Unusable(f"these are computed from each other in a circle: {' <- '.join(circle)}")
        self._trail.append(step)
        try:
            yield
        finally:
            self._trail.pop()


def _shown(step: tuple[str, ...]) -> str:
    if step[0] == "rows":
        return f"the rows of {step[1]}"
    return f"{step[1]}.{', '.join(step[2:])}" if len(step) > 2 else ".".join(step)
