"""Numbers with check digits: national ids, tax numbers, cards, accounts; and how often a number is right by chance.

The validators are python-stdnum's. A tenth of all numbers is right by Luhn's rule and every one by a rule that only counts
digits, so each column is its own measure: its values are tried once more with their digits drawn at random. What is far more
often right than those is right on purpose.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from schemas.errors import InputError

# modules of stdnum for the numbers of persons, of those that tax them, and of things
_PERSONS = (
    "ar.dni", "at.vnr", "be.nn", "bg.egn", "bg.pnf", "br.cpf", "ca.sin", "ca.bc_phn", "ch.ssn", "cl.rut", "cn.ric", "cr.cpf", "cu.ni",
    "cz.rc", "dk.cpr", "do.cedula", "ec.ci", "ee.ik", "es.dni", "es.nie", "es.nif", "fi.hetu", "fr.nir", "gb.nhs", "gb.upn", "gr.amka",
    "hr.oib", "id.nik", "ie.pps", "il.idnr", "in_.aadhaar", "in_.vid", "is_.kennitala", "it.codicefiscale", "jp.in_", "kr.rrn",
    "lt.asmens", "mu.nid", "mx.curp", "my.nric", "nl.bsn", "no.fodselsnummer", "pe.cui", "pk.cnic", "pl.pesel", "pt.cc", "ro.cnp",
    "se.personnummer", "si.emso", "th.pin", "tr.tckimlik", "za.idnr",
)  # fmt: skip
_TAXES = (
    "ar.cuit", "at.tin", "au.abn", "au.tfn", "be.vat", "br.cnpj", "ch.uid", "co.nit", "cz.dic", "de.idnr", "de.vat", "es.cif",
    "fi.veronumero", "fr.nif", "fr.siren", "fr.siret", "fr.tva", "gb.utr", "gb.vat", "in_.pan", "in_.gstin", "it.iva", "mx.rfc", "nl.btw",
    "nz.ird", "pl.nip", "pt.nif", "ru.inn", "se.orgnr", "tr.vkn", "eu.vat",
)  # fmt: skip
_THINGS = ("ean", "isbn", "issn", "lei", "isin", "ismn", "iso6346", "imo", "figi", "pl.regon", "us.rtn")
_MODULES = {
    **dict.fromkeys(_PERSONS, "national_id"), **dict.fromkeys(_TAXES, "tax_id"), **dict.fromkeys(_THINGS, "thing"), "iban": "iban",
    "imei": "device_id",
}  # fmt: skip
# Visa, Mastercard, Maestro, UnionPay, JCB; American Express and Diners Club have fewer digits
_CARD = re.compile(
    r"(?:4\d{3}|5[0-8]\d\d|2[2-7]\d\d|35\d\d|6\d{3})(?:[ -]?\d{4}){2}[ -]?\d{1,7}"
    r"|3[47]\d\d[ -]?\d{6}[ -]?\d{5}|3[0689]\d\d[ -]?\d{6}[ -]?\d{4}"
)
_CANDIDATE = re.compile(r"(?=(?:.*\d){6})[A-Za-z0-9][A-Za-z0-9 ./\-+]{5,38}")
TRIED = 120
LEAST_SHARE = 0.8
MOST_BY_CHANCE = 0.35
MOST_ZEROS = 2  # at the beginning of a number: the year 2000, and days before the tenth


@dataclass(frozen=True)
class Checked:
    """A validator that says yes to `share` of the values, and to `by_chance` of such values with other digits."""

    entity: str
    rule: str
    share: float
    by_chance: float
    tried: int

    @property
    def evidence(self) -> str:
        right = round(self.share * self.tried)
        return f"{right} of {self.tried} different values have the right check digits of {self.rule}, of random ones {self.by_chance:.1%}"


def is_card(text: str) -> bool:
    """Whether a text is a card number: 13 to 19 digits that begin as networks' do, with Luhn's digit (ISO/IEC 7812-1)."""
    if _CARD.fullmatch(text) is None:
        return False
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))) % 10 == 0


@cache
def _validators() -> tuple[tuple[str, str, Callable[[str], bool]], ...]:
    try:
        return (
            ("credit_card", "card numbers", is_card),
            ("vehicle", "vehicle identification numbers", is_vin),
            *((entity, name.replace("_", ""), import_module(f"stdnum.{name}").is_valid) for name, entity in _MODULES.items()),
        )
    except ModuleNotFoundError:
        raise InputError("python-stdnum, which knows check digits, is missing; pip install 'companyos-data[pii]'") from None


def checked(values: Sequence[str]) -> list[Checked]:
    """The validators that most of `values` pass and random ones of the same shape do not, the most particular first.

    Digits that may have lost the zeros that they began with, as numbers do (a year of birth such as 04), are tried with these as well;
    so found are numbers of persons alone.
    """
    step = max(1, -(-len(values) // TRIED))
    tried = [v for v in values[::step] if len(v) <= 40]
    candidates = sum(1 for v in tried if _CANDIDATE.fullmatch(v))
    if len(tried) < 3 or candidates < LEAST_SHARE * len(tried):
        return []
    if found := _passed(tried):
        return found
    for padded in _with_zeros(tried):
        found = _passed(padded)
        if found and found[0].entity != "thing":
            return found
    return []


def _passed(tried: Sequence[str]) -> list[Checked]:
    scrambled: list[str] = []
    found = []
    for entity, rule, test in _validators():
        share = _share(tried, test)
        if share < LEAST_SHARE:
            continue
        scrambled = scrambled or _scrambled(tried)
        by_chance = _share(scrambled, test)
        # three values that are right by chance in one of three cases say nothing
        if by_chance <= MOST_BY_CHANCE and max(by_chance, 0.02) ** (share * len(tried)) < 1e-4:
            found.append(Checked(entity, rule, share, by_chance, len(tried)))
    return sorted(found, key=lambda c: (c.entity not in _FIRST, round(c.by_chance, 2), -round(c.share, 2), _ORDER.index(c.entity), c.rule))


def _with_zeros(tried: Sequence[str]) -> Iterator[Sequence[str]]:
    """Digits with the zeros that they may have lost, up to so many more than most of them have; nothing where one begins with a zero."""
    if not all(v.isdecimal() and v.isascii() and (v == "0" or v[0] != "0") for v in tried):
        return
    usual = Counter(map(len, tried)).most_common(1)[0][0]
    for size in range(usual, usual + MOST_ZEROS + 1):
        padded = [v.zfill(size) for v in tried]
        if padded != list(tried):
            yield padded


# accounts and cards have beginnings of their own, so that nothing else is likelier
_FIRST = ("iban", "credit_card")
_ORDER = ("iban", "credit_card", "vehicle", "thing", "national_id", "device_id", "tax_id")


def _share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    """The share that passes; a first glance at some of them decides whether the others are asked at all."""
    first = values[:12]
    passed = sum(1 for v in first if test(v))
    if passed == 0:
        return 0.0
    return (passed + sum(1 for v in values[len(first) :] if test(v))) / len(values)


def _scrambled(values: Sequence[str]) -> list[str]:
    """The values with other digits in the places of theirs, several of each, always the same.

    Only digits that stand in that place somewhere are drawn: counters that begin with zeros, and prefixes that all values share,
    are kept as they are.
    """
    draw = random.Random(1)
    places: dict[tuple[int, int], list[str]] = {}
    for value in values:
        for i, c in enumerate(value):
            if c.isdigit():
                seen = places.setdefault((len(value), i), [])
                if c not in seen:
                    seen.append(c)
    times = max(1, 240 // len(values))
    return ["".join(draw.choice(places[len(v), i]) if c.isdigit() else c for i, c in enumerate(v)) for v in values for _ in range(times)]


_VIN_VALUES = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_vin(text: str) -> bool:
    """Whether a text is a vehicle identification number with its check digit (49 CFR 565.15)."""
    if len(text) != 17 or any(c not in _VIN_VALUES for c in text):
        return False
    return "0123456789X"[sum(_VIN_VALUES[c] * w for c, w in zip(text, _VIN_WEIGHTS, strict=True)) % 11] == text[8]
