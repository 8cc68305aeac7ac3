"""How much the equivalence classes tell of a sensitive column: the l-diversity and t-closeness that a table reaches."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa

from masking.risk.equivalence import EquivalenceClasses, Integers, encoded
from masking.risk.reidentification import rounded
from masking.risk.uniqueness import Floats


@dataclass(frozen=True)
class Diversity:
    """What the worst class that is not suppressed reaches; None where there is none.

    `distinct` different values; `entropy` is e to the power of the entropy of the values (in nats), the l of entropy
    l-diversity; `recursive` is the bound below which no c of recursive (c, l)-diversity holds, for l = `distinct` (at least two).
    `equal` and `ordered` are the largest distances of a class's values from those of the table, the t of t-closeness, with equal
    distances and, where all values are numbers, with ordered ones.
    """

    column: str
    values: int
    distinct: int | None
    entropy: float | None
    recursive: float | None
    equal: float | None
    ordered: float | None

    def describe(self) -> dict[str, Any]:
        return {
            "values": self.values,
            "l_distinct": self.distinct,
            "l_entropy": rounded(self.entropy),
            "recursive_c": rounded(self.recursive),
            "t_equal": rounded(self.equal),
            "t_ordered": rounded(self.ordered),
        }


def diversity(classes: EquivalenceClasses, column: str, sensitive: pa.ChunkedArray) -> Diversity:
    """Measure the sensitive texts of all records, null being a value of its own; suppressed records count for the whole table only.

    A. Machanavajjhala et al., "l-diversity", ICDE 2006 (entropy and recursive diversity); N. Li, T. Li and
    S. Venkatasubramanian, "t-closeness", ICDE 2007 (the earth mover's distances). Costs as much as there are different pairs of
    class and value.
    """
    cells, codes = encoded(sensitive)
    order, numeric = _ordered(cells)
    codes = np.argsort(order)[codes] if len(cells) else codes
    overall = np.bincount(codes, minlength=len(cells)) / max(len(codes), 1)
    kept = ~classes.suppressed[classes.of_records]
    pairs, counts = np.unique(classes.of_records[kept] * max(len(cells), 1) + codes[kept], return_counts=True)
    if not len(pairs):
        return Diversity(column, len(cells), None, None, None, None, None)
    of_class, value = np.divmod(pairs, len(cells))
    begins = np.flatnonzero(np.diff(of_class, prepend=-1))
    distinct = np.diff(begins, append=len(pairs))
    sizes = np.add.reduceat(counts, begins)
    within = counts / np.repeat(sizes, distinct)
    entropy = np.exp(-np.add.reduceat(within * np.log(within), begins))
    equal = (1 - np.add.reduceat(overall[value], begins) + np.add.reduceat(np.abs(within - overall[value]), begins)) / 2
    l_reached = int(distinct.min())
    return Diversity(
        column,
        len(cells),
        l_reached,
        float(entropy.min()),
        _recursive(counts, begins, distinct, l_reached) if l_reached > 1 else None,
        float(max(equal.max(), 0.0)),
        _ordered_distance(within, value, begins, overall) if numeric and len(cells) > 1 else None,
    )


def _recursive(counts: Integers, begins: Integers, distinct: Integers, at_least: int) -> float:
    """The largest r1 / (r_l + ... + r_m) of a class, its counts in falling order; (c, l)-diversity needs a larger c."""
    of_class = np.repeat(np.arange(len(begins)), distinct)
    falling = counts[np.lexsort((-counts, of_class))]
    tails = np.where(np.arange(len(counts)) - np.repeat(begins, distinct) >= at_least - 1, falling, 0)
    return float((falling[begins] / np.add.reduceat(tails, begins)).max())


def _ordered_distance(within: Floats, value: Integers, begins: Integers, overall: Floats) -> float:
    """The largest mean difference of a class's cumulated shares from the table's, over all values but the last.

    A class's cumulated share is constant between the values that it has, and the table's rises: on each stretch the sum of the
    differences follows from where the one passes the other, so that no class costs more than its own values.
    """
    many = len(overall)
    cumulated = np.minimum(overall.cumsum(), 1.0)
    before = np.concatenate(([0.0], cumulated.cumsum()))
    shares = within.cumsum()
    shares -= np.repeat(np.concatenate(([0.0], shares[begins[1:] - 1])), np.diff(begins, append=len(within)))
    ends = np.append(value[1:], many)
    ends[np.append(begins[1:] - 1, len(value) - 1)] = many - 1  # the last difference is nought in all classes
    starts = np.minimum(value, many - 1)
    passes = np.clip(np.searchsorted(cumulated, shares), starts, np.maximum(ends, starts))
    ends = np.maximum(ends, starts)
    lower = shares * (passes - starts) - (before[passes] - before[starts])
    upper = (before[ends] - before[passes]) - shares * (ends - passes)
    totals = np.add.reduceat(lower + upper, begins) + before[value[begins]]
    return float(max(totals.max(), 0.0) / (many - 1))


def _ordered(cells: list[str]) -> tuple[Integers, bool]:
    """The order of the values, by size where all are numbers, and whether they are."""
    try:
        numbers = [Decimal(cell) for cell in cells]
        numeric = all(number.is_finite() for number in numbers)
    except InvalidOperation:
        numeric = False
    order = sorted(range(len(cells)), key=(lambda i: numbers[i]) if numeric else (lambda i: cells[i]))
    return np.array(order, np.int64), numeric
