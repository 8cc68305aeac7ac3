"""Looks in columns that seem harmless for values that stand in personal ones: the database's own dictionary.

A path that holds a user name, a note in which a customer's e-mail address stands, an identifier without a foreign key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from masking.classify import likeness
from masking.classify.finding import Finding, class_of
from masking.classify.patterns import text_of_hex

Place = tuple[str, str]

# what is worth looking for: values that few others have
_TELLING = frozenset((
    "person_name", "username", "email", "phone", "iban", "bank_account", "credit_card", "national_id", "tax_id", "passport",
    "driving_licence", "vehicle", "ip_address", "mac_address", "device_id", "person_id", "company", "url",
))  # fmt: skip
LEAST_LENGTH = 6
LEAST_VALUES = 8
LEAST_SHARE = 0.05
# of columns with fewer values, whole cells tell, and where they are half of another column's values
FEWEST_VALUES = 2
SHORTEST = 4
HALF = 0.5
_PARTS = re.compile(r"[\s,;:/?&=|<>()\[\]{}\"']+")
_WORDS_OF_NAMES = 3


@dataclass(frozen=True)
class Known:
    """The values of personal columns, in lower case, and where each stands; `few` are those that are looked for in whole cells alone."""

    places: Mapping[str, Place]
    few: Mapping[str, Place]
    found: Mapping[Place, Finding]


def known_values(found: Mapping[Place, Finding], values: Callable[[Place], Iterator[str]], is_reference: Callable[[Place], bool]) -> Known:
    """Collect the values of the personal columns that are worth looking for; `values` gives those of a column."""
    places: dict[str, Place] = {}
    few: dict[str, Place] = {}
    for place, finding in found.items():
        if finding.entity not in _TELLING or finding.confidence < 0.6 or is_reference(place):
            continue
        every = {v for text in values(place) if not (v := _plain(text)).isdigit()}
        own = {v for v in every if len(v) >= LEAST_LENGTH}
        if len(own) >= LEAST_VALUES:
            for value in sorted(own):
                places.setdefault(value, place)
        elif len(every) >= FEWEST_VALUES:
            for value in sorted(every):
                if (len(value) >= SHORTEST or not value.isascii()) and not likeness.is_common(value):
                    few.setdefault(value, place)
    return Known(places, few, found)


def crossed(place: Place, finding: Finding, values: list[str], known: Known) -> Finding:
    """The finding of a column that seemed harmless, when values of personal columns stand in it.

    Whole values make it what that column is; values inside texts make it free text, or a personal address of the web.
    """
    whole: dict[Place, int] = {}
    inside: dict[Place, int] = {}
    few: dict[Place, int] = {}
    written = [text_of_hex(value) for value in values]
    in_hex = sum(text is not None for text in written) >= max(1, HALF * len(values))
    for value, text in zip(values, written, strict=True):
        lowered = _plain(text or value)
        if at := known.few.get(lowered):
            few[at] = few.get(at, 0) + 1
        if at := known.places.get(lowered):
            whole[at] = whole.get(at, 0) + 1
        elif at := next((known.places[p] for p in _parts(lowered) if p in known.places), None):
            inside[at] = inside.get(at, 0) + 1
    for hits, are, least in ((whole, True, LEAST_SHARE), (inside, False, LEAST_SHARE), (few, True, HALF)):
        others = {p: n for p, n in hits.items() if p != place}
        if not others:
            continue
        at, most = max(others.items(), key=lambda i: (i[1], i[0]))
        if most < max(2, least * len(values)):
            continue
        source = known.found[at]
        entity = source.entity if are else "url" if _are_addresses(values) else "text"
        assert entity is not None
        said = f"{most} of {len(values)} different values {'are' if are else 'hold'} values of {at[0]}.{at[1]}, which is personal"
        if in_hex:  # a pseudonym would stand there in letters, and nothing finds a name in hexadecimal digits
            return replace(finding, klass="direct", entity=None, confidence=0.75, evidence=(said, "written in hexadecimal digits"))
        return replace(finding, klass=class_of(entity), entity=entity, confidence=0.75, evidence=(said,))
    return finding


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _parts(text: str) -> Iterator[str]:
    """The words of a text, and up to three together."""
    words = [w.strip(".") for w in _PARTS.split(text) if w][:60]
    for length in range(1, _WORDS_OF_NAMES + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _are_addresses(values: list[str]) -> bool:
    return sum("://" in v for v in values) >= 0.5 * len(values)
