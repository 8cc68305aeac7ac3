"""Local recoding: each class as little generalised as it needs to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.cells import class_losses
from masking.anonymity.class_statistics import Observations, class_statistics, whole_counts
from masking.anonymity.clustering import cluster
from masking.anonymity.distinct import DistinctTable
from masking.anonymity.models import KAnonymity, Model, all_met, smallest_class
from masking.anonymity.peeling import GENERALISATIONS, peel
from masking.anonymity.splitting import split

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SUPPRESSED = -1
_SMALL, _MANY = 64, 1 << 17


def recode_locally(table: DistinctTable, models: Sequence[Model], suppression: int = 0) -> Ints:
    """Return the class of each tuple, from 0 on, or SUPPRESSED; all classes meet `models`, which the whole table must meet.

    Two ways are gone, and the one is taken that loses less: from the whole table down (`split`), which suits large classes, and from
    the rows up, which suits small ones: where all cells are labels, by the cheapest generalisations (`peel`) and then by clusters of
    what they leave, else by clusters alone. At most `suppression` rows are suppressed, and only where that loses less than to
    generalise them.
    """
    met = _meeting(table, models)
    need = smallest_class(models)
    forms = {domain.form for domain in table.domains}
    found = []
    small = need <= _SMALL and len(table.counts) > _MANY and all(isinstance(model, KAnonymity) for model in models)
    if forms != {"set"} or not small:  # many small classes of sets are better clustered
        found.append(split(table, met, need))
    if forms - {"set"}:
        found.append(_recode(table, met, need, suppression, GENERALISATIONS))
    if forms != {"labels"}:
        found.append(_recode(table, met, need, suppression, 1))
    return min(found, key=lambda classes: lost(table, classes))


def lost(table: DistinctTable, classes: Ints) -> float:
    """What all rows together lose, suppressed ones all; between 0 and rows times the sum of the weights."""
    kept = np.flatnonzero(classes >= 0)
    gone = int(table.counts[classes < 0].sum()) * sum(domain.weight for domain in table.domains)
    if not len(kept):
        return gone
    part = _part(table, kept)
    number = int(classes.max()) + 1
    rows = np.bincount(classes[kept], part.counts, number)
    # one after the other, so that the sum is the same on every machine
    return gone + float(sum(np.cumsum(losses * rows)[-1] for losses in class_losses(part, classes[kept], number)))


def _recode(table: DistinctTable, met: Callable[[Ints, int], Flags], need: int, suppression: int, most: int) -> Ints:
    classes = peel(table, met, need, most=most)
    left = np.flatnonzero(classes < 0)
    if not len(left):
        return classes
    part = _part(table, left)
    clustered = cluster(part, np.arange(len(left)), _meeting(part, [KAnonymity(need)]), need)
    classes[left] = int(classes.max()) + 1 + clustered
    whole = cluster(table, classes, met, need)
    lacking = ~met(classes, int(classes.max()) + 1)
    out = lacking[classes]
    if out.any() and table.counts[out].sum() <= suppression:
        without = np.where(out, SUPPRESSED, classes)
        if lost(table, without) < lost(table, whole):
            _, numbered = np.unique(without, return_inverse=True)
            return numbered - 1
    return whole


def _meeting(table: DistinctTable, models: Sequence[Model]) -> Callable[[Ints, int], Flags]:
    """Whether classes of tuples of `table` meet the models."""
    named = {model.sensitive for model in models}
    observations: Mapping[str, Observations] = {name: seen for name, seen in table.observations.items() if name in named}
    wholes = whole_counts(observations)
    return lambda classes, number: all_met(models, class_statistics(classes, number, table.counts, observations, wholes))


def _part(table: DistinctTable, tuples: Ints) -> DistinctTable:
    """Some tuples alone, without what stands beside them."""
    return replace(table, codes=table.codes[:, tuples], counts=table.counts[tuples], observations={})
