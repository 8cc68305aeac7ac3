"""Following edges between rows until no new row is reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.subset.edges import Edges
from masking.subset.key_hashes import I64, Mask

# fewer rows than this are followed one by one: a chain of references has as many rounds as links
_FEW = 256


def follow(kept: Mapping[str, Mask], edges: Sequence[Edges]) -> None:
    """Keep, in place, all rows that edges reach from kept ones."""
    frontier: dict[str, I64] = {name: np.flatnonzero(rows) for name, rows in kept.items()}
    while any(len(rows) for rows in frontier.values()):
        if sum(len(rows) for rows in frontier.values()) <= _FEW:
            frontier = _follow_few(kept, edges, frontier)
            continue
        new: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in kept}
        for found in edges:
            ends = found.reached(frontier[found.table])
            ends = np.unique(ends[~kept[found.target][ends]])
            kept[found.target][ends] = True
            new[found.target].append(ends)
        frontier = {name: np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64) for name, parts in new.items()}


def _follow_few(kept: Mapping[str, Mask], edges: Sequence[Edges], frontier: Mapping[str, I64]) -> dict[str, I64]:
    """Follow edges one by one as long as few rows are new at a time; return those that are new then."""
    flags = {name: rows.data for name, rows in kept.items()}
    views = {name: [_View(e) for e in edges if e.table == name] for name in kept}
    level = [(name, row) for name, rows in frontier.items() for row in rows.tolist()]
    while level and len(level) <= _FEW:
        following = []
        for name, row in level:
            for view in views[name]:
                held = flags[view.target]
                for end in view.ends_of(row):
                    if not held[end]:
                        held[end] = True
                        following.append((view.target, end))
        level = following
    return {name: np.array([row for found, row in level if found == name], np.int64) for name in kept}


class _View:
    """Edges as Python reads them one by one."""

    def __init__(self, edges: Edges) -> None:
        self.target = edges.target
        self._ends = edges.ends.data
        self._starts = None if edges.starts is None else edges.starts.data

    def ends_of(self, row: int) -> Iterable[int]:
        if self._starts is not None:
            return self._ends[self._starts[row] : self._starts[row + 1]]
        end = self._ends[row]
        return () if end < 0 else (end,)
