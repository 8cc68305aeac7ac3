"""Check digits and formats: what tells a number of a kind from any other number of its length."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

_SEPARATORS = re.compile(r"[\s.\-/]")
_CARD_LENGTHS = range(12, 20)

# national numbers that carry a check digit, by the module of python-stdnum; `written` is how they stand in texts
NATIONAL_IDS = {
    "us.ssn": ("national_id", r"\d{3}-\d{2}-\d{4}"),
    "br.cpf": ("national_id", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    "br.cnpj": ("tax_id", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"),
    "es.nif": ("national_id", r"[XYZ]?\d{7,8}-?[A-Z]"),
    "it.codicefiscale": ("national_id", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"),
    "fr.nir": ("national_id", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"),
    "pl.pesel": ("national_id", r"\d{11}"),
    "de.idnr": ("tax_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
    "nl.bsn": ("national_id", r"\d{9}"),
    "gb.nhs": ("national_id", r"\d{3} ?\d{3} ?\d{4}"),
    "se.personnummer": ("national_id", r"(?:\d{2})?\d{6}[-+]\d{4}"),
    "dk.cpr": ("national_id", r"\d{6}-\d{4}"),
    "fi.hetu": ("national_id", r"\d{6}[-+A]\d{3}[\dA-Y]"),
    "no.fodselsnummer": ("national_id", r"\d{6} ?\d{5}"),
    "cz.rc": ("national_id", r"\d{6}/\d{3,4}"),
    "ca.sin": ("national_id", r"\d{3}[- ]\d{3}[- ]\d{3}"),
    "in_.aadhaar": ("national_id", r"\d{4} ?\d{4} ?\d{4}"),
    "in_.pan": ("tax_id", r"[A-Z]{5}\d{4}[A-Z]"),
    "ch.ssn": ("national_id", r"756\.\d{4}\.\d{4}\.\d{2}"),
    "be.nn": ("national_id", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    "gb.nino": ("national_id", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
}  # fmt: skip
# without punctuation of their own, one in ten or more of all numbers of their length would pass: words near them must speak for them
NEEDS_CONTEXT = frozenset(("pl.pesel", "nl.bsn", "gb.nhs", "de.idnr", "in_.aadhaar", "no.fodselsnummer", "ca.sin"))


@lru_cache(maxsize=64)
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def digits(text: str) -> str:
    """The text without the separators that numbers are grouped by."""
    return _SEPARATORS.sub("", text)


def is_luhn(number: str) -> bool:
    """Whether the last digit is the Luhn check digit (ISO/IEC 7812-1)."""
    return bool(_module("luhn").is_valid(number))


def is_card(text: str) -> bool:
    """Whether a text is a payment card's number: 12 to 19 digits with a Luhn check digit, not all alike."""
    number = digits(text)
    return len(number) in _CARD_LENGTHS and len(set(number)) > 2 and is_luhn(number)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616); its country's own format is not asked for."""
    number = digits(text).upper()
    if not 14 <= len(number) <= 34 or not number.isalnum():
        return False
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1


def is_national_id(kind: str, text: str) -> bool:
    """Whether a text is a valid number of a kind of `NATIONAL_IDS`."""
    if kind == "gb.nino":
        return True
    return bool(_module(kind).is_valid(text))
