"""What numbers, dates and other values that are no texts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.classify.checksums import checked
from masking.classify.context import Surroundings
from masking.classify.days import days_in, named_days, written
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.fitting import fits_numbers
from masking.classify.names import NameReading
from masking.classify.profile import texts_from
from schemas.types import INTEGERS

SURE = 0.6
WEAK = 0.25
FLOAT_PLACES = 6
_MICROSECONDS_A_YEAR = 365.2425 * 86_400_000_000


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column: how many rows, how many different, the extremes, and up to some hundred as whole numbers in text.

    `usual` are the extremes of the different numbers without a tenth at each end: a 0 or a 999 for what nobody knows is not among them.
    """

    rows: int
    distinct: int
    low: float
    high: float
    usual: tuple[float, float]
    whole: bool
    places: int
    texts: tuple[str, ...]

    def fit(self, entity: str) -> bool:
        """Whether they can be `entity`, all or all usual ones."""
        return any(low <= high and fits_numbers(entity, low, high, self.distinct) for low, high in ((self.low, self.high), self.usual))


def usual_of(different: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The extremes of some different numbers without a tenth at each end; the first is above the second where none are left."""
    if not len(different):
        return 0.0, 0.0
    return float(np.quantile(different, 0.1, method="higher")), float(np.quantile(different, 0.9, method="lower"))


def numbers_of(values: pa.Array) -> Numbers:
    """Profile an array of integers, floats or decimals."""
    known = values.drop_null()
    if pa.types.is_decimal(known.type):
        places = known.type.scale
        known = known.cast(pa.float64())
    else:
        places = 0 if pa.types.is_integer(known.type) else FLOAT_PLACES
    if pa.types.is_floating(known.type):
        known = known.filter(pc.is_finite(known))
    if not len(known):
        return Numbers(0, 0, 0.0, 0.0, (0.0, 0.0), True, 0, ())
    unique = pc.unique(known)
    extremes = pc.min_max(unique)
    whole = pa.types.is_integer(known.type)
    wide = whole or places <= 0
    texts = texts_from([str(int(v)) for v in unique.slice(0, 2000).to_pylist()]).values if wide else ()
    low, high = float(extremes["min"].as_py()), float(extremes["max"].as_py())
    usual = usual_of(unique.to_numpy(zero_copy_only=False).astype(np.float64))
    return Numbers(len(known), len(unique), low, high, usual, whole, places, texts)


def classify_numbers(name: NameReading, kind: str, numbers: Numbers, around: Surroundings, today: int) -> Finding:
    """Decide on a column of numbers; `today` is in microseconds since 1970."""
    for entity, strength in name.entities:
        if strength < WEAK or name.flag:
            continue
        if not numbers.rows:
            if strength >= SURE and fits_numbers(entity, 1e6, 1e6, 9) | fits_numbers(entity, 50, 50, 9) | fits_numbers(entity, 1, 9, 9):
                return personal(entity, 0.6, f"its name reads as {entity}; there are no values")
        elif numbers.fit(entity) and _supported(entity, strength, numbers, around, name, today):
            why = f"its name reads as {entity}, and {numbers.rows} numbers in the sample can be that"
            named = personal(entity, 0.6 + 0.3 * strength, why)
            return replace(named, written=written(numbers.texts, today)) if entity == "birth_date" else named
    if name.person and name.identifier and kind in (*INTEGERS, "numeric"):
        return personal("person_id", 0.85, "its name reads as the number of a person")
    if name.words == ("uid",) and kind in INTEGERS and not around.unique and not around.key:
        return personal("person_id", 0.6, "its name reads as the number of a user, and it does not number the rows")
    if name.by and kind in INTEGERS and numbers.high > 9:
        return personal("person_id", 0.7, "its name reads as a reference to who did it")
    if not numbers.rows:
        return _without_values(name, "sensitive")
    if born := _days_of_birth(name, numbers, around, today):
        return born
    if numbers.whole and numbers.high >= 1e5 and (found := _checked(numbers)):
        return found
    if around.personal and not name.harmless and _like_coordinates(name, numbers):
        return personal(
            "coordinates", 0.5, f"{numbers.rows} numbers from -180 to 180 with {numbers.places} places, in rows that belong to persons"
        )
    lengths = {len(t) for t in numbers.texts if numbers.usual[0] <= int(t) <= numbers.usual[1]}
    if (
        around.persons
        and numbers.usual[0] >= 1e6
        and lengths
        and min(lengths) >= 7
        and len(lengths) <= 2
        and numbers.distinct >= 0.9 * numbers.rows
        and not name.harmless
    ):
        return personal(
            "person_id", 0.5, f"{numbers.distinct} different numbers of {max(lengths)} digits in {numbers.rows} rows that are persons"
        )
    what = "whole numbers" if numbers.whole else "numbers"
    size = len(str(int(max(abs(numbers.low), abs(numbers.high)))))
    return harmless(
        0.9 if name.harmless else 0.75,
        f"{numbers.distinct} different {what} of up to {size} digits in {numbers.rows} rows",
        "no name or check digit says that they are of a person",
    )


# figures of many, which are of nobody where the rows are not persons
_AGGREGATES = frozenset(("avg", "average", "mean", "median", "min", "max", "sum", "total", "stddev", "moyenne", "media", "durchschnitt"))


def _supported(entity: str, strength: float, numbers: Numbers, around: Surroundings, name: NameReading, today: int) -> bool:
    """Whether the rows agree with a name that says little by itself."""
    if not around.personal and _AGGREGATES & set(name.words):
        return False
    if entity == "health":
        if strength >= SURE:
            return around.personal or around.medical
        return around.persons or (around.medical and around.personal)
    if entity == "coordinates":
        return strength >= SURE and around.personal
    if entity in ("country", "language", "street"):
        return strength >= SURE and around.persons
    if entity == "salary" and strength < SURE:
        return around.personal
    if entity == "age":
        return strength >= SURE and (around.personal or not around.things)
    if entity == "birth_date" and not (numbers.low >= 1e3 and numbers.high <= 1e8):  # days and times since 1970
        return strength >= SURE and (around.personal or _are_named_births(name, numbers, around, today))
    if entity == "password" and strength < SURE:  # a `pin` of four to eight digits
        return around.personal and numbers.whole and 1e3 <= numbers.usual[1] < 1e8
    return strength >= SURE


def _like_coordinates(name: NameReading, numbers: Numbers) -> bool:
    # floats have places enough by nature, so that they must lie on both sides of zero as well
    signed = numbers.low < 0 <= numbers.high
    exact = 4 <= numbers.places <= 8 and (numbers.places != FLOAT_PLACES or signed)
    return (
        not numbers.whole
        and exact
        and numbers.low >= -180
        and numbers.high <= 180
        and numbers.distinct >= 0.5 * numbers.rows
        and not name.entities
    )


def _are_named_births(name: NameReading, numbers: Numbers, around: Surroundings, today: int) -> bool:
    """Whether numbers that are called days of birth are spread as births are, where nothing else tells of persons."""
    around, unnamed = replace(around, linked=True), replace(name, entities=())  # the name has spoken: what is asked of is the spread
    return any(classify_moments(unnamed, "date", days, around, today).personal for _, days in named_days(numbers.texts, today))


def _days_of_birth(name: NameReading, numbers: Numbers, around: Surroundings, today: int) -> Finding | None:
    """Whether numbers are days that are spread as births are, in rows that are persons or belong to some."""
    if not around.personal:
        return None
    for what, days in days_in(numbers.texts, today, counted=not name.harmless and not name.entities):
        found = classify_moments(name, "date", days, around, today)
        if found.personal:
            born = personal("birth_date", 0.7, f"{numbers.distinct} different numbers can be days: {what}", *found.evidence)
            return replace(born, written=what if len(days) == len(numbers.texts) else None)
    return None


def _checked(numbers: Numbers) -> Finding | None:
    for found in checked(numbers.texts):
        if found.entity == "thing":
            return harmless(0.9, found.evidence)
        return personal(found.entity, 0.9, found.evidence)
    return None


def _without_values(name: NameReading, klass: str) -> Finding:
    if name.harmless or name.modified:
        return harmless(0.6, "its name reads as something technical or commercial; there are no values")
    return unsure(klass, "there are no values")


def classify_moments(name: NameReading, kind: str, values: pa.Array, around: Surroundings, today: int) -> Finding:
    """Decide on a column of dates or times; `today` is in microseconds since 1970.

    Days of birth and death are quasi-identifiers. When something happened or was recorded is public: subjects' times can still be
    shifted by a policy, and the classifier does not ask for it.
    """
    if kind in ("time", "interval"):
        return harmless(0.9, "times of day and lengths of time")
    says = name.strength("birth_date")
    if says >= SURE and not name.flag:
        return personal("birth_date", 0.95 if len(values) > values.null_count else 0.7, "its name reads as birth_date")
    known = values.drop_null()
    if not len(known):
        if name.telling or set(name.words) & {"at", "on", "date", "time", "datum", "fecha", "data"}:
            return harmless(0.6, "its name reads as the time of an event; there are no values")
        return unsure("quasi", "there are no values")
    years = _years(known)
    low, middle, high = (float(q) for q in np.quantile(years, (0.05, 0.5, 0.95)))
    now = today / _MICROSECONDS_A_YEAR
    days = not pa.types.is_timestamp(known.type) or _at_midnight(known)
    lives = days and high - low >= 15 and now - 110 <= low <= now - 25 and now - 95 <= middle <= now - 16 and float(years.max()) <= now
    if lives and len(known) >= 3 and (around.personal or not name.telling) and not around.companies:
        return personal(
            "birth_date", 0.8, f"{len(known)} days, half of them more than {now - middle:.0f} years ago, spread over {high - low:.0f} years"
        )
    return harmless(0.85, f"{len(known)} times of events, spread over {high - low:.1f} years, which are not those of births")


def _years(values: pa.Array) -> np.ndarray:
    """Years since 1970, as numbers."""
    if pa.types.is_date32(values.type):
        return np.asarray(values.cast(pa.int32()).to_numpy(zero_copy_only=False), dtype="float64") / 365.2425
    return np.asarray(values.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype="float64") / _MICROSECONDS_A_YEAR


def _at_midnight(values: pa.Array) -> bool:
    return bool((np.asarray(values.cast(pa.int64())) % 86_400_000_000 == 0).all())


def years_of_texts(dates: list[datetime]) -> pa.Array:
    """Dates that were written as texts, as times."""
    return pa.array([d.replace(tzinfo=UTC) for d in dates], pa.timestamp("us", "UTC"))


_OF_BOOLEANS = ("health", "religion", "ethnicity", "political", "sexuality", "gender", "marital_status")


def classify_booleans(name: NameReading, around: Surroundings) -> Finding:
    """Decide on a column of yes and no: harmless, but for what nobody should know of a person."""
    for entity, strength in name.entities:
        if entity in _OF_BOOLEANS and strength >= SURE and (around.personal or strength >= 0.8):
            return personal(entity, 0.7, f"its name reads as {entity}")
    return harmless(0.95, "its type has two values, and its name is not of a sensitive matter")


def classify_bytes(name: NameReading, values: pa.Array) -> Finding:
    """Decide on a column of bytes, which cannot be looked into: masked, unless its name says a digest."""
    for entity in ("signature", "photo", "password", "secret"):
        if name.strength(entity) >= WEAK:
            return personal(entity, 0.85, f"its name reads as {entity}")
    if name.digest_of_person:
        return personal("secret", 0.85, "its name reads as the digest of what tells of a person")
    if set(name.words) & {"checksum", "digest", "etag", "sha256", "md5", "crc", "rowversion"}:
        return harmless(0.7, "its name reads as a digest")
    head = [v[:4] for v in values.drop_null().slice(0, 50).to_pylist()]
    pictures = sum(v[:3] == b"\xff\xd8\xff" or v == b"\x89PNG" for v in head)
    if head and pictures >= 0.5 * len(head):
        return personal("photo", 0.7, f"{pictures} of {len(head)} values begin as pictures do")
    return unsure("sensitive", f"{len(values) - values.null_count} values are bytes, which cannot be looked into")
