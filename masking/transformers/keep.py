"""`keep`: the value as it is, said aloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from masking.transformers.base import Context, Rows
from schemas.types import KINDS


@dataclass(frozen=True)
class Keep:
    """Keeps the value as it is: the column is public, and somebody has decided so."""

    name: ClassVar[str] = "keep"
    fits: ClassVar[tuple[str, ...]] = KINDS
    whole: ClassVar[bool] = True

    def bind(self, context: Context) -> Kept:
        return Kept()


@dataclass(frozen=True)
class Kept:
    """Hands values on."""

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        return values
