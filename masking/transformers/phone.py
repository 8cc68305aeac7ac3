"""`phone`: telephone numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import validity
from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation, code_points, texts_from
from masking.keyed import KeyedHash, UInt64, pick
from masking.octets import before
from masking.permutation import Belong, Permutation
from masking.transformers.base import Context, Rows
from masking.transformers.digits import Digits, digits_of
from masking.transformers.lengths import longest, text_column
from masking.transformers.number_plan import BEGINNING, LONGEST, NumberPlan, PlannedNumbers, number_plan, phonenumbers_library
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.errors import followed, nearest
from schemas.types import TEXTS

Int64 = npt.NDArray[np.int64]

# numbers that the authorities keep for films and documentation: how they begin after the country's code, and how many digits follow
FICTIONAL: dict[str, tuple[tuple[str, int], ...]] = {
    "US": tuple((f"{area}55501", 2) for area in (201, 212, 213, 305, 312, 404, 415, 503, 512, 617, 702, 713, 808, 907)),  # NANPA 555-01xx
    "CA": tuple((f"{area}55501", 2) for area in (204, 403, 416, 514, 604, 902)),
    "GB": (("7700900", 3), ("2079460", 3), ("1632960", 3), ("1134960", 3), ("1614960", 3), ("1314960", 3)),  # Ofcom, numbers for drama use
    "FR": (("19900", 4), ("26191", 4), ("35301", 4), ("46571", 4), ("53649", 4), ("63998", 4)),  # Arcep, decision 2009-0637
    "DE": (("3023125", 3), ("6990009", 3), ("4066969", 3), ("2214710", 3), ("8999998", 3)),  # Bundesnetzagentur, Drama Numbers
    "SE": (("313900", 3), ("8465004", 2), ("7017406", 2)),  # PTS, numbers for fiction
}
_SHOWN = 5  # digits that tell the country: two zeros and a code of three
_ASCII, _LETTERS = 127, 26
_BETWEEN = r"[^\p{N}\p{L}]*"


@dataclass(frozen=True)
class Phone:
    """A number of the same country, length and notation: its digits behind the country's code permuted, one to one.

    What the number plan (phonenumbers' patterns) calls a mobile number, a fixed one or another valid one is so still, and what is
    not valid is not. `keep` leaves so many digits behind the country's code, such as those of an area, where more follow. Numbers
    without `+` belong to `country`, or to that of the locale. With `fictional` it is one of the few numbers that are kept for films,
    written in the international way, for the countries that have such. Letters beside the digits, and digits of other scripts, are
    permuted too; texts with none of these stay.
    """

    name: ClassVar[str] = "phone"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    country: str | None = parameter("whose numbers without `+` are, such as `DE`", default=None)
    keep: int = parameter("how many digits behind the country's code stay", default=0, least=0)
    fictional: bool = parameter("take numbers that are kept for films", default=False)

    def bind(self, context: Context) -> _Permuted | _Fictional:
        """Raises TransformerUnfit for other columns than texts, unknown countries, and unique columns with more values than there are."""
        where = text_column(context, self.name)
        if self.keep < 0:
            raise TransformerUnfit(f"{where}: `keep` counts the digits that stay and cannot be {self.keep}")
        regions = phonenumbers_library().SUPPORTED_REGIONS
        country = self.country or context.locale.partition("_")[2] or "US"
        if country not in regions:
            raise TransformerUnfit(
                f"{where}: there is no number plan of '{country}'{followed(nearest(country, sorted(regions)), 'set `country`')}"
            )
        key = KeyedHash(context.key.derive(f"phone/{context.domain}"))
        if not self.fictional:
            return _Permuted(key, FormatPermutation(key), country, self.keep)
        if country not in FICTIONAL:
            raise TransformerUnfit(f"{where}: {country} keeps no numbers for fiction; there are some in {', '.join(FICTIONAL)}")
        size = sum(10**digits for _, digits in FICTIONAL[country])
        if context.unique:
            need = "its values" if context.distinct is None else f"its {context.distinct} values"
            raise TransformerUnfit(
                f"{where}: the column is unique, and {need} cannot stay apart among {size} fictional numbers of {country}"
            )
        if longest(context.column.type) < _fictional_length(country):
            raise TransformerUnfit(f"{where}: a {context.column.type} is too short for a number of {_fictional_length(country)} characters")
        return _Fictional(key, country, size)


@dataclass(frozen=True)
class _Permuted:
    key: KeyedHash
    others: FormatPermutation
    country: str
    keep: int
    permutations: dict[tuple[int, int, int], Permutation] = field(default_factory=dict)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        numbers = _Numbers.of(values)
        prefixes = self._prefixes(numbers)
        left = numbers.valid.copy()
        as_texts = [np.zeros(0, np.int64)]
        masked: list[pa.Array] = []
        for (code, head), here in _groups(prefixes):
            lengths = numbers.digits.counts[here] - head
            for length in _different(lengths):
                if length <= LONGEST:
                    some = here[lengths == length] if len(here) > 1 else here
                    left[self._masked_as_numbers(numbers, some, code, head, length)] = False
            rest = here[left[here]]
            if len(rest):
                as_texts.append(rest)
                masked.append(self._walked_as_texts(values.take(pa.array(rest)), code, head))
        result = numbers.digits.texts()
        if not masked:
            return result
        places = np.concatenate(as_texts)
        mask = np.zeros(len(values), np.bool_)
        mask[places] = True
        return pc.replace_with_mask(result, pa.array(mask), pa.concat_arrays(masked).take(pa.array(np.argsort(places))))

    def _masked_as_numbers(self, numbers: _Numbers, rows: Int64, code: int, head: int, length: int) -> Int64:
        """Exchange the digits behind `head`, which are as many for all of some rows; return the rows for which this could be done."""
        plan = number_plan(code)
        national = numbers.digits.numbers(rows, head, length)
        kinds = np.zeros(len(rows), np.int64)
        if not self.keep:
            kinds = plan.usual(np.where(numbers.more[rows], 0, plan.kinds_of(national, length)), national, length)
        for kind in _different(kinds):
            if not kind:
                continue
            here = kinds == kind
            numbers.digits.write(rows[here], head, length, self._planned(national[here], code, plan, kind, length))
        other = np.flatnonzero((kinds == 0) & numbers.valid[rows] & ~numbers.more[rows])
        if length > self.keep and len(other):
            mapped = self._walked(numbers, rows[other], plan, (code, head), length)
            numbers.digits.write(rows[other], head + self.keep, length - self.keep, mapped)
            kinds[other] = -1
        done: Int64 = rows[kinds != 0]
        return done

    def _planned(self, national: UInt64, code: int, plan: NumberPlan, kind: int, length: int, belong: Belong | None = None) -> UInt64:
        """Numbers of one kind and length: permuted among those whose first digits are some of this kind, until they are of it.

        `belong` says which are, where that depends on more than the plan.
        """
        planned, key = PlannedNumbers(plan, kind, length), (code, kind, length)
        if key not in self.permutations:
            self.permutations[key] = Permutation(self.key, f"{code}|{kind}|{length}", planned.size)
        of_kind: Belong = belong or (lambda numbers, _: plan.kinds_of(numbers, length) == kind)
        return planned.at(self.permutations[key].numbers(planned.ranked(national), lambda found, rows: of_kind(planned.at(found), rows)))

    def _walked(self, numbers: _Numbers, rows: Int64, plan: NumberPlan, prefix: tuple[int, int], length: int) -> UInt64:
        """Other numbers: permuted until they are of no kind that the plan knows, or of their own where some digits stay.

        Returns the digits behind those that stay, of texts without letters that have `length` digits behind the country's code.
        """
        code, head = prefix
        begins, kept, free = (
            numbers.digits.numbers(rows, first, count)
            for first, count in ((0, head), (head, self.keep), (head + self.keep, length - self.keep))
        )
        plus = numbers.plus[rows]
        # behind a plus and the code of a country anything may stand; other beginnings might turn into that of another country
        may_turn = ~(plus & (begins == code) & (head == len(str(code))))
        counts = np.full(len(rows), head + length)

        def classify(free: UInt64, places: Int64, kinds: Int64 | None = None) -> Int64:
            whole = kept[places] * np.uint64(10 ** (length - self.keep)) + free if self.keep else free
            if kinds is None:
                kinds = plan.kinds_of(whole, length)
                if not self.keep:
                    kinds = plan.usual(kinds, whole, length)
            turning = np.flatnonzero(may_turn[places])
            if len(turning):
                shown = min(_SHOWN, head + length)
                first = begins[places[turning]]
                if shown > head:
                    first = first * np.uint64(10 ** (shown - head)) + whole[turning] // np.uint64(10 ** (length - shown + head))
                else:
                    first = first // np.uint64(10 ** (head - shown))
                found = self._prefixes_of(plus[places[turning]], counts[places[turning]], first)
                kinds[turning[(found != prefix).any(axis=1)]] = -1
            return kinds

        # where no digits stay, these are of no kind, as has been seen
        wanted = classify(free, np.arange(len(free)), None if self.keep else np.zeros(len(free), np.int64))

        def belong(found: UInt64, places: Int64) -> npt.NDArray[np.bool_]:
            belonging: npt.NDArray[np.bool_] = classify(found, places) == wanted[places]
            return belonging

        if not self.keep and length >= BEGINNING:
            return self._planned(free, code, plan, 0, length, belong)
        return self.others.of_digits(length - self.keep).numbers(free, belong)

    def _walked_as_texts(self, texts: pa.Array, code: int, head: int) -> pa.Array:
        left = pc.match_substring_regex(
            texts, rf"^{_BETWEEN}(?:[0-9]{_BETWEEN}){{{head + self.keep}}}[\p{{N}}\p{{L}}]|[^\P{{N}}0-9]|\p{{L}}"
        )
        short = np.flatnonzero(~left.fill_null(True).to_numpy(zero_copy_only=False))
        masked = self._walked_behind(texts, code, head, self.keep)
        if self.keep and len(short):
            # of numbers that would be kept whole no digits are kept
            mask = np.zeros(len(texts), np.bool_)
            mask[short] = True
            whole = self._walked_behind(texts.take(pa.array(short)), code, head, 0)
            masked = pc.replace_with_mask(masked, pa.array(mask), whole)
        return masked

    def _walked_behind(self, texts: pa.Array, code: int, head: int, keep: int) -> pa.Array:
        # letters and digits of other scripts are none of the digits that are kept, nor before them
        split = rf"^(?P<head>{_BETWEEN}(?:[0-9]{_BETWEEN}){{0,{head + keep}}})"

        def begins(numbers: pa.Array) -> pa.Array:
            return pc.struct_field(pc.extract_regex(numbers, split), "head")

        def permute(numbers: pa.Array) -> pa.Array:
            return self._permuted_but(numbers, _lengths(begins(numbers)), head)

        def classify(numbers: pa.Array) -> Int64:
            found = _Numbers.of(numbers)
            # where letters stand before what would be kept, no plan tells what the number is
            none = _lengths(digits_of(begins(numbers))) <= head if keep else found.more
            kinds = np.where(none, 0, found.kinds(number_plan(code), head, usual=not keep))
            # what begins as a number of another country is none of these
            return np.where((self._prefixes(found) == (code, head)).all(axis=1), kinds, -1)

        return walk(texts, permute, classify)

    def _permuted_but(self, texts: pa.Array, stay: Int64, digits: int) -> pa.Array:
        """Permute all but the first `stay` characters of each text and its first `digits` ASCII digits.

        These are the country's code, which may stand behind letters (`tel:+49 30`); hardly any others would be of that country.
        """
        points, ends = code_points(texts)
        lengths = np.diff(ends)
        place = np.arange(len(points)) - np.repeat(ends[:-1], lengths)
        digit = points - np.uint32(ord("0")) < 10  # what is less wraps around
        before = np.concatenate([[0], np.cumsum(digit)])
        rank = before[:-1] - np.repeat(before[ends[:-1]], lengths)
        free = (place >= np.repeat(stay, lengths)) & ~(digit & (rank < digits))
        free_before = np.concatenate([[0], np.cumsum(free)])
        points[free] = code_points(self.others.apply(texts_from(points[free], free_before[ends], None)))[0]
        return texts_from(points, ends, validity(texts))

    def _prefixes(self, numbers: _Numbers) -> Int64:
        """The country's code of each number, and how many of its digits come before the national number."""
        counts = numbers.digits.counts
        first = np.zeros(len(counts), np.uint64)
        for count in range(1, _SHOWN + 1):
            some = np.flatnonzero(counts == count if count < _SHOWN else counts >= count)
            first[some] = numbers.digits.numbers(some, 0, count)
        return self._prefixes_of(numbers.plus, counts, first)

    def _prefixes_of(self, plus: npt.NDArray[np.bool_], counts: Int64, first: UInt64) -> Int64:
        """The same of numbers that have so many digits, begin with a plus or do not, and of which these are the first five digits."""
        known = phonenumbers_library().COUNTRY_CODE_TO_REGION_CODE
        own, trunk = _own(self.country)
        shown = np.minimum(counts, _SHOWN)
        different = pa.array((plus * (_SHOWN + 1) + shown) * 10**_SHOWN + first.view(np.int64)).dictionary_encode()
        found = []
        for key in different.dictionary.to_pylist():
            form, number = divmod(key, 10**_SHOWN)
            international, count = divmod(form, _SHOWN + 1)
            begin = f"{number:0{count}d}" if count else ""
            away = begin if international else begin[2:] if begin.startswith("00") else ""
            code = next((int(away[:n]) for n in range(1, len(away) + 1) if int(away[:n]) in known), None)
            if code is None:
                found.append((own, len(trunk) if trunk and not international and begin.startswith(trunk) else 0))
            else:
                found.append((code, len(str(code)) + (0 if international else 2)))
        prefixes: Int64 = np.array(found, np.int64).reshape(-1, 2)[different.indices.to_numpy()]
        return prefixes


@dataclass(frozen=True)
class _Numbers:
    """Texts that are read as telephone numbers: their digits, and what else there is in them.

    `plus` says whether a plus stands before the first digit, `more` whether there are letters, or digits of other scripts.
    """

    digits: Digits
    valid: npt.NDArray[np.bool_]
    plus: npt.NDArray[np.bool_]
    more: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, texts: pa.Array) -> _Numbers:
        digits = Digits.of(texts)
        signs, within = digits.octets[digits.signs], digits.signs_begin
        first = digits.offsets[1:].astype(np.int64)
        some = np.flatnonzero(digits.counts)
        first[some] = digits.places[digits.begins[some]]
        pluses = before(signs == ord("+"))
        # before the first digit there are signs alone
        plus = pluses[first - digits.begins[:-1]] != pluses[within[:-1]]
        valid = pc.is_valid(texts).to_numpy(zero_copy_only=False)
        more = np.zeros(len(texts), np.bool_)
        letter, foreign = (signs | np.uint8(32)) - np.uint8(ord("a")) < _LETTERS, signs > _ASCII
        if letter.any() or foreign.any():
            letters, wide = before(letter)[within], before(foreign)[within]
            more = letters[:-1] != letters[1:]
            others = np.flatnonzero((wide[:-1] != wide[1:]) & ~more)
            if len(others):
                found = pc.match_substring_regex(texts.take(pa.array(others)), r"\p{L}|[^\P{N}0-9]")
                more[others] = found.fill_null(False).to_numpy(zero_copy_only=False)
        return cls(digits, valid, plus, more)

    def kinds(self, plan: NumberPlan, head: int, usual: bool) -> Int64:
        """What a plan calls the numbers behind their first `head` digits."""
        lengths = self.digits.counts - head
        kinds = np.zeros(len(lengths), np.int64)
        for length in _different(lengths[(lengths >= 0) & (lengths <= LONGEST)]):
            here = np.flatnonzero(lengths == length)
            national = self.digits.numbers(here, head, length)
            found = plan.kinds_of(national, length)
            kinds[here] = plan.usual(found, national, length) if usual else found
        return kinds


@dataclass(frozen=True)
class _Fictional:
    key: KeyedHash
    country: str
    size: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        digits = digits_of(values)
        prefixes = FICTIONAL[self.country]
        numbers = [f"+{_own(self.country)[0]}{begin}{i:0{digits_}d}" for begin, digits_ in prefixes for i in range(10**digits_)]
        pool = pa.array(numbers)
        chosen = pick(self.key.words(digits)[0], self.size)
        masked = pool.take(pa.array(chosen))
        same = pc.equal(digits_of(masked), digits).fill_null(False)
        masked = pc.if_else(same, pool.take(pa.array((chosen + 1) % self.size)), masked)
        return pc.if_else(pc.or_(pc.equal(digits, ""), pc.is_null(values)), values, masked)


def _groups(labels: Int64) -> Iterator[tuple[tuple[int, int], Int64]]:
    """The different rows of `labels` (two columns of numbers from 0), and where each stands."""
    width = int(labels[:, 1].max(initial=0)) + 1
    joined = labels[:, 0] * width + labels[:, 1]
    for label in _different(joined):
        yield divmod(label, width), np.flatnonzero(joined == label)


def _different(numbers: Int64) -> list[int]:
    """The different ones of small numbers, sorted; negative ones are passed over."""
    least = int(numbers.min(initial=0))
    return np.flatnonzero(np.bincount(numbers if least == 0 else numbers[numbers >= 0])).tolist()


def _lengths(texts: pa.Array) -> Int64:
    """The characters of each text; 0 where it is null."""
    lengths: Int64 = pc.utf8_length(texts).fill_null(0).cast(pa.int64()).to_numpy()
    return lengths


def _own(country: str) -> tuple[int, str]:
    """The code of a country, and the digits that come before its national numbers when they are called from within."""
    phonenumbers = phonenumbers_library()
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
    return phonenumbers.country_code_for_region(country), plan.national_prefix or ""


def _fictional_length(country: str) -> int:
    return 1 + len(str(_own(country)[0])) + max(len(begin) + digits for begin, digits in FICTIONAL[country])
