"""Which transformers are proposed for which entities, best first; the first that fits a column is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from masking.classify.days import A_DAY, DAYS_SINCE_1970, YEARS
from masking.policy.model import KEEP, Step
from schemas.model import Column
from schemas.types import FLOATS, INTEGERS, TEXTS, TIMES, SqlType


def _moved(spread: int) -> Step:
    return Step("noise", {"spread": spread, "unit": "absolute", "sign": False})


_NUMBERS = (*INTEGERS, "numeric", *FLOATS)
_SHIFT = (Step("shift", {"days": 60}), Step("shift", {"days": 60, "scope": "all"}))
_SHUFFLE = Step("shuffle")
_SPREAD_DAYS = 60
# days of birth as whole numbers are days afterwards: of those with the year first is left the first of January
_OF_YEAR = Step("bucket", {"width": 10_000, "origin": 101})
BY_WRITTEN: Mapping[str, Step] = {
    "year, month and day in 8 digits": _OF_YEAR,
    "year, month and day in 6 digits": _OF_YEAR,
    YEARS: _moved(2),
    DAYS_SINCE_1970: _moved(_SPREAD_DAYS),
    **{f"{unit} since 1970 at midnight": _moved(_SPREAD_DAYS * size) for unit, size in A_DAY.items()},
}
# whole numbers that stand for a word, and have no measure: noise would give all of one sex the same other number, often of no sex
_CODED = frozenset(
    ("gender", "marital_status", "nationality", "religion", "ethnicity", "political", "sexuality", "country", "language", "region", "city")
)
CODE, HASH = Step("code"), Step("hash")
COORDINATES, DIGITS = Step("coordinates"), Step("code", {"digits_only": True})  # which both leave a geometry one

BY_ENTITY: Mapping[str, Sequence[Step]] = {
    "person_name": (Step("name"),),
    "given_name": (Step("name", {"parts": "given"}),),
    "family_name": (Step("name", {"parts": "family"}),),
    "username": (Step("username"), CODE),
    "email": (Step("email"),),
    "phone": (Step("phone"), CODE),
    "address": (Step("address"),),
    "street": (Step("street"),),
    "city": (Step("city"),),
    "postcode": (Step("postcode"), CODE),
    "coordinates": (Step("noise", {"spread": 0.5, "unit": "absolute"}), COORDINATES, DIGITS),
    "company": (Step("company"),),
    "job_title": (Step("job_title"),),
    "iban": (Step("iban"),),
    "bank_account": (CODE,),
    "credit_card": (Step("card"),),
    "national_id": (Step("national_id"), CODE),
    "tax_id": (Step("national_id"), CODE),
    "passport": (CODE,),
    "driving_licence": (CODE,),
    "vehicle": (CODE,),
    "ip_address": (Step("ip"),),
    "mac_address": (CODE,),
    "device_id": (CODE,),
    "url": (Step("url"),),
    "password": (HASH,),
    "secret": (HASH,),
    "photo": (Step("null"),),
    "signature": (Step("null"),),
}  # fmt: skip


def candidates(
    column: Column, klass: str, entity: str | None, *, key: bool, listed: bool = False, written: str | None = None, few: bool = False
) -> Iterator[Step]:
    """Steps for a column of this class and entity, best first.

    `key` says whether others reference it, `listed` whether its values are those of a closed list, `written` how its numbers are days,
    `few` whether only some of its values hold anything personal, which is known from other columns.
    Texts and bytes that are no values of a closed list are not shuffled: each would stand in the output as it is, with whoever it
    tells of.
    """
    kind = _inmost(column.type).kind
    dealt = listed or kind not in (*TEXTS, "json", "bytes")
    if klass == "public":
        yield Step(KEEP)
        return
    if key or entity == "person_id":
        yield from _keys(kind)
    else:
        yield from BY_ENTITY.get(entity or "", ())
    if few:
        yield Step("redact", {"known": True})
    if klass == "free_text" or entity == "text":
        yield Step("redact")
    if kind in TIMES:
        yield from _SHIFT
    if kind in _NUMBERS and not key and entity == "birth_date":
        yield BY_WRITTEN.get(written or "", _SHUFFLE)
        yield _SHUFFLE
    elif kind in _NUMBERS and not key and klass in ("quasi", "sensitive") and entity not in _CODED:
        yield Step("noise", {"spread": 0.1})
    if klass in ("quasi", "sensitive") and dealt:
        yield _SHUFFLE
    if kind in (*TEXTS, "json"):
        yield CODE
        yield Step("redact")
    if kind == "bytes":  # a scan or a letter, of which nothing is to be left
        yield Step("null")
    yield from _keys(kind)
    yield Step("null")
    if dealt:
        yield _SHUFFLE


def _inmost(type: SqlType) -> SqlType:
    """The type of the items of an array."""
    return type if type.item is None else _inmost(type.item)


def _keys(kind: str) -> Iterator[Step]:
    if kind in (*INTEGERS, "numeric"):
        yield Step("hash", {"form": "integer"})
        if kind == "numeric":  # which may hold too few digits for any hash
            yield CODE
    elif kind == "uuid":
        yield Step("hash", {"form": "uuid"})
    elif kind == "bytes":
        yield HASH
    elif kind in TEXTS:
        yield CODE
        yield HASH
