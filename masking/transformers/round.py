"""`round`: numbers to the nearest multiple of a step."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
import pyarrow as pa

from masking.transformers.base import Context, Rows
from masking.transformers.fit import NUMBERS, require_kind, require_repeats
from masking.transformers.parameters import parameter
from masking.transformers.units import Limits, limits_of, read_units, roomy, step_of, write_units


@dataclass(frozen=True)
class Round:
    """Rounds numbers to the nearest multiple of a step, halves to the even multiple.

    Where the nearest multiple is out of the column's range (type or CHECK), the limit itself takes its place.
    """

    name: ClassVar[str] = "round"
    fits: ClassVar[tuple[str, ...]] = NUMBERS

    to: Decimal = parameter("the step, such as `1000` or `0.5`")

    def __post_init__(self) -> None:
        if self.to <= 0:
            raise ValueError("'to' must be greater than 0")

    def bind(self, context: Context) -> Rounded:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "hash or code")
        return Rounded(step_of(context, self.name, self.to), limits_of(context))


@dataclass(frozen=True)
class Rounded:
    """Multiples of `step`, in units."""

    step: int | float
    limits: Limits

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        units = roomy(read_units(values), self.step)
        if units.dtype == np.float64:
            with np.errstate(over="ignore", invalid="ignore"):
                near = np.rint(units / self.step) * self.step
            near = np.clip(near, self.limits.low, self.limits.high)
            return write_units(np.where(np.isfinite(units), near, units), values)
        below = units // self.step
        rest = units - below * self.step
        up = (2 * rest > self.step) | ((2 * rest == self.step) & (below % 2 == 1))
        near = (below + up.astype(units.dtype)) * self.step
        return write_units(np.clip(near, self.limits.low, self.limits.high), values)
