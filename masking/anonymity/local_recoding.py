"""Local recoding: each class as little generalised as it needs to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
    generalise them; rows of which nothing is left are avoided like suppressed ones.
    """
    met = _meeting(table, models)
    need = smallest_class(models)
    forms = {domain.form for domain in table.domains}
    found = []
    small = need <= _SMALL and len(table.counts) > _MANY and all(isinstance(model, KAnonymity) for model in models)
    if forms != {"set"} or not small:  # many small classes of sets are better clustered
        found.append(_valued(table, split(table, met, need)))
    if forms - {"set"}:
        found.append(_valued(table, _recode(table, met, need, suppression, GENERALISATIONS)))
    if forms != {"labels"}:
        found.append(_valued(table, _recode(table, met, need, suppression, 1)))
    found += [
        _valued(table, _spread(table, way, met, need)) for way in found if 0 < way.bare.sum() < len(way.bare) and way.classes.min() >= 0
    ]
    return min(found, key=lambda way: way.regret).classes


@dataclass(frozen=True)
class _Way:
    """A recoding: what all rows lose, and the tuples of whose values nothing is left, which in `regret` lose twice.

    They are as good as suppressed.
    """

    classes: Ints
    lost: float
    regret: float
    bare: Flags


def _valued(table: DistinctTable, classes: Ints) -> _Way:
    weight = sum(domain.weight for domain in table.domains)
    kept = np.flatnonzero(classes >= 0)
    number = int(classes.max(initial=-1)) + 1
    rows = np.bincount(classes[kept], table.counts[kept], number)
    bare = np.ones(number, np.bool_)
    lost = float(table.counts[classes < 0].sum()) * weight
    if number:
        for each, domain in zip(class_losses(_part(table, kept), classes[kept], number), table.domains, strict=True):
            bare &= each >= domain.weight
            lost += float(np.cumsum(each * rows)[-1])  # one after the other, so that the sum is the same on every machine
    of_tuples = np.zeros(len(classes), np.bool_)
    of_tuples[kept] = bare[classes[kept]]
    return _Way(classes, lost, lost + float(table.counts[of_tuples].sum()) * weight, of_tuples)


def _spread(table: DistinctTable, way: _Way, met: Callable[[Ints, int], Flags], need: int) -> Ints:
    """Share out the tuples of which nothing is left among the other classes, one by one."""
    alone = np.where(way.bare, int(way.classes.max()) + 1 + np.arange(len(way.classes)), way.classes)
    return cluster(table, np.unique(alone, return_inverse=True)[1], met, need)


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
        if _valued(table, without).lost < _valued(table, whole).lost:
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
