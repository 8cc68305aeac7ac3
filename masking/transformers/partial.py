"""`partial`: most of a text hidden, as in `****1234`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Rows
from masking.transformers.fit import WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter

# letters, digits and the marks on them, of any script (RE2)
_SIGN = r"[\pL\pN\pM]"
_OTHER = r"[^\pL\pN\pM]"


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
        counted, between = (_SIGN, f"{_OTHER}*") if self.separators else (".", "")
        head, tail = f"(?:{between}{counted})" * self.first, f"(?:{counted}{between})" * self.last
        pattern = f"(?s)^(?P<head>{head})(?P<middle>.*)(?P<tail>{between}{tail})$"
        enough = f"(?s)(?:{counted}.*){{{self.hide}}}" if self.separators else f"(?s).{{{self.hide}}}"
        return Hidden(pattern, enough, _SIGN if self.separators else "(?s).", self.mark)


@dataclass(frozen=True)
class Hidden:
    """Texts cut into head, middle and tail by `pattern`; only the middle is hidden where `enough` is in it."""

    pattern: str
    enough: str
    hidden: str
    mark: str

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        # a mark may be a backslash, which means something in a replacement
        mark = self.mark.replace("\\", "\\\\")
        parts = pc.extract_regex(values, self.pattern)
        head, middle, tail = (pc.struct_field(parts, name) for name in ("head", "middle", "tail"))
        masked = pc.binary_join_element_wise(head, pc.replace_substring_regex(middle, self.hidden, mark), tail, "")
        kept = pc.fill_null(pc.match_substring_regex(middle, self.enough), False)
        return pc.if_else(kept, masked, pc.replace_substring_regex(values, self.hidden, mark))
