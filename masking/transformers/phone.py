"""`phone`: telephone numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import validity
from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation, code_points, texts_from
from masking.keyed import KeyedHash, UInt64, pick
from masking.permutation import Permutation
from masking.transformers.base import Context, Rows
from masking.transformers.digits import digits_of, with_digits
from masking.transformers.lengths import longest, text_column
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.errors import InputError, nearest
from schemas.types import TEXTS

# numbers that the authorities keep for films and documentation: how they begin after the country's code, and how many digits follow
FICTIONAL: dict[str, tuple[tuple[str, int], ...]] = {
    "US": tuple((f"{area}55501", 2) for area in (201, 212, 213, 305, 312, 404, 415, 503, 512, 617, 702, 713, 808, 907)),  # NANPA 555-01xx
    "CA": tuple((f"{area}55501", 2) for area in (204, 403, 416, 514, 604, 902)),
    "GB": (("7700900", 3), ("2079460", 3), ("1632960", 3), ("1134960", 3), ("1614960", 3), ("1314960", 3)),  # Ofcom, numbers for drama use
    "FR": (("19900", 4), ("26191", 4), ("35301", 4), ("46571", 4), ("53649", 4), ("63998", 4)),  # Arcep, decision 2009-0637
    "DE": (("3023125", 3), ("6990009", 3), ("4066969", 3), ("2214710", 3), ("8999998", 3)),  # Bundesnetzagentur, Drama Numbers
    "SE": (("313900", 3), ("8465004", 2), ("7017406", 2)),  # PTS, numbers for fiction
}
_MAX_CODE = 3
_FIRST = 4
_TRIED = 50
_LONGEST = 17
_BETWEEN = r"[^\p{N}\p{L}]*"
_PLAIN = r"^[\x00-@\[-`{-\x7F]*$"  # ASCII without letters
_PLUS = r"^[^0-9]*\+"


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
        regions = _phonenumbers().SUPPORTED_REGIONS
        country = self.country or context.locale.partition("_")[2] or "US"
        if country not in regions:
            raise TransformerUnfit(f"{where}: there is no number plan of '{country}'{nearest(country, sorted(regions))}; set `country`")
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
    plans: dict[tuple[int, int, int], Permutation] = field(default_factory=dict)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        parts, order = [], []
        for (code, head), here in _groups(self._prefixes(values)):
            texts = values.take(pa.array(here))
            for (kind, length), inside in _groups(_classes(texts, head, code, self.keep)):
                some = texts.take(pa.array(inside))
                masked = self._walked(some, code, head) if kind == 0 else self._planned(some, head, Plan(code, kind, length))
                parts.append(masked)
                order.append(here[inside])
        return _in_order(parts, order) if parts else values

    def _planned(self, texts: pa.Array, head: int, plan: Plan) -> pa.Array:
        """Valid numbers of one kind and length: permuted among those whose first digits are some of this kind."""
        size = plan.size
        if (plan.code, plan.kind, plan.length) not in self.plans:
            self.plans[plan.code, plan.kind, plan.length] = Permutation(self.key, f"{plan.code}|{plan.kind}|{plan.length}", size)
        permutation = self.plans[plan.code, plan.kind, plan.length]

        def belong(places: UInt64, _: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
            belonging: npt.NDArray[np.bool_] = _kinds(plan.written(places), plan.code) == plan.kind
            return belonging

        places = permutation.numbers(plan.ranked(pc.utf8_slice_codeunits(digits_of(texts), head)), belong)
        return with_digits(texts, plan.written(places), head)

    def _walked(self, texts: pa.Array, code: int, head: int) -> pa.Array:
        """Other numbers: permuted within their format until they are of no kind that the plan knows, or of their own where some stay."""
        lengths = _lengths(digits_of(texts)) - head
        plain = pc.match_substring_regex(texts, _PLAIN).fill_null(False).to_numpy(zero_copy_only=False)
        lengths = np.where(plain & (lengths > self.keep) & (lengths <= _LONGEST), lengths, 0)
        parts, order = [], []
        for (length, _), here in _groups(np.stack([lengths, np.zeros_like(lengths)], axis=1)):
            some = texts.take(pa.array(here))
            parts.append(self._walked_as_numbers(some, code, head, length) if length else self._walked_as_texts(some, code, head))
            order.append(here)
        return _in_order(parts, order) if parts else texts

    def _walked_as_numbers(self, texts: pa.Array, code: int, head: int, length: int) -> pa.Array:
        """The same for texts without letters that have `length` digits behind `head`: as whole numbers, which is faster."""
        digits = digits_of(texts)
        before, kept = pc.utf8_slice_codeunits(digits, 0, head), pc.utf8_slice_codeunits(digits, head, head + self.keep)
        plus = pc.match_substring_regex(texts, _PLUS)
        # behind a plus and the code of a country anything may stand; other beginnings might turn into that of another country
        may_turn = ~pc.and_(plus, pc.equal(before, str(code))).to_numpy(zero_copy_only=False)
        begins = pc.binary_join_element_wise(pc.if_else(plus, "+", ""), before, "")

        def national(numbers: UInt64, places: npt.NDArray[np.int64]) -> pa.Array:
            tail = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), length - self.keep, "0")
            return pc.binary_join_element_wise(kept.take(pa.array(places)), tail, "") if self.keep else tail

        def classify(numbers: UInt64, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
            written = national(numbers, places)
            kinds = _kinds(written, code) if self.keep else _usual(_kinds(written, code), written, code)
            turning = np.flatnonzero(may_turn[places])
            if len(turning):
                index = pa.array(turning)
                whole = pc.binary_join_element_wise(begins.take(pa.array(places[turning])), written.take(index), "")
                kinds[turning[(self._prefixes(whole) != (code, head)).any(axis=1)]] = -1
            return kinds

        numbers = pc.utf8_slice_codeunits(digits, head + self.keep).cast(pa.uint64()).to_numpy()
        wanted = classify(numbers, np.arange(len(numbers)))
        permutation = self.others.of_digits(length - self.keep)
        mapped = permutation.numbers(numbers, lambda numbers, places: classify(numbers, places) == wanted[places])
        return with_digits(texts, national(mapped, np.arange(len(mapped))), head)

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

        def classify(numbers: pa.Array) -> npt.NDArray[np.int64]:
            if keep:  # where letters stand before what would be kept, no plan tells what the number is
                told = _lengths(digits_of(begins(numbers))) > head
                kinds = np.where(told, _kinds(pc.utf8_slice_codeunits(digits_of(numbers), head), code), 0)
            else:
                kinds = _classes(numbers, head, code, 0)[:, 0]
            # what begins as a number of another country is none of these
            return np.where((self._prefixes(numbers) == (code, head)).all(axis=1), kinds, -1)

        return walk(texts, permute, classify)

    def _permuted_but(self, texts: pa.Array, stay: npt.NDArray[np.int64], digits: int) -> pa.Array:
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

    def _prefixes(self, values: pa.Array) -> npt.NDArray[np.int64]:
        """The country's code of each number, and how many of its digits come before the national number."""
        known = _phonenumbers().COUNTRY_CODE_TO_REGION_CODE
        own, trunk = _own(self.country)
        digits = pc.utf8_slice_codeunits(digits_of(values), 0, 2 + _MAX_CODE)
        plus = pc.match_substring_regex(values, _PLUS)
        begins = pc.if_else(plus, pc.binary_join_element_wise("+", digits, ""), digits).dictionary_encode()
        found = [(own, 0)]  # of nulls
        for begin in begins.dictionary.to_pylist():
            away = begin[1:] if begin.startswith("+") else begin[2:] if begin.startswith("00") else ""
            code = next((int(away[:n]) for n in range(1, len(away) + 1) if int(away[:n]) in known), None)
            if code is None:
                found.append((own, len(trunk) if trunk and begin.startswith(trunk) else 0))
            else:
                found.append((code, len(str(code)) + (0 if begin.startswith("+") else 2)))
        rows = begins.indices.cast(pa.int64()).fill_null(-1).to_numpy() + 1
        prefixes: npt.NDArray[np.int64] = np.array(found, np.int64)[rows]
        return prefixes


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


@dataclass(frozen=True)
class Plan:
    """The national numbers of one kind and length under a country's code: by their first digits, and any digits behind them."""

    code: int
    kind: int
    length: int

    @property
    def size(self) -> int:
        return len(_beginnings(self.code, self.kind, self.length)) * int(10**self.behind)

    @property
    def behind(self) -> int:
        """How many digits follow the first ones."""
        return max(self.length - _FIRST, 0)

    def ranked(self, national: pa.Array) -> UInt64:
        """The place of each number in the plan."""
        numbers = national.cast(pa.uint64()).to_numpy()
        first, rest = numbers // np.uint64(10**self.behind), numbers % np.uint64(10**self.behind)
        ranks = np.searchsorted(_beginnings(self.code, self.kind, self.length), first).astype(np.uint64)
        places: UInt64 = ranks * np.uint64(10**self.behind) + rest
        return places

    def written(self, places: UInt64) -> pa.Array:
        """The numbers at places of the plan, as digits."""
        first = _beginnings(self.code, self.kind, self.length)[(places // np.uint64(10**self.behind)).astype(np.int64)]
        numbers = first * np.uint64(10**self.behind) + places % np.uint64(10**self.behind)
        return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), self.length, "0")


def _classes(texts: pa.Array, head: int, code: int, keep: int) -> npt.NDArray[np.int64]:
    """The kind and the length of each national number; kind 0 for those that are not valid, or begin as few of their kind do.

    What has letters or digits of other scripts in it is none, lest they be left.
    """
    national = pc.utf8_slice_codeunits(digits_of(texts), head)
    kinds = _kinds(national, code) if not keep else np.zeros(len(national), np.int64)
    more = pc.match_substring_regex(texts, r"\p{L}|[^\P{N}0-9]").fill_null(False)
    kinds = _usual(np.where(more.to_numpy(zero_copy_only=False), 0, kinds), national, code)
    lengths = _lengths(national)
    return np.stack([kinds, np.where(kinds > 0, lengths, 0)], axis=1)


def _usual(kinds: npt.NDArray[np.int64], national: pa.Array, code: int) -> npt.NDArray[np.int64]:
    """`kinds` of numbers, but 0 for those that begin as few of their kind do, or are too short or too long to tell."""
    lengths = _lengths(national)
    result = np.where((lengths < _FIRST) | (lengths > _LONGEST), 0, kinds)
    for (kind, length), here in _groups(np.stack([result, np.where(result > 0, lengths, 0)], axis=1)):
        if kind:
            first = pc.utf8_slice_codeunits(national.take(pa.array(here)), 0, _FIRST).cast(pa.uint64()).to_numpy()
            result[here[~np.isin(first, _beginnings(code, kind, length))]] = 0
    return result


@cache
def _beginnings(code: int, kind: int, length: int) -> UInt64:
    """The first four digits with which some numbers of a kind and length begin, by trying continuations of each; sorted."""
    behind = max(length - _FIRST, 0)
    # digits over the whole range of what may follow, at even distances
    steps = np.arange(_TRIED, dtype=np.uint64) * np.uint64(max(10**behind // _TRIED, 1)) % np.uint64(10**behind)
    first = np.arange(10**_FIRST, dtype=np.uint64)
    numbers = (first[:, None] * np.uint64(10**behind) + np.unique(steps)[None, :]).ravel()
    texts = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), length, "0")
    beginnings: UInt64 = first[(_kinds(texts, code) == kind).reshape(len(first), -1).any(axis=1)]
    return beginnings


def _kinds(national: pa.Array, code: int) -> npt.NDArray[np.int64]:
    """What a country's number plan calls each national number: 0 not valid, 1 mobile, 2 fixed, 3 either, 4 another valid one."""
    mobile, fixed, other = _patterns(code)
    kinds: npt.NDArray[np.int64] = _matching(national, mobile) + 2 * _matching(national, fixed)
    rest = np.flatnonzero(kinds == 0)
    kinds[rest] = 4 * _matching(national.take(pa.array(rest)), other)
    return kinds


def _groups(labels: npt.NDArray[np.int64]) -> Iterator[tuple[tuple[int, int], npt.NDArray[np.int64]]]:
    """The different rows of `labels` (two columns of numbers from 0), and where each stands."""
    width = int(labels[:, 1].max(initial=0)) + 1
    joined = labels[:, 0] * width + labels[:, 1]
    for label in np.unique(joined).tolist():
        yield divmod(label, width), np.flatnonzero(joined == label)


def _in_order(parts: list[pa.Array], order: list[npt.NDArray[np.int64]]) -> pa.Array:
    """The texts of all parts, each of which stand at the places that `order` says."""
    if len(parts) == 1:
        return parts[0]
    places = np.concatenate(order)
    back = np.empty(len(places), np.int64)
    back[places] = np.arange(len(places))
    return pa.concat_arrays(parts).take(pa.array(back))


def _matching(texts: pa.Array, pattern: str) -> npt.NDArray[np.int64]:
    if not pattern:
        return np.zeros(len(texts), np.int64)
    matching: npt.NDArray[np.int64] = pc.match_substring_regex(texts, pattern).fill_null(False).cast(pa.int64()).to_numpy()
    return matching


def _lengths(texts: pa.Array) -> npt.NDArray[np.int64]:
    """The characters of each text; 0 where it is null."""
    lengths: npt.NDArray[np.int64] = pc.utf8_length(texts).fill_null(0).cast(pa.int64()).to_numpy()
    return lengths


@cache
def _patterns(code: int) -> tuple[str, str, str]:
    """The patterns of the mobile, the fixed and all other valid national numbers under a country's code, of all its regions."""
    phonenumbers = _phonenumbers()
    metadata, regions = phonenumbers.PhoneMetadata, phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    plans = [metadata.metadata_for_nongeo_region(code) if r == "001" else metadata.metadata_for_region(r) for r in regions]
    others = ("toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail")
    joined = []
    for kinds in (("mobile",), ("fixed_line",), others):
        found = [getattr(plan, kind).national_number_pattern for plan in plans if plan for kind in kinds if getattr(plan, kind)]
        joined.append("|".join(f"(?:{pattern})" for pattern in found if pattern))
    mobile, fixed, other = (f"^(?:{pattern})$" if pattern else "" for pattern in joined)
    return mobile, fixed, other


def mobile_numbers(country: str) -> int:
    """Return how many numbers of the usual length a country's plan has for mobile telephones; 0 for a country without a plan."""
    plan = _phonenumbers().PhoneMetadata.metadata_for_region(country, None)
    if plan is None or plan.mobile is None or not plan.mobile.example_number:
        return 0
    code, length = plan.country_code, len(plan.mobile.example_number)
    return sum(Plan(code, kind, length).size for kind in (1, 3))


def _own(country: str) -> tuple[int, str]:
    """The code of a country, and the digits that come before its national numbers when they are called from within."""
    phonenumbers = _phonenumbers()
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
    return phonenumbers.country_code_for_region(country), plan.national_prefix or ""


def _fictional_length(country: str) -> int:
    return 1 + len(str(_own(country)[0])) + max(len(begin) + digits for begin, digits in FICTIONAL[country])


def _phonenumbers() -> Any:
    try:
        import phonenumbers
    except ImportError:
        raise InputError("telephone numbers need phonenumbers; it comes with `pip install 'companyos-data[pii]'`") from None
    return phonenumbers
