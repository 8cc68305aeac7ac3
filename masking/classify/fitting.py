"""Whether the values of a column can be what its name says: flags called `email` cannot."""

from __future__ import annotations

from collections.abc import Callable

from masking.classify import likeness, patterns
from masking.classify.profile import Texts

Fit = Callable[[Texts], bool]

FEW_VALUES = 60
FEW_REPEATS = 4.0


def is_closed(texts: Texts, most: int = FEW_VALUES) -> bool:
    """Whether few different values stand again and again: a category."""
    return texts.distinct <= most and texts.repeats >= FEW_REPEATS and texts.longest <= 80


def _has(share: float, test: Callable[[str], bool]) -> Fit:
    return lambda texts: texts.share(test(v) for v in texts.values) >= share


def _digits(least: int) -> Fit:
    return _has(0.6, lambda v: sum(c.isdigit() for c in v) >= least and len(v) <= 45)


def _letters(texts: Texts) -> bool:
    """Most values are made of letters, and are no category of common words."""
    if texts.share(any(c.isalpha() for c in v) and not any(c.isdigit() for c in v) for v in texts.values) < 0.6:
        return False
    return not (is_closed(texts, 20) and texts.share(likeness.is_common(v) for v in texts.values) >= 0.5)


def _words(texts: Texts) -> bool:
    return texts.share(any(c.isalpha() for c in v) for v in texts.values) >= 0.6


def _no_category(texts: Texts) -> bool:
    return not (is_closed(texts) and texts.most_words <= 5)


def _coded(texts: Texts) -> bool:
    """Codes of letters and digits, with no word among them."""
    return (
        texts.share(" " not in v and any(c.isdigit() for c in v) and any(c.isalpha() for c in v) for v in texts.values) >= 0.8
        and texts.mean_length > 5
    )


def _is_number(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return (digits >= 5 or (digits == 4 and len(text) == 4)) and len(text) <= 45


def _other_codes(texts: Texts) -> bool:
    """Codes in capitals that are not those of countries."""
    if texts.longest == 2:
        return texts.share(likeness.is_country_code(v.upper()) for v in texts.values) < 0.5
    return 3 < texts.longest <= 6 and texts.share(v.isupper() for v in texts.values) >= 0.9


def _opaque(texts: Texts) -> bool:
    """Values without spaces that are no category of words."""
    return texts.mean_length >= 3 and not (is_closed(texts, 20) and texts.share(v.isalpha() for v in texts.values) >= 0.5)


def _identifies(texts: Texts) -> bool:
    return texts.mean_words <= 3 and not is_closed(texts, 10)


_FITS: dict[str, Fit] = {
    "email": lambda t: t.mean_words <= 6 and t.share("@" in v for v in t.values) >= 0.3,
    "phone": _has(0.5, patterns.is_digits),
    "given_name": _letters,
    "family_name": _letters,
    "person_name": _letters,
    "username": _identifies,
    "address": lambda t: _words(t) and t.mean_length >= 5 and not is_closed(t, 20) and not _coded(t),
    "street": lambda t: not is_closed(t, 20) and not _coded(t),
    "city": _letters,
    "postcode": _has(0.5, lambda v: any(c.isdigit() for c in v) and len(v) <= 12),
    "region": _letters,
    "country": lambda t: _words(t) and t.mean_words <= 6 and not _other_codes(t),
    "coordinates": _digits(2),
    "company": lambda t: _words(t) and t.mean_words <= 8 and not is_closed(t, 6),
    "job_title": lambda t: _words(t) and t.mean_words <= 9,
    "iban": _digits(8),
    "bank_account": _digits(4),
    "credit_card": _digits(4),
    "national_id": _has(0.6, _is_number),
    "tax_id": _has(0.6, _is_number),
    "passport": _has(0.6, _is_number),
    "driving_licence": _has(0.6, _is_number),
    "vehicle": _digits(1),
    "ip_address": lambda t: t.share(patterns.is_ip(v) or (patterns.is_host(v) and not is_closed(t)) for v in t.values) >= 0.3,
    "mac_address": _has(0.3, lambda v: len(v) >= 12),
    "device_id": lambda t: t.mean_length >= 6 and _no_category(t),
    "url": _has(0.5, lambda v: "." in v or "/" in v),
    "birth_date": _has(0.5, lambda v: patterns.date_in(v) is not None or (v.isdigit() and len(v) in (2, 4, 6, 8))),
    "age": _has(0.6, lambda v: any(c.isdigit() for c in v) and len(v) <= 7),
    "gender": lambda t: t.distinct <= 40 and t.mean_length <= 20,
    "salary": _has(0.6, lambda v: any(c.isdigit() for c in v)),
    "password": _opaque,
    "secret": _opaque,
    "person_id": _identifies,
    "text": _no_category,
}


# of persons they are quasi-identifiers, be they few and their words common: Reading, Bath, Hof
_PLACES = frozenset(("city", "region", "country"))


def fits(entity: str, texts: Texts, *, of_persons: bool = False) -> bool:
    """Whether the texts can hold `entity`; `of_persons` says that each row is a person, and that the name leaves no doubt."""
    truths = texts.share(v.lower() in ("true", "false", "yes", "no", "y", "n") for v in texts.values) >= 0.9
    test = _words if of_persons and entity in _PLACES else _FITS.get(entity, _words)
    return not truths and test(texts)


# what numbers can be: the least and the greatest that make sense, and the fewest different ones
_NUMBERS: dict[str, tuple[float, float]] = {
    "phone": (1e6, 1e16), "postcode": (100, 1e9), "coordinates": (-180, 180), "age": (0, 130), "birth_date": (-1e16, 1e16),
    "salary": (-1e13, 1e13), "health": (-1e6, 1e7), "national_id": (1e4, 1e19), "tax_id": (1e4, 1e19), "bank_account": (1e3, 1e19),
    "credit_card": (0, 1e19), "passport": (1e4, 1e12), "driving_licence": (1e4, 1e15), "device_id": (1e6, 1e19), "person_id": (0, 1e19),
    "gender": (0, 9), "marital_status": (0, 20), "ethnicity": (0, 99), "religion": (0, 99), "nationality": (0, 999), "political": (0, 99),
    "sexuality": (0, 20), "ip_address": (1e6, 1e19), "mac_address": (1e6, 1e19), "secret": (1e3, 1e19), "password": (0, 1e19),
    "country": (0, 999), "vehicle": (1e4, 1e19), "language": (0, 999), "street": (0, 1e5), "username": (1e4, 1e19),
}  # fmt: skip


_DAYS_OF_A_MONTH = 31


def fits_numbers(entity: str, low: float, high: float, distinct: int) -> bool:
    """Whether numbers from `low` to `high`, of which so many are different, can hold `entity`."""
    if entity not in _NUMBERS or (distinct <= 2 and low >= 0 and high <= 1):
        return False
    if entity == "birth_date" and low >= 0 and high <= _DAYS_OF_A_MONTH:
        return False
    least, most = _NUMBERS[entity]
    return least <= low and high <= most
