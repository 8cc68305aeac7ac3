"""`constant`: one value for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Rows
from masking.transformers.fit import require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.scalars import Unscalable, scalar
from schemas.types import KINDS


@dataclass(frozen=True)
class Constant:
    """Puts one value in the place of every other; nulls stay null."""

    name: ClassVar[str] = "constant"
    fits: ClassVar[tuple[str, ...]] = KINDS
    whole: ClassVar[bool] = True

    value: Any = parameter("the value, written as the column's type is in text: `2000-01-01`, `{}` for JSON, a list for an array")

    def bind(self, context: Context) -> Replaced:
        require_repeats(context, self.name, "code or hash")
        try:
            value = scalar(self.value, context.column.type)
        except Unscalable as error:
            raise unfit(context, self.name, str(error)) from None
        return Replaced(value)


@dataclass(frozen=True)
class Replaced:
    """One value wherever there is one."""

    value: pa.Scalar

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        same = pa.repeat(self.value, len(values))
        return pc.if_else(pc.is_valid(values), same, pa.nulls(len(values), same.type))
