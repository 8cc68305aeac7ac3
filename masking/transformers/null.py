"""`null`: nothing in the value's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from masking.transformers.base import Context, Rows
from masking.transformers.fit import unfit
from schemas.types import KINDS


@dataclass(frozen=True)
class Null:
    """Puts null in the place of every value; refused where the column is NOT NULL."""

    name: ClassVar[str] = "null"
    fits: ClassVar[tuple[str, ...]] = KINDS
    whole: ClassVar[bool] = True

    def bind(self, context: Context) -> Nulled:
        if not context.column.nullable:
            raise unfit(context, self.name, "the column is NOT NULL; use constant, or a transformer of its type")
        return Nulled(context.column.type.arrow)


@dataclass(frozen=True)
class Nulled:
    """Nulls of one type."""

    type: pa.DataType

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        return pa.nulls(len(values), self.type)
