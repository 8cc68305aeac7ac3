"""Histograms whose bars begin at round places, with one open bar for each long tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bundles.measures import Measure, Position
from bundles.profiled import Bin


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where bars begin: `edges` rise; before the first and from the last on there is an open bar where the tail is cut."""

    edges: tuple[Position, ...]
    low: Position
    high: Position
    low_tail: bool
    high_tail: bool

    def limits(self, measure: Measure) -> list[Position]:
        """The last position of each bar; rising, and the last of them is `high`."""
        first = [measure.below(self.edges[0])] if self.low_tail else []
        last = [self.high] if self.high_tail else []
        return [*first, *(measure.below(e) for e in self.edges[1:-1]), min(measure.below(self.edges[-1]), self.high), *last]

    def bins(self, measure: Measure, rows: Sequence[int]) -> tuple[Bin, ...]:
        """The bars, with how many rows each has."""
        bars: list[tuple[Position, Position, str, str]] = []
        if self.low_tail:
            bars.append((self.low, self.edges[0], f"below {measure.value(self.edges[0]).text}", "low"))
        for start, end in pairwise(self.edges):
            bars.append((start, end, measure.label(start, end), ""))
        if self.high_tail:
            bars.append((self.edges[-1], self.high, f"{measure.value(self.edges[-1]).text} and more", "high"))
        return tuple(
            Bin(measure.value(start), measure.value(end), label, count, tail)
            for (start, end, label, tail), count in zip(bars, rows, strict=True)
        )


def cuts(measure: Measure, low: Position, high: Position, bulk: tuple[Position, Position] | None) -> Cuts:
    """Cut the range from `low` to `high`; `bulk` is where all but a hundredth on each side lies, None where that is not known.

    A tail is cut off where it is longer than the bulk: the bars then show the bulk.
    """
    first, last = low, high
    if bulk is not None and (span := max(bulk[1] - bulk[0], int(measure.whole))) > 0:
        if high - bulk[1] > span:
            last = bulk[1]
        if bulk[0] - low > span:
            first = bulk[0]
    edges = measure.edges(first, last)
    return Cuts(tuple(edges), low, high, edges[0] > low, edges[-1] <= high)
