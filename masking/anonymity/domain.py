"""What a quasi-identifier may become: its different values, and how several of them are written as one cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.hierarchy import Hierarchy

Notation = Literal["labels", "sets", "typed"]
Form = Literal["labels", "set", "range"]
Ints = NDArray[np.int64]

# no leading zeros: 02139 is a code
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


@dataclass(frozen=True)
class Domain:
    """The different values of one quasi-identifier, in an order, and the form that its generalised cells take.

    `values` are the leaves of the hierarchy where there is one, else the values of the table: numbers by size, texts by code point,
    null last. `form` says what stands for several values: a label of the hierarchy, the set of them, or the range from the least
    to the greatest number. `weight` multiplies what is lost in this column.
    """

    name: str
    values: tuple[str | None, ...]
    form: Form
    hierarchy: Hierarchy | None = None
    weight: float = 1.0

    @property
    def most(self) -> int:
        """The number of values less one, by which what is lost is divided; at least 1."""
        return max(len(self.values) - 1, 1)

    @property
    def has_null(self) -> bool:
        """Whether the last value is null."""
        return self.form == "range" and self.values[-1] is None

    @cached_property
    def ancestors(self) -> Ints:
        """The group of each value at each level: shape (levels, values); the first is each alone, the last all together.

        Those of the hierarchy; without one, neighbours by two, four, eight and so on.
        """
        if self.hierarchy is not None:
            return self.hierarchy.ancestors
        number = len(self.values)
        levels = [np.arange(number) >> shift for shift in range(max(number - 1, 1).bit_length() + 1)]
        offsets = np.cumsum([0, *(level[-1] + 1 for level in levels[:-1])])
        return np.stack([level + offset for level, offset in zip(levels, offsets, strict=True)])

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """What is lost where a whole group of `ancestors` becomes one cell, weighted."""
        if self.hierarchy is not None:
            return self.hierarchy.losses * self.weight
        sizes = np.zeros(int(self.ancestors.max()) + 1, np.int64)
        for level in self.ancestors:
            sizes = np.maximum(sizes, np.bincount(level, minlength=len(sizes)))
        return (sizes - 1) / self.most * self.weight


def make_domain(
    name: str, present: Sequence[str | None], hierarchy: Hierarchy | None, notation: Notation, weight: float = 1.0
) -> tuple[Domain, Ints]:
    """Return the domain of a column and the place in it of each of the `present` values, which are all different.

    Raises InputError where a value is no leaf of the hierarchy.
    """
    numbers = all(value is None or _NUMBER.fullmatch(value) for value in present) and any(value is not None for value in present)
    if hierarchy is not None:
        codes = np.array(hierarchy.codes(present, name), np.int64)
        if notation == "labels" or (notation == "typed" and not numbers):
            return Domain(name, hierarchy.leaves, "labels", hierarchy, weight), codes
        if notation == "sets":
            return Domain(name, hierarchy.leaves, "set", hierarchy, weight), codes
    if numbers:
        order = sorted(range(len(present)), key=lambda i: (present[i] is None, Decimal(present[i] or 0), present[i] or ""))
    else:
        order = sorted(range(len(present)), key=lambda i: (present[i] is None, present[i] or ""))
    places = np.empty(len(present), np.int64)
    places[order] = np.arange(len(present))
    form: Form = "range" if numbers and notation != "sets" else "set"
    return Domain(name, tuple(present[i] for i in order), form, None, weight), places
