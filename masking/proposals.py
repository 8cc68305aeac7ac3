"""Which transformers are proposed for which entities, best first; the first that fits a column is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from masking.policy.model import KEEP, Step
from schemas.model import Column
from schemas.types import FLOATS, INTEGERS, TEXTS, TIMES

_NUMBERS = (*INTEGERS, "numeric", *FLOATS)
_SHIFT = (Step("shift", {"days": 60}), Step("shift", {"days": 60, "scope": "all"}))
_SHUFFLE = Step("shuffle")

BY_ENTITY: Mapping[str, Sequence[Step]] = {
    "person_name": (Step("name"),),
    "given_name": (Step("name", {"parts": "given"}),),
    "family_name": (Step("name", {"parts": "family"}),),
    "username": (Step("username"), Step("code")),
    "email": (Step("email"),),
    "phone": (Step("phone"),),
    "address": (Step("address"),),
    "street": (Step("street"),),
    "city": (Step("city"),),
    "postcode": (Step("postcode"), Step("code")),
    "region": (_SHUFFLE,),
    "country": (_SHUFFLE,),
    "coordinates": (Step("noise", {"spread": 0.5, "unit": "absolute"}), _SHUFFLE),
    "company": (Step("company"),),
    "job_title": (Step("job_title"),),
    "iban": (Step("iban"),),
    "bank_account": (Step("code"),),
    "credit_card": (Step("card"),),
    "national_id": (Step("national_id"), Step("code")),
    "tax_id": (Step("national_id"), Step("code")),
    "passport": (Step("code"),),
    "driving_licence": (Step("code"),),
    "vehicle": (Step("code"),),
    "ip_address": (Step("ip"),),
    "mac_address": (Step("code"),),
    "device_id": (Step("code"),),
    "url": (Step("url"),),
    "password": (Step("hash"),),
    "secret": (Step("hash"),),
    "photo": (Step("null"),),
    "signature": (Step("null"),),
}  # fmt: skip


def candidates(column: Column, klass: str, entity: str | None, *, key: bool) -> Iterator[Step]:
    """Steps for a column of this class and entity, best first; `key` says whether others reference it."""
    kind = column.type.kind
    if klass == "public":
        yield Step(KEEP)
        return
    if key or entity == "person_id":
        yield from _keys(kind)
    else:
        yield from BY_ENTITY.get(entity or "", ())
    if klass == "free_text" or entity == "text":
        yield Step("redact")
    if kind in TIMES:
        yield from _SHIFT
    if kind in _NUMBERS and not key:
        yield Step("noise", {"spread": 0.1})
    if klass in ("quasi", "sensitive"):
        yield _SHUFFLE
    if kind in (*TEXTS, "json"):
        yield Step("code")
        yield Step("redact")
    yield from _keys(kind)
    yield Step("null")
    yield _SHUFFLE


def _keys(kind: str) -> Iterator[Step]:
    if kind in (*INTEGERS, "numeric"):
        yield Step("hash", {"form": "integer"})
        if kind == "numeric":  # which may hold too few digits for any hash
            yield Step("code")
    elif kind == "uuid":
        yield Step("hash", {"form": "uuid"})
    elif kind in TEXTS:
        yield Step("code")
        yield Step("hash")
