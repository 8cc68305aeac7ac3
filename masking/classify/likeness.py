"""Whether values are like names of persons, user names, cities, streets, companies or jobs."""

from __future__ import annotations

import re
from functools import cache

from masking.classify.dictionaries import Dictionaries, dictionaries
from schemas.errors import InputError

_TOKENS = re.compile(r"[\s,]+")
_PARTICLES = frozenset((
    "van", "von", "de", "der", "den", "del", "della", "di", "da", "do", "dos", "das", "du", "la", "le", "el", "al", "bin", "ibn", "y",
    "e", "zu", "zum", "ter", "ten", "af", "av", "dalla", "degli", "los", "las", "i", "und", "and", "et", "'t", "st", "st.", "jr", "jr.",
    "sr", "sr.", "ii", "iii", "iv",
))  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_LATIN_WORD = re.compile(r"[^\W\d_]{2,}")
_USERNAME = re.compile(r"@?[A-Za-z0-9][\w.+~-]{2,39}")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,6}")
_CAPITALISED = re.compile(r"[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*\.?")
_COMPANY_PAIR = re.compile(r"[^\W\d_][\w'’]+(?:-[^\W\d_][\w'’]+)+|[^\W\d_][\w'’]+(?:, [\w'’ ]+)? (?:and|und|et|e|y|i|&) [^\W\d_][\w'’]+")


def _tokens(text: str) -> list[str]:
    return [t for t in _TOKENS.split(text.lower()) if t]


def is_given(text: str) -> bool:
    """Whether a text is a given name, or several."""
    known = dictionaries().given
    lowered = text.lower()
    return lowered in known or (0 < len(parts := _tokens(lowered.replace("-", " "))) <= 3 and all(p in known for p in parts))


def is_family(text: str) -> bool:
    """Whether a text is a family name, one of several words and particles included."""
    known = dictionaries().family
    lowered = text.lower()
    parts = [p for p in _tokens(lowered.replace("-", " ")) if p not in _PARTICLES]
    return lowered in known or (0 < len(parts) <= 3 and all(p in known for p in parts))


def is_person(text: str) -> bool:
    """Whether a text is the full name of a person: a given and a family name that are known, in either order."""
    if _DIGIT.search(text) or len(text) > 70:
        return False
    words = dictionaries()
    if _CJK.fullmatch(text):
        return any(text[:i] in words.family and text[i:] in words.given for i in range(1, len(text)))
    parts = [p for p in _tokens(text) if p.rstrip(".") not in words.titles or p.rstrip(".") in words.given]
    parts = [p for p in parts if p not in _PARTICLES]
    if not 2 <= len(parts) <= 5:
        return False
    known_given = [_known(p, words.given) for p in parts]
    known_family = [_known(p, words.family) for p in parts]
    initials = sum(len(p.rstrip(".")) == 1 for p in parts)
    either = sum(g or f for g, f in zip(known_given, known_family, strict=True)) + initials
    if either < len(parts) - (1 if len(parts) > 3 else 0):
        return False
    ends = (known_given[0] and known_family[-1]) or (known_family[0] and known_given[-1])
    return ends or (initials > 0 and (known_family[0] or known_family[-1]))


def begins_with_family(text: str) -> bool:
    """Whether a text of ideographs or Hangul is as long as a full name, and begins with a family name that is known."""
    family = dictionaries().family
    return _CJK.fullmatch(text) is not None and any(text[:i] in family for i in range(1, len(text)))


def _known(word: str, names: frozenset[str]) -> bool:
    return word in names or ("-" in word and all(w in names for w in word.split("-"))) or ("'" in word and word.replace("'", "") in names)


def is_written_like_person(text: str) -> bool:
    """Whether a text is written as full names are: two to four capitalised words, none of them common."""
    if _DIGIT.search(text):
        return False
    parts = [p for p in _TOKENS.split(text) if p and p.lower() not in _PARTICLES]
    common = dictionaries().common
    return 2 <= len(parts) <= 4 and all(_CAPITALISED.fullmatch(p) and p.lower() not in common for p in parts)


def is_username(text: str) -> bool:
    """Whether a text is a user name made of a name: `anna.smith`, `asmith42`, `smith_a`."""
    if _USERNAME.fullmatch(text) is None:
        return False
    words = dictionaries()
    for part in _LETTERS.findall(text.lower()):
        if len(part) >= 4 and (part in words.given or part in words.family):
            return True
        if len(part) >= 5 and (part[1:] in words.family or part[:-1] in words.family):
            return True
        if len(part) >= 7 and _joined(part, words):
            return True
    return False


def _joined(part: str, words: Dictionaries) -> bool:
    return any(part[:i] in words.given and part[i:] in words.family for i in range(3, len(part) - 2))


def is_city(text: str) -> bool:
    words = dictionaries()
    return text.lower() in words.cities


def is_city_like(text: str) -> bool:
    """Whether a text is a city, or built like the name of one."""
    lowered = text.lower()
    words = dictionaries()
    if lowered in words.cities:
        return True
    if _DIGIT.search(text) or not text[:1].isupper() or len(text) > 40:
        return False
    parts = lowered.split()
    return len(parts) <= 4 and ((len(parts) > 1 and parts[0] in words.city_beginnings) or lowered.endswith(words.city_endings))


def is_region(text: str) -> bool:
    return text.lower() in dictionaries().regions


def is_country(text: str) -> bool:
    """Whether a text is the name of a country, or its code (ISO 3166-1)."""
    return text.lower() in dictionaries().countries or text.upper() in _country_codes()


@cache
def _country_codes() -> frozenset[str]:
    try:
        from phonenumbers import SUPPORTED_REGIONS
    except ModuleNotFoundError:
        raise InputError("phonenumbers, which knows the countries, is missing; pip install 'companyos-data[pii]'") from None
    return frozenset(SUPPORTED_REGIONS)


def is_country_code(text: str) -> bool:
    return len(text) == 2 and text.isupper() and text in _country_codes()


def is_street(text: str) -> bool:
    """Whether a text is a street with a number, or a whole address."""
    if len(text) < 5 or len(text) > 200:
        return False
    lowered = text.lower()
    words = dictionaries()
    tokens = [t.strip(".,;") for t in _TOKENS.split(lowered)]
    named = [t for t in tokens if (t in words.street_words and len(t) > 1) or t.endswith(words.street_endings)]
    return bool(named) and (_DIGIT.search(text) is not None or len(tokens) > 1) and any(len(t) > 2 for t in tokens if t not in named)


def is_address(text: str) -> bool:
    """Whether a text is a whole address: a street with a number, and a place or postal code after it."""
    return (
        ("," in text or "\n" in text or ";" in text)
        and len(_DIGIT.findall(text)) >= 2
        and len(text) > 15
        and len(_LATIN_WORD.findall(text)) >= 2
    )


def is_company(text: str) -> bool:
    """Whether a text is the name of a company: with a legal form, or two family names joined."""
    words = dictionaries()
    tokens = [t.replace(".", "") for t in _TOKENS.split(text.lower()) if t]
    if len(tokens) > 1 and (tokens[-1] in words.company_words or (tokens[0] in words.company_words and len(tokens[0]) > 1)):
        return True
    if _COMPANY_PAIR.fullmatch(text) is None:
        return False
    parts = [p for p in re.split(r"[-,\s&]+", text.lower()) if p and p not in _PARTICLES]
    return len(parts) > 1 and all(p in words.family for p in parts)


def is_job(text: str) -> bool:
    return text.lower() in dictionaries().jobs


def is_common(text: str) -> bool:
    """Whether most words of a text are common ones that are no names."""
    found = _LATIN_WORD.findall(text.lower())
    common = dictionaries().common
    return bool(found) and sum(w in common or (w.endswith("s") and w[:-1] in common) for w in found) >= 0.6 * len(found)
