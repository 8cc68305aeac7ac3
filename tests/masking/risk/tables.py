"""Small tables of texts, and how hypothesis makes them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from hypothesis import strategies as st

from masking.risk import Hierarchy

VALUES = ("a", "b", "c", "d")
HIERARCHY = Hierarchy("x.csv", [["a", "ab", "*"], ["b", "ab", "*"], ["c", "cd", "*"], ["d", "cd", "*"]])


def table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """A table of texts by its rows."""
    return pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(columns)})


def rows(columns: int = 2, most: int = 30) -> st.SearchStrategy[list[tuple[str, ...]]]:
    """Rows of values of the hierarchy, at least one."""
    return st.lists(st.tuples(*[st.sampled_from(VALUES)] * columns), min_size=1, max_size=most)


def cells_over(value: str) -> list[str]:
    """What a value may be generalised to, in all notations, from fine to coarse."""
    label = next(row[1] for row in HIERARCHY.rows if row[0] == value)
    return [value, label, "{" + ",".join(sorted({value, "a", "d"})) + "}", "*"]
