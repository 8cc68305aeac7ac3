"""`card`: numbers of payment cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash, UInt64
from masking.permutation import Permutation
from masking.transformers.base import Context, Rows
from masking.transformers.iban import written_like
from masking.transformers.lengths import text_column
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.errors import nearest
from schemas.types import TEXTS

RANGES = ("test", "brand")
# brand, how its numbers begin (ISO/IEC 7812 ranges, as the schemes publish them), the beginning of the number that it gives for tests
BRANDS: tuple[tuple[str, str, str], ...] = (
    ("amex", r"^3[47]", "378282"),
    ("diners", r"^3(?:0[0-5]|[689])", "305693"),
    ("jcb", r"^35(?:2[89]|[3-8])", "353011"),
    ("maestro", r"^(?:50|5[6-9]|6(?:304|7))", "675964"),
    ("mastercard", r"^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))", "555555"),
    ("discover", r"^6(?:011|4[4-9]|5)", "601111"),
    ("unionpay", r"^62", "620000"),
    ("visa", r"^4", "411111"),
    ("other", r"^", ""),  # no numbers for tests are known
)
_IIN = 6
_SHORTEST, _LONGEST = 12, 19


@dataclass(frozen=True)
class Card:
    """A number of the same brand and length with a right check digit (Luhn, ISO/IEC 7812-1), written with the same separators.

    From `range: test` it begins as the brand's numbers for tests do, and can be nobody's; different numbers may then get one
    pseudonym, once in 10^9 / 2 pairs. From `range: brand`, which is taken in unique columns, all digits behind the brand's
    are permuted, one to one. What was no valid number is none afterwards, permuted within its format.
    """

    name: ClassVar[str] = "card"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    range: Literal["test", "brand"] | None = parameter("where numbers come from", default=None)

    def bind(self, context: Context) -> _Cards:
        """Raises TransformerUnfit for other columns than texts, an unknown range, and `range: test` in a unique column."""
        where = text_column(context, self.name)
        if self.range not in (None, *RANGES):
            raise TransformerUnfit(f"{where}: `range` is {' or '.join(RANGES)}, not '{self.range}'{nearest(str(self.range), RANGES)}")
        if self.range == "test" and context.unique:
            raise TransformerUnfit(
                f"{where}: the column is unique, and numbers picked from the range for tests may collide; take `range: brand`"
            )
        test = self.range != "brand" and not context.unique
        key = KeyedHash(context.key.derive(f"card/{context.domain}"))
        return _Cards(key, FormatPermutation(key), test)


@dataclass(frozen=True)
class _Cards:
    key: KeyedHash
    others: FormatPermutation
    test: bool
    permutations: dict[tuple[str, int], Permutation] = field(default_factory=dict)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        distinct = values.dictionary_encode()
        texts = distinct.dictionary
        bare = pc.replace_substring_regex(texts, r"[\s.\-]+", "")
        brands = _brands(bare)
        masked = np.array(bare.to_pylist(), object)
        for brand in range(len(BRANDS)):
            for length in range(_SHORTEST, _LONGEST + 1):
                here = np.flatnonzero(brands == brand * (_LONGEST + 1) + length)
                if len(here):
                    masked[here] = self._numbers(brand, length, bare.take(pa.array(here)))
        others = np.flatnonzero(brands < 0)
        if len(others):
            masked[others] = walk(
                bare.take(pa.array(others)), self.others.apply, lambda numbers: np.minimum(_brands(numbers), 0)
            ).to_pylist()
        written = [written_like(new, old) for new, old in zip(masked.tolist(), texts.to_pylist())]
        return pa.array(written, pa.string()).take(distinct.indices)

    def _numbers(self, brand: int, length: int, numbers: pa.Array) -> list[str]:
        name, _, head = BRANDS[brand]
        bodies = [number[:-1] for number in numbers.to_pylist()]
        if self.test and head:
            words = self.key.words(numbers)[0] % np.uint64(10 ** (length - 1 - _IIN))
            return [_checked(head + f"{word:0{length - 1 - _IIN}d}", body) for word, body in zip(words.tolist(), bodies)]
        if (name, length) not in self.permutations:
            self.permutations[name, length] = Permutation(self.key, f"{name}|{length}", 10 ** (length - 2))
        permutation = self.permutations[name, length]
        firsts = [body[0] for body in bodies]
        places: UInt64 = np.array([int(body[1:]) for body in bodies], np.uint64)
        pending = np.arange(len(places))
        while len(pending):
            places[pending] = permutation.numbers(places[pending])
            new = [_with_check(firsts[i] + f"{places[i]:0{length - 2}d}") for i in pending.tolist()]
            pending = pending[_brands(pa.array(new, pa.string())) != brand * (_LONGEST + 1) + length]
        return [_with_check(first + f"{place:0{length - 2}d}") for first, place in zip(firsts, places.tolist())]


def _with_check(body: str) -> str:
    from stdnum import luhn

    return f"{body}{luhn.calc_check_digit(body)}"


def _checked(body: str, original: str) -> str:
    """The body with its check digit, or the next body where this one is the original's."""
    if body == original:
        body = body[:-1] + str((int(body[-1]) + 1) % 10)
    return _with_check(body)


def _brands(numbers: pa.Array) -> npt.NDArray[np.int64]:
    """The brand (its place, times 20) and length of every valid number; -1 for others."""
    from stdnum import luhn

    well_formed = pc.match_substring_regex(numbers, rf"^[0-9]{{{_SHORTEST},{_LONGEST}}}$").fill_null(False).to_numpy(zero_copy_only=False)
    result = np.full(len(numbers), -1, np.int64)
    lengths = pc.utf8_length(numbers).fill_null(0).cast(pa.int64()).to_numpy()
    for place, (_, pattern, _) in reversed(list(enumerate(BRANDS))):
        matching = pc.match_substring_regex(numbers, pattern).fill_null(False).to_numpy(zero_copy_only=False)
        result = np.where(matching & well_formed, place * (_LONGEST + 1) + lengths, result)
    candidates = np.flatnonzero(result >= 0)
    right = [luhn.is_valid(number) for number in numbers.take(pa.array(candidates)).to_pylist()]
    result[candidates[~np.array(right, np.bool_)]] = -1
    return result
