"""Looks in columns that seem harmless for values that stand in personal ones: the database's own dictionary.

A path that holds a user name, a note in which a customer's e-mail address stands, an identifier without a foreign key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from masking.classify.finding import Finding, class_of

Place = tuple[str, str]

# what is worth looking for: values that few others have
_TELLING = frozenset((
    "person_name", "username", "email", "phone", "iban", "bank_account", "credit_card", "national_id", "tax_id", "passport",
    "driving_licence", "vehicle", "ip_address", "mac_address", "device_id", "person_id", "company", "url",
))  # fmt: skip
LEAST_LENGTH = 6
LEAST_VALUES = 8
LEAST_SHARE = 0.05
_PARTS = re.compile(r"[\s,;:/?&=|<>()\[\]{}\"']+")
_WORDS_OF_NAMES = 3


@dataclass(frozen=True)
class Known:
    """The values of personal columns, in lower case, and where each stands."""

    places: Mapping[str, Place]
    found: Mapping[Place, Finding]


def known_values(found: Mapping[Place, Finding], values: Callable[[Place], Iterator[str]], is_reference: Callable[[Place], bool]) -> Known:
    """Collect the values of the personal columns that are worth looking for; `values` gives those of a column."""
    places: dict[str, Place] = {}
    for place, finding in found.items():
        if finding.entity not in _TELLING or finding.confidence < 0.6 or is_reference(place):
            continue
        own = {v for text in values(place) if len(v := text.lower()) >= LEAST_LENGTH and not v.isdigit()}
        if len(own) >= LEAST_VALUES:
            for value in sorted(own):
                places.setdefault(value, place)
    return Known(places, found)


def crossed(place: Place, finding: Finding, values: list[str], known: Known) -> Finding:
    """The finding of a column that seemed harmless, when values of personal columns stand in it.

    Whole values make it what that column is; values inside texts make it free text, or a personal address of the web.
    """
    whole: dict[Place, int] = {}
    inside: dict[Place, int] = {}
    for value in values:
        lowered = value.lower()
        if at := known.places.get(lowered):
            whole[at] = whole.get(at, 0) + 1
        elif at := next((known.places[p] for p in _parts(lowered) if p in known.places), None):
            inside[at] = inside.get(at, 0) + 1
    for hits, are in ((whole, True), (inside, False)):
        others = {p: n for p, n in hits.items() if p != place}
        if not others:
            continue
        at, most = max(others.items(), key=lambda i: (i[1], i[0]))
        if most < max(2, LEAST_SHARE * len(values)):
            continue
        source = known.found[at]
        entity = source.entity if are else "url" if _are_addresses(values) else "text"
        assert entity is not None
        said = f"{most} of {len(values)} different values {'are' if are else 'hold'} values of {at[0]}.{at[1]}, which is personal"
        return replace(finding, klass=class_of(entity), entity=entity, confidence=0.75, evidence=(said,))
    return finding


def _parts(text: str) -> Iterator[str]:
    """The words of a text, and up to three together."""
    words = [w.strip(".") for w in _PARTS.split(text) if w][:60]
    for length in range(1, _WORDS_OF_NAMES + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _are_addresses(values: list[str]) -> bool:
    return sum("://" in v for v in values) >= 0.5 * len(values)
