"""`code`: a pseudonym of the same format for ids and codes, one to one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash
from masking.transformers.base import Context, Masker, Rows
from masking.transformers.hashed import Hash
from masking.transformers.integers import IntegerPermutation
from masking.transformers.parameters import parameter
from schemas.types import INTEGERS, TEXTS, SqlType

_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


@dataclass(frozen=True)
class Code:
    """A keyed permutation of all texts of one format: `AB-1234-XY` becomes `KR-7099-VO`, and what was unique stays unique.

    Letters stay letters of their case and script, digits stay digits, all else stands as it is; `keep` leaves that many
    characters at the beginning of texts that have letters or digits behind them, `digits_only` leaves all letters. Integers keep
    their sign and the number of their digits (and of the bytes that they need); uuids, as such or as text, become uuids of
    version 4. Empty texts, and such as have neither letters nor digits, stay. Texts and integers are permuted apart: where a domain
    has both, `hash: {form: integer}` makes them agree.
    """

    name: ClassVar[str] = "code"
    fits: ClassVar[tuple[str, ...]] = (*TEXTS, *INTEGERS, "numeric", "uuid")

    keep: int = parameter("how many characters at the beginning stay", default=0, least=0)
    digits_only: bool = parameter("leave the letters as they are", default=False)

    def bind(self, context: Context) -> Masker:
        """Raises TransformerUnfit for types other than texts, integers, numerics without decimals and uuids."""
        kind, where = context.column.type.kind, f"{context.table.name}.{context.column.name}"
        if self.keep < 0:
            raise TransformerUnfit(f"{where}: `keep` counts the characters that stay and cannot be {self.keep}")
        if (self.keep or self.digits_only) and kind not in TEXTS:
            raise TransformerUnfit(f"{where}: `keep` and `digits_only` are for texts, and the column is {context.column.type}")
        if kind == "uuid":
            return Hash("uuid").bind(context)
        if kind in INTEGERS or (kind == "numeric" and not context.column.type.scale):
            return _Integers(IntegerPermutation(KeyedHash(context.key.derive(f"code/{context.domain}/integers")), widths=True))
        if kind not in TEXTS:
            raise TransformerUnfit(f"{where}: `code` is for texts, integers and uuids, and a {context.column.type} is none")
        key = KeyedHash(context.key.derive(f"code/{context.domain}"))
        # a column that is too short for uuids has none
        uuids = Hash("uuid").bind(replace(context, column=replace(context.column, type=SqlType("text"))))
        return _Texts(FormatPermutation(key, digits_only=self.digits_only), uuids, self.keep)


@dataclass(frozen=True)
class _Integers:
    permutation: IntegerPermutation

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        return self.permutation.apply(values)


@dataclass(frozen=True)
class _Texts:
    permutation: FormatPermutation
    uuids: Masker
    keep: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        uuids = pc.match_substring_regex(values, _UUID).fill_null(False)
        if pc.any(uuids).as_py():
            others = self._permuted(pc.if_else(uuids, pa.scalar(None, pa.string()), values))
            return pc.if_else(uuids, self.uuids.apply(values, rows), others)
        return self._permuted(values)

    def _permuted(self, values: pa.Array) -> pa.Array:
        if not self.keep:
            return self.permutation.apply(values)
        kept, rest = pc.utf8_slice_codeunits(values, 0, self.keep), pc.utf8_slice_codeunits(values, self.keep)
        masked = pc.binary_join_element_wise(kept, self.permutation.apply(rest), "")
        # what has neither letters nor digits behind the kept ones would be kept whole; its format tells it from all others
        whole = pc.invert(pc.match_substring_regex(rest, r"[\p{L}\p{N}]")).fill_null(False)
        if not pc.any(whole).as_py():
            return masked
        return pc.if_else(whole, self.permutation.apply(pc.if_else(whole, values, pa.scalar(None, pa.string()))), masked)
