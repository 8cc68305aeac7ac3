"""`replace`: what a regular expression finds, replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Rows
from masking.transformers.fit import WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter


@dataclass(frozen=True)
class Replace:
    r"""Replaces what a regular expression finds (RE2's syntax, whose time is linear in the text; no lookaround, no backreferences).

    `\1` in the replacement is what the first group found, `\0` the whole find. Values in which nothing is found, or which come out as
    they were, are hidden, unless `unmatched` says otherwise. A result longer than the column is cut.
    """

    name: ClassVar[str] = "replace"
    fits: ClassVar[tuple[str, ...]] = WORDS

    pattern: str = parameter("the regular expression")
    with_: str = parameter("what comes in place of each find", default="***")
    first: bool = parameter("whether only the first find in a value is replaced", default=False)
    unmatched: Literal["hide", "null", "keep"] = parameter(
        "what becomes of a value without a find: `***`, null, or as it is", default="hide"
    )

    def bind(self, context: Context) -> Replaced:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "code")
        if self.unmatched == "null" and not context.column.nullable:
            raise unfit(context, self.name, "the column is NOT NULL, and `unmatched: null` would need it; use hide or keep")
        masker = Replaced(self.pattern, self.with_, 1 if self.first else None, self.unmatched, context.column.type.length)
        try:
            masker.apply(pa.array(["a"]), Rows({}, 1))
        except pa.ArrowInvalid as error:
            raise unfit(context, self.name, f"the pattern or its replacement is wrong ({_reason(error)})") from None
        return masker


@dataclass(frozen=True)
class Replaced:
    """Finds of `pattern` replaced, at most `most` in a value."""

    pattern: str
    replacement: str
    most: int | None
    unmatched: str
    length: int | None

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        result = pc.replace_substring_regex(values, self.pattern, self.replacement, max_replacements=self.most)
        if self.unmatched != "keep":
            hidden = pa.scalar("***" if self.unmatched == "hide" else None, pa.string())
            # a find put back as it was, or an empty one, hides nothing
            found = pc.fill_null(pc.not_equal(result, values), True)
            result = pc.if_else(found, result, hidden)
        return result if self.length is None else pc.utf8_slice_codeunits(result, 0, self.length)


def _reason(error: Exception) -> str:
    return str(error).split("\n")[0].removeprefix("Invalid regular expression: ")
