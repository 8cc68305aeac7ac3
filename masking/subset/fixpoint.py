"""Following edges between rows until no new row is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.subset.key_hashes import I64, Mask

# fewer rows than this are followed one by one: a chain of references has as many rounds as links
_FEW = 256


@dataclass(frozen=True)
class Edges:
    """Edges from rows of `table` to rows of `target`: those of row i are `ends[starts[i]:starts[i + 1]]`, as positions."""

    table: str
    target: str
    starts: I64
    ends: npt.NDArray[Any]

    @classmethod
    def of(cls, table: str, target: str, rows: npt.NDArray[Any], ends: npt.NDArray[Any], count: int) -> Edges:
        """The edges from `rows`, in any order, to the `ends` beside them, of a table of `count` rows."""
        if len(rows) and np.any(rows[1:] < rows[:-1]):
            order = np.argsort(rows, kind="stable")
            rows, ends = rows[order], ends[order]
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=count), out=starts[1:])
        return cls(table, target, starts, ends.astype(np.int32 if not len(ends) or ends.max() < 2**31 else np.int64))

    def reached(self, rows: I64) -> npt.NDArray[Any]:
        """The ends of all edges from `rows`."""
        rows = rows[rows < len(self.starts) - 1]
        begins, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        offsets = np.cumsum(counts) - counts
        places = np.repeat(begins - offsets, counts) + np.arange(int(counts.sum()))
        return self.ends[places]


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
    views = {name: [(e.target, e.starts.data, e.ends.data, len(e.starts) - 1) for e in edges if e.table == name] for name in kept}
    level = [(name, row) for name, rows in frontier.items() for row in rows.tolist()]
    while level and len(level) <= _FEW:
        following = []
        for name, row in level:
            for target, starts, ends, count in views[name]:
                if row >= count:
                    continue
                held = flags[target]
                for place in range(starts[row], starts[row + 1]):
                    end = ends[place]
                    if not held[end]:
                        held[end] = True
                        following.append((target, end))
        level = following
    return {name: np.array([row for found, row in level if found == name], np.int64) for name in kept}
