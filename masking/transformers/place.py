"""`city`, `region`, `street`, `postcode` and `address`: places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.formats import FormatPermutation
from masking.keyed import KeyedHash, UInt64, pick
from masking.pools import language
from masking.transformers.base import Context, Masker
from masking.transformers.code import Code
from masking.transformers.lengths import UNLIMITED
from masking.transformers.parameters import parameter
from masking.transformers.picked import Composer, FromPool, cut, picked_text
from schemas.types import INTEGERS, TEXTS

_NUMBER_FIRST = ("en", "fr")
_HOUSE_NUMBER = r"(?:^|[\s,])(?P<number>[0-9]{1,6})(?:[A-Za-z]?(?:[\s,]|$))"
_POSTCODE = r"(?P<code>[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|[0-9]{5}-[0-9]{4}|[0-9]{3}-[0-9]{4}|[0-9]{4} ?[A-Z]{2}|[0-9]{4,7})"
_HIGHEST_NUMBER = 199


@dataclass(frozen=True)
class City(FromPool):
    """Another city of the locale (the policy's, or that of the text's script), picked by the folded name."""

    name: ClassVar[str] = "city"
    kind: ClassVar[str] = "city"


@dataclass(frozen=True)
class Region(FromPool):
    """Another state or province of the locale, picked by the folded name."""

    name: ClassVar[str] = "region"
    kind: ClassVar[str] = "region"


@dataclass(frozen=True)
class Street(FromPool):
    """Another street of the locale, with a house number where there is one, picked by the folded text."""

    name: ClassVar[str] = "street"
    kind: ClassVar[str] = "street"

    def composer(self, context: Context) -> Composer:
        """A street, with a number where there is one."""
        return _street


@dataclass(frozen=True)
class Postcode:
    """A postcode of the same format, one to one; `keep` leaves that many characters at the beginning, which name the region."""

    name: ClassVar[str] = "postcode"
    fits: ClassVar[tuple[str, ...]] = (*TEXTS, *INTEGERS)

    keep: int = parameter("how many characters at the beginning stay", default=0, least=0)

    def bind(self, context: Context) -> Masker:
        """Raises TransformerUnfit for other columns than texts and integers."""
        return Code(self.keep).bind(context)


@dataclass(frozen=True)
class Address(FromPool):
    """Another whole address of the locale: street and number, postcode and city, in as many lines, picked by the folded text.

    Postcodes are permuted within their format, as `postcode` does, where the text has one. Lines (or what commas part) beyond the
    first two are left out.
    """

    name: ClassVar[str] = "address"
    kind: ClassVar[str] = "street"

    def composer(self, context: Context) -> Composer:
        """A street, and a city with its postcode."""
        codes = FormatPermutation(KeyedHash(context.key.derive("address/postcodes")))

        def compose(locale: str, texts: pa.Array, folded: pa.Array, words: UInt64, room: int) -> pa.Array:
            street = _street(locale, texts, folded, words, UNLIMITED)
            city = picked_text("city", locale, words[2])
            code = pc.extract_regex(texts, _POSTCODE).field("code")
            code = codes.apply(pc.if_else(_found(code), code, pa.scalar(None, pa.string())))
            place = pc.if_else(pc.is_valid(code), pc.binary_join_element_wise(*_ordered(locale, code, city), " "), city)
            lines = pc.match_substring(texts, "\n").fill_null(False)
            parted = pc.or_(lines, pc.match_substring(texts, ",").fill_null(False))
            whole = pc.if_else(lines, pc.binary_join_element_wise(street, place, "\n"), pc.binary_join_element_wise(street, place, ", "))
            return cut(pc.if_else(pc.or_(parted, pc.is_valid(code)), whole, street), room)

        return compose


def _street(locale: str, texts: pa.Array, folded: pa.Array, words: UInt64, room: int) -> pa.Array:
    number = pc.extract_regex(folded, _HOUSE_NUMBER).field("number")
    has = _found(number)
    new = pa.array(1 + pick(words[1], _HIGHEST_NUMBER)).cast(pa.string())
    new = pc.if_else(pc.equal(new, number).fill_null(False), pa.scalar(str(_HIGHEST_NUMBER + 1)), new)
    bare = pc.utf8_trim(pc.replace_substring_regex(folded, _HOUSE_NUMBER, " "), " ,")
    street = picked_text("street", locale, words[0], bare, room if room >= UNLIMITED else max(room - 4, 1))
    parts = (new, street) if language(locale) in _NUMBER_FIRST else (street, new)
    return cut(pc.if_else(has, pc.binary_join_element_wise(*parts, " "), street), room)


def _found(part: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(part), pc.not_equal(part, "")).fill_null(False)


def _ordered(locale: str, code: pa.Array, city: pa.Array) -> tuple[pa.Array, pa.Array]:
    return (city, code) if language(locale) == "en" else (code, city)
