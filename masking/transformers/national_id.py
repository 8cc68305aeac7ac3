"""`national_id`: the numbers by which states know people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash, UInt64
from masking.national_ids import NEVER_ISSUED, PLANS, Plan
from masking.permutation import Permutation
from masking.transformers.base import Context, Rows
from masking.transformers.iban import written_like
from masking.transformers.lengths import text_column
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.errors import followed, nearest
from schemas.types import TEXTS


@dataclass(frozen=True)
class NationalId:
    """Another number of the same country with right check digits, one to one, written with the same separators.

    `country` is that of the locale unless it is given; a birth date in a number becomes another date. With `never_issued` it is one
    of a range from which no numbers are given, where the country has such (US, FI, GB); two numbers may then get one pseudonym.
    What is no number of the country becomes another text of its format that is none.
    """

    name: ClassVar[str] = "national_id"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    country: str | None = parameter("whose numbers they are, such as `DE`; the locale's where it is left out", default=None)
    never_issued: bool = parameter("take numbers that are given to nobody", default=False)

    def bind(self, context: Context) -> _NationalIds:
        """Raises TransformerUnfit for other columns than texts, unknown countries, and `never_issued` where there is no such range."""
        where = text_column(context, self.name)
        country = self.country or context.locale.partition("_")[2]
        if country not in PLANS:
            hint = followed(nearest(country, PLANS), f"there are {', '.join(PLANS)}; mask others by `code`")
            raise TransformerUnfit(f"{where}: the national numbers of '{country}' are not known{hint}")
        if self.never_issued and country not in NEVER_ISSUED:
            raise TransformerUnfit(f"{where}: {country} has no range of numbers that are never issued; {', '.join(NEVER_ISSUED)} have one")
        if self.never_issued and context.unique:
            size, need = NEVER_ISSUED[country].size, "its values" if context.distinct is None else f"its {context.distinct} values"
            raise TransformerUnfit(
                f"{where}: the column is unique, and {need} cannot be kept apart among {size} numbers; leave out `never_issued`"
            )
        key = KeyedHash(context.key.derive(f"national_id/{context.domain}/{country}"))
        return _NationalIds(key, FormatPermutation(key), country, self.never_issued)


@dataclass(frozen=True)
class _NationalIds:
    key: KeyedHash
    others: FormatPermutation
    country: str
    never_issued: bool
    permutations: dict[int, Permutation] = field(default_factory=dict)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        distinct = values.dictionary_encode()
        texts = distinct.dictionary.to_pylist()
        bare = pc.utf8_upper(pc.replace_substring_regex(distinct.dictionary, r"[\s]+" if self.country == "FI" else r"[\s./+\-]+", ""))
        found = self._ranked(bare)
        masked = np.array(bare.to_pylist(), object)
        for number, plan in enumerate(PLANS[self.country]):
            here = [i for i, (which, _) in enumerate(found) if which == number]
            if here:
                masked[here] = self._written(number, plan, [found[i][1] for i in here], bare.take(pa.array(here, pa.int64())))
        rest = np.array([i for i, (which, _) in enumerate(found) if which < 0], np.int64)
        if len(rest):
            unranked = bare.take(pa.array(rest))
            masked[rest] = walk(unranked, self.others.apply, self._known).to_pylist()
        return pa.array([written_like(new, old) for new, old in zip(masked.tolist(), texts)], pa.string()).take(distinct.indices)

    def _ranked(self, numbers: pa.Array) -> list[tuple[int, int]]:
        """Which plan each number is of, and where in it; -1 for none."""
        found = []
        for text in numbers.to_pylist():
            ranks = ((i, plan.rank(text)) for i, plan in enumerate(PLANS[self.country]) if text)
            found.append(next(((i, rank) for i, rank in ranks if rank is not None), (-1, 0)))
        return found

    def _known(self, numbers: pa.Array) -> npt.NDArray[np.int64]:
        return np.array([which >= 0 for which, _ in self._ranked(numbers)], np.int64)

    def _written(self, number: int, plan: Plan, ranks: list[int], numbers: pa.Array) -> list[str]:
        if self.never_issued:
            plan = NEVER_ISSUED[self.country]
            ranks = [word % plan.size for word in self.key.words(numbers)[0].tolist()]
        permutation = self.permutations.setdefault(number, Permutation(self.key, f"plan {number}", plan.size))
        right = permutation.right
        left_half: UInt64 = np.array([rank // right for rank in ranks], np.uint64)
        right_half: UInt64 = np.array([rank % right for rank in ranks], np.uint64)
        written: list[str] = [""] * len(ranks)
        pending = np.arange(len(ranks))
        while len(pending):
            left_half[pending], right_half[pending] = permutation.apply(left_half[pending], right_half[pending])
            new = [plan.write(a * right + b) for a, b in zip(left_half[pending].tolist(), right_half[pending].tolist())]
            for i, text in zip(pending.tolist(), new):
                written[i] = text or ""
            pending = pending[[text is None for text in new]]
        return written
