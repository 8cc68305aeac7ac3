"""Waits: whether they are longer or shorter for a row (`factor`), and in which hours of the week they pass (`rhythm`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.arrays import SECOND, to_units
from datagen.compiling import Context
from datagen.elementary import Float64
from datagen.errors import GenerationFailed
from datagen.randomness import Int64
from datagen.rhythm import Rhythm, rhythm_of
from datagen.rows import Rows
from datagen.zones import Zones, zones_of
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import INTEGERS

LONGEST = 2.0**61


def factor_of(recipe: Recipe, ctx: Context) -> Callable[[Rows], Float64] | None:
    """What the waits of each row are multiplied by; None for 1."""
    path = argument(recipe, "factor")
    if path is None:
        return None
    values, type = ctx.path(str(path), recipe.at)
    if type.kind not in (*INTEGERS, "numeric"):
        ctx.fail(f"factor needs a whole number or numeric and {path} is {type}", recipe.at)

    def factor(rows: Rows) -> Float64:
        units, absent = to_units(type, values(rows))
        found: Float64 = units / float(10**type.decimals)
        if absent is not None:
            found[absent] = 1
        if (found < 0).any():
            raise GenerationFailed(f"{ctx.table.name}.{ctx.column}: the factor {path} is below 0 for some rows; make it 0 or above")
        return found

    return factor


@dataclass(frozen=True)
class Clock:
    """A clock by which waits pass: evenly, or by a rhythm in the local time that a row begins with."""

    rhythm: Rhythm | None
    zones: Zones | None

    def offsets(self, rows: Rows, begin: Int64) -> Int64:
        """How far the local time of each row is ahead of UTC when it begins, in microseconds."""
        return np.zeros(len(begin), np.int64) if self.zones is None else self.zones.local(rows, begin) - begin

    def later(self, begin: Int64, waits: Int64, offsets: Int64) -> Int64:
        """The moments in microseconds after waits of so many seconds."""
        return begin + waits * SECOND if self.rhythm is None else self.rhythm.later(begin + offsets, waits) - offsets

    def passed(self, begin: Int64, end: Int64 | int, offsets: Int64) -> Int64:
        """How many seconds of waits pass between two moments, at least 0."""
        found = (end - begin) // SECOND if self.rhythm is None else self.rhythm.passed(begin + offsets, end + offsets)
        return np.maximum(found, 0)


def clock_of(recipe: Recipe, ctx: Context) -> Clock:
    """The clock of a recipe's `rhythm` and `zone`."""
    return Clock(rhythm_of(argument(recipe, "rhythm")), zones_of(recipe, ctx))
