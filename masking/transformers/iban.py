"""`iban`: international bank account numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash
from masking.transformers.base import Context, Rows
from masking.transformers.lengths import text_column
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.errors import InputError
from schemas.types import TEXTS

_HEAD = 4


@dataclass(frozen=True)
class Iban:
    """Another IBAN of the same country with right check digits, one to one: its bank and account permuted within their format.

    Spaces between groups, and the case, stay as they are; `keep` leaves so many characters behind the check digits, such as
    those of the bank. What was no valid IBAN (by python-stdnum, the check digits of a country's own among it) is none afterwards.
    """

    name: ClassVar[str] = "iban"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    keep: int = parameter("how many characters behind the check digits stay", default=0, least=0)

    def bind(self, context: Context) -> _Ibans:
        """Raises TransformerUnfit for other columns than texts."""
        where = text_column(context, self.name)
        if self.keep < 0:
            raise TransformerUnfit(f"{where}: `keep` counts the characters that stay and cannot be {self.keep}")
        _stdnum()
        return _Ibans(FormatPermutation(KeyedHash(context.key.derive(f"iban/{context.domain}"))), self.keep)


@dataclass(frozen=True)
class _Ibans:
    permutation: FormatPermutation
    keep: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        distinct = values.dictionary_encode()
        bare = pc.utf8_upper(pc.replace_substring_regex(distinct.dictionary, r"[\s.\-]+", ""))
        valid = _valid(bare)
        masked = self._walked(bare, valid)
        written = [written_like(new, old) for new, old in zip(masked.to_pylist(), distinct.dictionary.to_pylist())]
        return pa.array(written, pa.string()).take(distinct.indices)

    def _walked(self, bare: pa.Array, valid: npt.NDArray[np.int64]) -> pa.Array:
        right, wrong = np.flatnonzero(valid), np.flatnonzero(valid == 0)
        accounts = walk(bare.take(pa.array(right)), self._permuted, _valid)
        others = walk(bare.take(pa.array(wrong)), self.permutation.apply, _valid)  # the country too: it may be none
        back = np.empty(len(bare), np.int64)
        back[np.concatenate([right, wrong])] = np.arange(len(bare))
        return pa.concat_arrays([accounts, others]).take(pa.array(back))

    def _permuted(self, numbers: pa.Array) -> pa.Array:
        """Permute the account behind what is kept, and compute the check digits anew; the country's own are left to the walk."""
        heads = pc.utf8_slice_codeunits(numbers, 0, 2)
        kept = pc.utf8_slice_codeunits(numbers, _HEAD, _HEAD + self.keep)
        accounts = pc.binary_join_element_wise(kept, self.permutation.apply(pc.utf8_slice_codeunits(numbers, _HEAD + self.keep)), "")
        return pa.array([_checked(head, account) for head, account in zip(heads.to_pylist(), accounts.to_pylist())], pa.string())


def _checked(country: str, account: str) -> str:
    iban = _stdnum()
    return f"{country}{iban.calc_check_digits(f'{country}00{account}')}{account}"


def _valid(numbers: pa.Array) -> npt.NDArray[np.int64]:
    is_valid = _stdnum().is_valid
    return np.array([text is not None and is_valid(text) for text in numbers.to_pylist()], np.int64)


def written_like(new: str | None, old: str | None) -> str | None:
    """Return `new` with the separators of `old`, and in lower case where that is."""
    if new is None or old is None:
        return None
    letters = iter(new)
    text = new if len(new) == len(old) else "".join(next(letters, "") if c.isalnum() else c for c in old)
    return text.lower() if old.islower() else text


def _stdnum() -> Any:
    try:
        from stdnum import iban
    except ImportError:
        raise InputError("IBANs need python-stdnum; it comes with `pip install 'companyos-data[pii]'`") from None
    return iban
