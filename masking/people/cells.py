"""What stands in the place of a value for all persons of a class: a label, a set, or the middle of numbers and times."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from masking.anonymity.cells import element
from masking.anonymity.hierarchy import ALL, Hierarchy
from masking.people.records import Ints, Values
from masking.people.specification import PeopleSpec

_DIGITS = Context(prec=80, rounding=ROUND_FLOOR)  # more than any decimal type has


def cells_of(values: Values, place_of: Ints, hierarchy: Hierarchy | None, spec: PeopleSpec) -> pa.Array:
    """The cell of each place (a class, or a group of parents' rows) from all values of its owners, then that of rows of nobody.

    `place_of` is the place of each owner, -1 for none. Texts become the lowest label of their hierarchy that covers them (with global
    recoding labels of one level), else their set; numbers and times the middle of the least and the greatest, in the column's type.
    Rows of nobody get `*`, null where the column is no text, and where null may not be the middle of the whole column.
    """
    place, size = place_of[values.owners], max(len(values.texts), 1)
    known = place >= 0
    pairs = np.unique(place[known] * size + values.codes[known])
    starts = np.searchsorted(pairs // size, np.arange(int(place_of.max(initial=-1)) + 2)).tolist()
    members = [(pairs[start:end] % size).tolist() for start, end in pairwise(starts)]
    if not pa.types.is_string(values.type):
        raw = pa.array(values.texts, pa.string()).cast(values.type).to_pylist()
        middles = [_middle([raw[code] for code in codes]) for codes in members]
        nobody = None if values.nullable else _middle([value for value in raw if value is not None])
        return pa.array([*middles, nobody], values.type)
    if hierarchy is None or spec.notation == "sets":
        texts = [_set([values.texts[code] for code in codes]) for codes in members]
    else:
        texts = _labels([[values.texts[code] for code in codes] for codes in members], hierarchy, values, spec.recoding == "global")
    return pa.array([*texts, ALL], values.type)


def _labels(members: list[list[str | None]], hierarchy: Hierarchy, values: Values, same_level: bool) -> list[str | None]:
    leaves = [np.array(hierarchy.codes(texts, values.quasi.name), np.int64) for texts in members]
    levels = [_level(hierarchy, each) for each in leaves]
    if same_level:
        levels = [max(levels, default=0)] * len(levels)
    return [hierarchy.levels[level][int(each[0])] for level, each in zip(levels, leaves, strict=True)]


def _level(hierarchy: Hierarchy, leaves: Ints) -> int:
    """The lowest level at which all leaves have the same node; the last has one for all."""
    for level in range(hierarchy.height):
        nodes = hierarchy.ancestors[level][leaves]
        if (nodes == nodes[0]).all():
            return level
    return hierarchy.height - 1


def _set(texts: list[str | None]) -> str | None:
    """The set of texts, as sets are written everywhere; null is an element without a character, and one text is itself."""
    if len(texts) == 1:
        return texts[0]
    return "{" + ",".join(element(text) for text in sorted(texts, key=lambda text: (text is None, text or ""))) + "}"


def _middle(values: list[Any]) -> Any:
    """The middle of the least and the greatest value in their own type; null where one is null, which is not between them.

    NaN, which has no order, where one is NaN.
    """
    if not values or any(value is None for value in values):
        return None
    if any(value != value for value in values):
        return math.nan
    low, high = min(values), max(values)
    if low == high:
        return low
    if isinstance(low, Decimal):
        return _DIGITS.quantize(_DIGITS.divide(_DIGITS.add(low, high), Decimal(2)), low)
    if isinstance(low, datetime):
        return low + (high - low) / 2
    if isinstance(low, date):
        return date.fromordinal((low.toordinal() + high.toordinal()) // 2)
    if isinstance(low, int):
        return (low + high) // 2
    return low / 2 + high / 2  # neither overflows
