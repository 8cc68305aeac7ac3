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
Floats = NDArray[np.float64]

SUPPRESSED = -1
# rows of a class and distinct tuples for which clusters of sets lose less than splits do, or splits take too long
_CLUSTERED = ((10, 1 << 12), (64, 1 << 17))


def recode_locally(table: DistinctTable, models: Sequence[Model], suppression: Ints) -> Ints:
    """Return the class of each tuple, from 0 on, or SUPPRESSED; all classes meet `models`, which each part of the table must meet.

    Two ways are gone, and for each part the one is taken that loses less: from the whole down (`split`), which suits large classes, and
    from the rows up, which suits small ones: where all cells are labels, by the cheapest generalisations (`peel`) and then by clusters
    of what they leave, else by clusters alone. At most `suppression[i]` rows of part i are suppressed, no fewer than a class must have,
    and only where that loses less than to generalise them; rows of which nothing is left are avoided like suppressed ones.
    """
    met = _meeting(table, models)
    need = smallest_class(models)
    forms = {domain.form for domain in table.domains}
    found = []
    small = any(need <= most and len(table.counts) > many for most, many in _CLUSTERED)
    if forms != {"set"} or not small or not all(isinstance(model, KAnonymity) for model in models):
        found.append(_valued(table, split(table, met, need)))
    if forms - {"set"}:
        found.append(_valued(table, _recode(table, met, need, suppression, GENERALISATIONS)))
    if forms != {"labels"}:
        found.append(_valued(table, _recode(table, met, need, suppression, 1)))
    found += [_valued(table, spread) for way in found if (spread := _spread(table, way, met, need)) is not None]
    best = np.stack([way.regret for way in found]).argmin(axis=0)[table.parts]
    return _numbered([way.classes for way in found], best)


@dataclass(frozen=True)
class _Way:
    """A recoding: what the rows of each part lose, and the tuples of whose values nothing is left, which in `regret` lose twice.

    They are as good as suppressed.
    """

    classes: Ints
    lost: Floats
    regret: Floats
    bare: Flags


def _valued(table: DistinctTable, classes: Ints) -> _Way:
    weight = sum(domain.weight for domain in table.domains)
    kept = np.flatnonzero(classes >= 0)
    number, parts = int(classes.max(initial=-1)) + 1, int(table.parts.max()) + 1
    rows = np.bincount(classes[kept], table.counts[kept], number)
    bare = np.ones(number, np.bool_)
    lost: Floats = np.bincount(table.parts, np.where(classes < 0, table.counts, 0), parts).astype(np.float64) * weight
    of_class = np.zeros(number, np.int64)
    of_class[classes[kept]] = table.parts[kept]
    if number:
        for each, domain in zip(class_losses(_part(table, kept), classes[kept], number), table.domains, strict=True):
            bare &= each >= domain.weight
            lost += np.bincount(of_class, each * rows, parts)  # one after the other, so that the sum is the same on every machine
    of_tuples = np.zeros(len(classes), np.bool_)
    of_tuples[kept] = bare[classes[kept]]
    nothing_left = np.bincount(table.parts, np.where(of_tuples, table.counts, 0), parts).astype(np.float64)
    return _Way(classes, lost, lost + nothing_left * weight, of_tuples)


def _spread(table: DistinctTable, way: _Way, met: Callable[[Ints, int], Flags], need: int) -> Ints | None:
    """Share out the tuples of which nothing is left among the other classes of their part, one by one; None where there are none."""
    parts = int(table.parts.max()) + 1
    some = np.bincount(table.parts, way.bare, parts) > 0
    some &= np.bincount(table.parts, ~way.bare, parts) > 0
    some &= np.bincount(table.parts, way.classes < 0, parts) == 0
    shared = np.flatnonzero(some[table.parts])
    if not len(shared):
        return None
    alone = np.where(way.bare, int(way.classes.max()) + 1 + np.arange(len(way.classes)), way.classes)[shared]

    def met_in_shared(classes: Ints, number: int) -> Flags:
        whole = np.full(len(table.counts), SUPPRESSED, np.int64)
        whole[shared] = classes
        return met(whole, number)

    classes = way.classes.copy()
    classes[shared] = cluster(_part(table, shared), np.unique(alone, return_inverse=True)[1], met_in_shared, need)
    return _numbered([way.classes, classes], some[table.parts].astype(np.int64))


def _recode(table: DistinctTable, met: Callable[[Ints, int], Flags], need: int, suppression: Ints, most: int) -> Ints:
    classes = peel(table, met, need, most=most)
    left = np.flatnonzero(classes < 0)
    if not len(left):
        return classes
    part = _part(table, left)
    clustered = cluster(part, np.arange(len(left)), _meeting(part, [KAnonymity(need)]), need)
    classes[left] = int(classes.max()) + 1 + clustered
    whole = cluster(table, classes, met, need)
    out = ~met(classes, int(classes.max()) + 1)[classes]
    rows = np.bincount(table.parts, np.where(out, table.counts, 0), len(suppression))
    allowed = (need <= rows) & (rows <= suppression)
    if allowed.any():
        without = _numbered([whole, np.where(out, SUPPRESSED, classes)], allowed[table.parts].astype(np.int64))
        better = _valued(table, without).lost < _valued(table, whole).lost
        return _numbered([whole, without], better[table.parts].astype(np.int64))
    return whole


def _numbered(ways: Sequence[Ints], choice: Ints) -> Ints:
    """Take the class of each tuple from the way that is chosen for it, and number the classes anew, from 0 on."""
    found, offset = np.full(len(choice), SUPPRESSED, np.int64), 0
    for i, classes in enumerate(ways):
        found = np.where((choice == i) & (classes >= 0), classes + offset, found)
        offset += int(classes.max(initial=SUPPRESSED)) + 1
    kept = found >= 0
    found[kept] = np.unique(found[kept], return_inverse=True)[1]
    return found


def _meeting(table: DistinctTable, models: Sequence[Model]) -> Callable[[Ints, int], Flags]:
    """Whether classes of tuples of `table` meet the models."""
    named = {model.sensitive for model in models}
    observations: Mapping[str, Observations] = {name: seen for name, seen in table.observations.items() if name in named}
    wholes = whole_counts(observations)
    return lambda classes, number: all_met(models, class_statistics(classes, number, table.counts, observations, wholes))


def _part(table: DistinctTable, tuples: Ints) -> DistinctTable:
    """Some tuples alone, without what stands beside them."""
    return replace(table, codes=table.codes[:, tuples], counts=table.counts[tuples], observations={}, parts=table.parts[tuples])
