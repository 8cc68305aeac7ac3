"""`partial`: most of a text hidden, as in `****1234`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from masking.transformers.base import Context, Rows
from masking.transformers.fit import WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.signs import hidden


@dataclass(frozen=True)
class Partial:
    """Hides letters and digits behind a mark, all but the first and last few; lengths stay, and separators such as `-` and spaces.

    A text in which fewer than `hide` letters and digits would be hidden is hidden whole.
    """

    name: ClassVar[str] = "partial"
    fits: ClassVar[tuple[str, ...]] = WORDS

    last: int = parameter("how many letters and digits are kept at the end", default=4, least=0, most=100)
    first: int = parameter("how many are kept at the beginning", default=0, least=0, most=100)
    mark: str = parameter("what stands for a hidden one", default="*")
    separators: bool = parameter("whether signs that are neither letter nor digit stay; else they are hidden too", default=True)
    hide: int = parameter("how many must be hidden at least, for anything to be kept", default=4, least=1, most=1000)

    def __post_init__(self) -> None:
        if len(self.mark) != 1:
            raise ValueError("'mark' must be one character")

    def bind(self, context: Context) -> Hidden:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "code")
        if context.column.type.length is not None and context.column.type.length < self.first + self.last + self.hide:
            raise unfit(
                context, self.name, f"no value of a {context.column.type} is long enough to keep {self.first + self.last} characters"
            )
        return Hidden(self.first, self.last, self.hide, self.mark, not self.separators)


@dataclass(frozen=True)
class Hidden:
    """Texts of which the `first` and `last` letters and digits are left."""

    first: int
    last: int
    hide: int
    mark: str
    all_signs: bool

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        return hidden(values, self.mark, first=self.first, last=self.last, at_least=self.hide, all_signs=self.all_signs)
