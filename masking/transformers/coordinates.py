"""`coordinates`: places on the map moved, whether written as pairs, as single numbers or as geometries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context as Precision
from decimal import Decimal
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.draws import draws
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash
from masking.transformers.base import Context, Rows
from masking.transformers.distributions import normal
from masking.transformers.fit import WORDS, require_kind, require_repeats
from masking.transformers.lengths import UNLIMITED, longest
from masking.transformers.parameters import parameter

_NUMBER = r"-?\d{1,12}(?:\.\d{1,20})?(?:[eE]-?\d{1,2})?"
_DEGREES = r"-?\d{1,3}\.\d{1,20}"
_PLACE = re.compile(rf"(?<![\w.-])({_NUMBER})((?:\s+{_NUMBER}){{1,3}})(?![\w.-])")
_ANY_DEGREES = re.compile(_DEGREES)
_PAIR = re.compile(rf"\s*[(\[]?\s*({_DEGREES})\s*[,; ]\s*({_DEGREES})\s*[)\]]?\s*")
_SINGLE = re.compile(rf"\s*({_DEGREES})\s*")
_BUT_PLACES = re.compile(
    r"(?i)(?=[^a-z]*[a-z])\s*(?:SRID=\d{1,6};\s*)?(?:(?:(?:(?:MULTI)?(?:POINT|LINESTRING|POLYGON|CURVE|SURFACE)|GEOMETRYCOLLECTION|CIRCULARSTRING"
    r"|COMPOUNDCURVE|CURVEPOLYGON|POLYHEDRALSURFACE|TIN|TRIANGLE)(?:ZM|Z|M)?|ZM|Z|M|EMPTY)\b|[(),\s])+"
)
_LATITUDE, _LONGITUDE = 90, 180
_METRES = 111_320  # of a degree of latitude
_EXACT = Precision(prec=150)  # digits, of the longest number and its distance


@dataclass(frozen=True)
class Coordinates:
    """Moves places on the map in texts: `48.8566,2.3522`, a degree alone, or a geometry such as `SRID=4326;POINT(2.35 48.85)`.

    All places of a value are moved alike, by a distance drawn from the first of them, so that polygons stay closed and lines keep their
    form. Kind, SRID and the digits after the point stay; degrees stay within 90 and 180; where a geometry is in metres, so is
    the distance. Further numbers of a place (heights, measures) become 0. Other texts are permuted within their format, as by `code`.
    Where somebody is at the same place many times (tracks, pings), the mean of many places nearby, or a line matched with the roads, tells
    it: `hash` or `null` those.
    """

    name: ClassVar[str] = "coordinates"
    fits: ClassVar[tuple[str, ...]] = WORDS

    spread: float = parameter("the standard deviation of the distance along each axis, in degrees", default=0.5, least=0.000_001, most=90)

    def bind(self, context: Context) -> Moved:
        require_kind(context, self.name, WORDS)
        require_repeats(context, self.name, "code")
        keys = [context.key.derive(f"coordinates/{context.domain}/{axis}") for axis in "xy"]
        others = FormatPermutation(KeyedHash(context.key.derive(f"coordinates/{context.domain}/others")))
        return Moved(self.spread, keys[0], keys[1], others, longest(context.column.type))


@dataclass(frozen=True)
class Moved:
    """Coordinates that are moved by a distance of their first place; each different value is looked at once."""

    spread: float
    x_key: bytes = field(repr=False)
    y_key: bytes = field(repr=False)
    others: FormatPermutation
    room: int = UNLIMITED

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        encoded = values.dictionary_encode()
        texts = encoded.dictionary
        first = pa.array([_first(text) for text in texts.to_pylist()], pa.string())
        x, y = (normal(draws(first, key)) * self.spread for key in (self.x_key, self.y_key))
        moved = [self._moved(text, *by) for text, *by in zip(texts.to_pylist(), x.tolist(), y.tolist())]
        other = pa.array([found is None for found in moved], pa.bool_())
        made = pa.array(moved, texts.type)
        if pc.any(other).as_py():
            made = pc.if_else(other, self.others.apply(pc.if_else(other, texts, pa.scalar(None, texts.type))), made)
        return made.take(encoded.indices)

    def _moved(self, text: str, x: float, y: float) -> str | None:
        """The text with its places moved by so many degrees, with fewer digits where it would be too long; None where it has no places."""
        geometry = _BUT_PLACES.fullmatch(_PLACE.sub("", text)) and not text.isspace()
        for digits in (20, 6, 3, 1, 0):
            found = _geometry(text, x, y, digits) if geometry else _degrees(text, x, y, digits)
            if found is None or len(found) <= self.room:
                return found
        return None


def _first(text: str) -> str:
    """The first place of a text, longitude first, by which it is moved: alike as a pair and as a point, so that no two can be averaged."""
    found = None if _PAIR.fullmatch(text) else _PLACE.search(text)
    numbers = [found[1], found[2].split()[0]] if found else _ANY_DEGREES.findall(text)[:2]
    if not found and numbers and abs(Decimal(numbers[0])) <= _LATITUDE:
        numbers.reverse()
    return " ".join(str(Decimal(number).normalize()) for number in numbers)


def _geometry(text: str, x: float, y: float, digits: int) -> str:
    """A geometry with its places moved; what has none, as `POINT EMPTY`, stays."""
    places = [match.groups() for match in _PLACE.finditer(text)]
    axes = [[Decimal(p[0]) for p in places], [Decimal(p[1].split()[0]) for p in places]]
    farthest = [max(map(abs, axis), default=Decimal(0)) for axis in axes]
    limits: Sequence[int | None] = (None, None)
    if min(farthest) <= _LATITUDE and max(farthest) <= _LONGITUDE:  # some write the latitude first
        limits = (_LONGITUDE, _LATITUDE) if farthest[1] <= _LATITUDE else (_LATITUDE, _LONGITUDE)
    else:
        x, y = x * _METRES, y * _METRES
    by_x, by_y = (_distance(axis, by, limit) for axis, by, limit in zip(axes, (x, y), limits))

    def moved(match: re.Match[str]) -> str:
        second, *more = match[2].split()
        return " ".join([_written(match[1], by_x, digits), _written(second, by_y, digits), *("0" for _ in more)])

    return _PLACE.sub(moved, text)


def _degrees(text: str, x: float, y: float, digits: int) -> str | None:
    """A pair of degrees, of which the latitude is the first unless it cannot be one, or a single degree."""
    match = _PAIR.fullmatch(text) or _SINGLE.fullmatch(text)
    if match is None:
        return None
    limits = [_LATITUDE, _LONGITUDE] if abs(Decimal(match[1])) <= _LATITUDE else [_LONGITUDE, _LATITUDE]
    if any(abs(Decimal(number)) > limit for number, limit in zip(match.groups(), limits)):
        return None
    parts, end = [], 0
    for group, by, limit in zip(range(1, len(match.groups()) + 1), (y, x), limits):
        number = match[group]
        parts += [text[end : match.start(group)], _written(number, _distance([Decimal(number)], by, limit), digits)]
        end = match.end(group)
    return "".join([*parts, text[end:]])


def _distance(axis: Iterable[Decimal], by: float, limit: int | None) -> Decimal:
    """How far the numbers are moved, one step of their last digit at least, the other way where one of them would leave the limits."""
    numbers = list(axis) or [Decimal(0)]
    step = Decimal(1).scaleb(max(int(n.as_tuple().exponent) for n in numbers))
    whole = (Decimal(by) / step).to_integral_value() * step or step.copy_sign(Decimal(by))
    if limit is None:
        return whole
    room = limit - max(numbers) if whole > 0 else min(numbers) + limit
    if abs(whole) <= room:
        return whole
    back = limit - max(numbers) if whole < 0 else min(numbers) + limit
    return (min(abs(whole), back) // step * step).copy_sign(-whole)


def _written(number: str, by: Decimal, digits: int) -> str:
    """A number that is moved, with as many digits after the point as it had, or `digits` where those are fewer."""
    old = Decimal(number)
    places = min(-int(old.as_tuple().exponent), digits)
    new = _EXACT.quantize(_EXACT.add(old, by), Decimal(1).scaleb(-places))
    return f"{new or abs(new):f}"
