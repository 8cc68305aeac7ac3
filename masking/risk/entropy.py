"""Non-uniform entropy: how many bits of a column's values a generalisation took away, rare values weighing more than common ones.

Both measures are qualities: 1 minus the loss over that of a column which is wholly suppressed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from masking.risk.coverage import Coverage, Hierarchy
from masking.risk.equivalence import SUPPRESSED, Integers


def entropy_loss(positions: Integers, cells: Integers, found: Coverage, values: int) -> tuple[float, npt.NDArray[np.bool_]]:
    """Return the quality of a column, and the records whose cell does not cover their value, which count as suppressed.

    `positions` (records) are the original values' positions among the `values` of the domain, `cells` (records) the codes of the
    cells of which `found` says what they stand for. The loss of a cell is -log2 of the share that its value has, in the original,
    of the records with any value that the cell stands for: A. Gionis and T. Tassa, "k-Anonymization with minimal loss of
    information", ESA 2007, for any notation; with one level for the whole column it is ARX's and that of A. de Waal and
    L. Willenborg, "Information loss through global recoding and local suppression", 1999.
    """
    frequency = np.bincount(positions, minlength=values)
    before = np.concatenate(([0], np.cumsum(frequency[found.values])))
    covered = before[found.starts[1:]] - before[found.starts[:-1]]
    known = np.repeat(np.arange(len(found.sizes)), found.sizes) * values + found.values
    pairs, of_records, counts = np.unique(cells * values + positions, return_inverse=True, return_counts=True)
    wrong = np.ones(len(pairs), np.bool_)
    if len(known):
        wrong = known[np.minimum(np.searchsorted(known, pairs), len(known) - 1)] != pairs
    cell, value = np.divmod(pairs, values)
    looked_at = np.where(wrong, len(positions), covered[cell])
    lost = float(np.dot(counts, np.log2(looked_at / frequency[value])))
    return _quality(lost, frequency), wrong[of_records]


def entropy_by_level(
    positions: Integers, cells: Integers, texts: Sequence[str], hierarchy: Hierarchy, values: Sequence[str]
) -> float | None:
    """Return ARX's quality for columns of which each cell has a level of its own; None where a cell is no label of the hierarchy.

    The loss adds up over the levels that are in use: at each, among the records that are generalised at least as far, the share of
    the label of the level before within that of this one (F. Prasser, R. Bild and K. A. Kuhn, "A generic method for assessing the
    quality of de-identified health data", MIE 2016). A label that stands at several levels has the first.
    """
    deepest = len(hierarchy.rows[0])
    levels: dict[str, int] = {SUPPRESSED: deepest}
    for level in range(deepest - 1, -1, -1):
        levels.update((row[level], level) for row in hierarchy.rows)
    levels.update((value, 0) for value in values[len(hierarchy.rows) :])
    if any(text not in levels for text in texts):
        return None
    pairs, counts = np.unique(cells * len(values) + positions, return_counts=True)
    cell, value = np.divmod(pairs, len(values))
    level_of = np.array([levels[text] for text in texts], np.int64)[cell]
    lost, finer = 0.0, value
    for level in np.unique(level_of):
        labels = _labels(hierarchy, values, int(level))[value]
        here = level_of >= level
        inner = np.bincount(finer[here], weights=counts[here])
        outer = np.bincount(labels[here], weights=counts[here])
        lost += float(np.dot(counts[here], np.log2(outer[labels[here]] / inner[finer[here]])))
        finer = labels
    return _quality(lost, np.bincount(positions))


def _labels(hierarchy: Hierarchy, values: Sequence[str], level: int) -> Integers:
    """The code of each value's label at a level; values that the hierarchy lacks are their own up to the last."""
    names = [row[level] if level < len(row) else SUPPRESSED for row in hierarchy.rows]
    names += [SUPPRESSED if level >= len(hierarchy.rows[0]) - 1 else value for value in values[len(hierarchy.rows) :]]
    codes = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([codes[name] for name in names], np.int64)


def _quality(lost: float, frequency: Integers) -> float:
    present = frequency[frequency > 0]
    most = float(np.dot(present, np.log2(present.sum() / present)))
    return min(max(1 - lost / most, 0.0), 1.0) if most > 0 else 1.0
