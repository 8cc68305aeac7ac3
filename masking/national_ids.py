"""How the national numbers of people are made, country by country: fields, and check digits by python-stdnum.

A plan ranks all numbers of a country, so that they can be permuted among themselves. It knows no clock: a date of two digits'
year lies in 1926 .. 2025.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import prod
from string import ascii_uppercase
from typing import Any

import numpy as np

from schemas.errors import InputError

Check = Callable[[str], str]
Rule = Callable[[str], bool]


@dataclass(frozen=True)
class Digits:
    """All numbers of so many digits."""

    length: int

    @property
    def size(self) -> int:
        return int(10**self.length)

    def rank(self, text: str) -> int | None:
        return int(text) if text.isascii() and text.isdigit() else None

    def write(self, place: int) -> str:
        return f"{place:0{self.length}d}"


@dataclass(frozen=True)
class OneOf:
    """Texts of one length."""

    texts: tuple[str, ...]

    @property
    def length(self) -> int:
        return len(self.texts[0])

    @property
    def size(self) -> int:
        return len(self.texts)

    def rank(self, text: str) -> int | None:
        return _places(self.texts).get(text)

    def write(self, place: int) -> str:
        return self.texts[place]


@cache
def _places(texts: tuple[str, ...]) -> Mapping[str, int]:
    return {text: i for i, text in enumerate(texts)}


@dataclass(frozen=True)
class Plan:
    """The fields of a number, and its check digits, which stand at `at` (None for the end); `rule` says which combinations exist."""

    fields: tuple[Digits | OneOf, ...]
    check: Check | None = None
    check_length: int = 1
    at: int | None = None
    rule: Rule | None = None

    @property
    def size(self) -> int:
        """How many combinations of the fields there are."""
        return prod(f.size for f in self.fields)

    @property
    def length(self) -> int:
        """The characters of a number, without separators."""
        return sum(f.length for f in self.fields) + (self.check_length if self.check else 0)

    def rank(self, number: str) -> int | None:
        """Return the place of a number among all; None where it is none of this plan."""
        if len(number) != self.length:
            return None
        at, width = (len(number) - self.check_length if self.at is None else self.at), self.check_length if self.check else 0
        body = number[:at] + number[at + width :] if width else number
        place, start = 0, 0
        for f in self.fields:
            rank = f.rank(body[start : start + f.length])
            if rank is None:
                return None
            place, start = place * f.size + rank, start + f.length
        return place if self.write(place) == number else None

    def write(self, place: int) -> str | None:
        """Return the number at a place; None where no number has these fields."""
        parts = []
        for f in reversed(self.fields):
            place, rest = divmod(place, f.size)
            parts.append(f.write(rest))
        body = "".join(reversed(parts))
        if self.rule is not None and not self.rule(body):
            return None
        if self.check is None:
            return body
        check = self.check(body)
        if len(check) != self.check_length:
            return None  # such as a remainder of 10, for which there is no digit
        at = len(body) if self.at is None else self.at
        return body[:at] + check + body[at:]


def _numbers(low: int, high: int, width: int) -> tuple[str, ...]:
    return tuple(f"{i:0{width}d}" for i in range(low, high + 1))


@cache
def _dates(form: str) -> OneOf:
    """All dates, as year, month and day in the order of `form` (such as `ymd`), two digits each."""
    texts = []
    for year in range(1926, 2026):
        for month in range(1, 13):
            for day in range(1, monthrange(year, month)[1] + 1):
                if (year, month, day) != (2000, 2, 29):  # it was none in 1900, and two digits do not tell
                    parts = {"y": f"{year % 100:02d}", "m": f"{month:02d}", "d": f"{day:02d}"}
                    texts.append("".join(parts[part] for part in form))
    return OneOf(tuple(sorted(texts)))


@cache
def _months_of_centuries(shift: Mapping[int, int] | tuple[tuple[int, int], ...]) -> OneOf:
    """Dates of year, month and day, in which the month tells the century: what is added to it from 1900 on, and from 2000 on."""
    texts = []
    for first, added in dict(shift).items():
        for text in _dates("ymd").texts:
            if (int(text[:2]) <= 25) == (first == 2000):
                texts.append(f"{text[:2]}{int(text[2:4]) + added:02d}{text[4:]}")
    return OneOf(tuple(sorted(texts)))


def _stdnum(module: str) -> Any:
    try:
        return import_module(f"stdnum.{module}")
    except ImportError:
        raise InputError("national numbers need python-stdnum; it comes with `pip install 'companyos-data[pii]'`") from None


def _by(module: str, function: str = "calc_check_digit", padded: str = "") -> Check:
    """The check digits that a module of python-stdnum calculates for a body; `padded` follows it where the module wants a whole number."""
    return lambda body: str(getattr(_stdnum(module), function)(body + padded))


def _norwegian(body: str) -> str:
    numbers = _stdnum("no.fodselsnummer")
    first = numbers.calc_check_digit1(body)
    return str(first + numbers.calc_check_digit2(body + first))


def _dutch(body: str) -> str:
    return str(sum((9 - i) * int(digit) for i, digit in enumerate(body)) % 11)


def _brazilian(body: str) -> str:
    first = (11 - sum((10 - i) * int(body[i]) for i in range(9))) % 11 % 10
    second = (11 - sum((11 - i) * int(body[i]) for i in range(9)) - 2 * first) % 11 % 10
    return f"{first}{second}"


def _belgian(body: str) -> str:
    # who was born from 2000 on has a 2 before the number
    return f"{97 - int(body if int(body[:2]) > 25 else '2' + body) % 97:02d}"


def _finnish(body: str) -> str:
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(body[:6] + body[7:]) % 31]


def _austrian(body: str) -> str:
    return str(_stdnum("at.vnr").calc_check_digit(body[:3] + "0" + body[3:]))


def _australian(body: str) -> str:
    # the weighted sum of all nine digits is a multiple of 11, and the last digit weighs 10, which is -1
    return str(sum(weight * int(digit) for weight, digit in zip((1, 4, 3, 7, 5, 8, 6, 9), body)) % 11)


def _of_german_kind(body: str) -> bool:
    """One digit twice or three times (not in a row), one or two digits never, all others once."""
    counts = sorted(np.bincount([int(c) for c in body], minlength=10).tolist())
    return counts[-1] in (2, 3) and counts[-2] == 1 and not any(c * 3 in body for c in "0123456789")


def _of_norwegian_kind(body: str) -> bool:
    year, individual = int(body[4:6]), int(body[6:9])
    return individual < 500 if year > 25 else individual >= 500


def _of_finnish_kind(body: str) -> bool:
    return (body[6] == "A") == (int(body[4:6]) <= 25)


def _of_danish_kind(body: str) -> bool:
    # the seventh digit tells the century: 0 to 3 the 20th, 4 to 9 the 21st up to 2036
    return (body[6] < "4") == (int(body[4:6]) > 25)


def _of_korean_kind(body: str) -> bool:
    return (body[6] in "34") == (int(body[:2]) <= 25) and int(body[7:9]) <= 96


def _of_baltic_kind(body: str) -> bool:
    return (body[0] in "56") == (int(body[1:3]) <= 25)


def _of_american_kind(body: str) -> bool:
    return body not in ("078051120", "457555462", "219099999")  # printed on cards in wallets, in advertisements


_LETTERS = tuple(ascii_uppercase)
_MONTHS = OneOf(_numbers(1, 12, 2))
_DEPARTMENTS = OneOf(tuple(d for d in _numbers(1, 95, 2) if d != "20"))
_ITALIAN_DAYS = OneOf((*_numbers(1, 28, 2), *_numbers(41, 68, 2)))
_BALTIC = (OneOf(tuple("3456")), _dates("ymd"), Digits(3))
_NINO = OneOf(
    tuple(a + b for a in "ABCEGHJKLMNOPRSTWXYZ" for b in "ABCEGHJKLMNPRSTWXYZ" if a + b not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"))
)

PLANS: Mapping[str, tuple[Plan, ...]] = {
    "AT": (Plan((OneOf(_numbers(100, 999, 3)), _dates("dmy")), _austrian, at=3),),
    "AU": (Plan((Digits(8),), _australian),),
    "BE": (Plan((_dates("ymd"), OneOf(_numbers(1, 997, 3))), _belgian, 2),),
    "BG": (Plan((_months_of_centuries(((1900, 0), (2000, 40))), Digits(3)), _by("bg.egn")),),
    "BR": (Plan((Digits(9),), _brazilian, 2),),
    "CA": (Plan((OneOf(tuple("12345679")), Digits(7)), _by("luhn")),),
    "CH": (Plan((OneOf(("756",)), Digits(9)), _by("ean")),),
    "CZ": (Plan((_dates("ymd"), Digits(3)), lambda body: str(int(body) % 11 % 10)),),
    "DE": (Plan((OneOf(tuple("123456789")), Digits(9)), _by("iso7064.mod_11_10"), rule=_of_german_kind),),
    "DK": (Plan((_dates("dmy"), Digits(4)), rule=_of_danish_kind),),
    "EE": (Plan(_BALTIC, _by("ee.ik", padded="0"), rule=_of_baltic_kind),),
    "ES": (
        Plan((Digits(8),), _by("es.dni")),
        Plan((OneOf(("X", "Y", "Z")), Digits(7)), _by("es.nie")),
    ),
    "FI": (Plan((_dates("dmy"), OneOf(("-", "A")), OneOf(_numbers(2, 899, 3))), _finnish, rule=_of_finnish_kind),),
    "FR": (Plan((OneOf(("1", "2")), Digits(2), _MONTHS, _DEPARTMENTS, Digits(3), Digits(3)), _by("fr.nir", "calc_check_digits"), 2),),
    "GB": (Plan((_NINO, Digits(6), OneOf(tuple("ABCD")))),),
    "GR": (Plan((_dates("dmy"), Digits(4)), _by("luhn")),),
    "HR": (Plan((Digits(10),), _by("iso7064.mod_11_10")),),
    "IL": (Plan((Digits(8),), _by("luhn")),),
    "IN": (Plan((OneOf(tuple("23456789")), Digits(10)), _by("verhoeff"), rule=lambda body: body[:6] != body[:4:-1]),),
    "IT": (
        Plan(
            (*[OneOf(_LETTERS)] * 6, Digits(2), OneOf(tuple("ABCDEHLMPRST")), _ITALIAN_DAYS, OneOf(_LETTERS[:12]), Digits(3)),
            _by("it.codicefiscale"),
        ),
    ),
    "JP": (Plan((Digits(11),), _by("jp.in_")),),
    "KR": (Plan((_dates("ymd"), OneOf(tuple("1234")), Digits(5)), _by("kr.rrn"), rule=_of_korean_kind),),
    "LT": (Plan(_BALTIC, _by("ee.ik", padded="0"), rule=_of_baltic_kind),),
    "NL": (Plan((Digits(8),), _dutch),),
    "NO": (Plan((_dates("dmy"), Digits(3)), _norwegian, 2, rule=_of_norwegian_kind),),
    "PL": (Plan((_months_of_centuries(((1900, 0), (2000, 20))), Digits(4)), _by("pl.pesel")),),
    "RO": (Plan((OneOf(("1", "2")), _dates("ymd"), OneOf(_numbers(1, 46, 2)), OneOf(_numbers(1, 999, 3))), _by("ro.cnp")),),
    "SE": (
        Plan((_dates("ymd"), Digits(3)), _by("luhn")),
        Plan((OneOf(("19",)), _dates("ymd"), Digits(3)), lambda body: str(_stdnum("luhn").calc_check_digit(body[2:]))),
    ),
    "TH": (Plan((OneOf(tuple("12345678")), Digits(11)), _by("th.pin")),),
    "TR": (Plan((OneOf(tuple("123456789")), Digits(8)), _by("tr.tckimlik", "calc_check_digits"), 2),),
    "UA": (Plan((Digits(9),), _by("ua.rntrc")),),
    "US": (
        Plan(
            (OneOf(tuple(a for a in _numbers(1, 899, 3) if a != "666")), OneOf(_numbers(1, 99, 2)), OneOf(_numbers(1, 9999, 4))),
            rule=_of_american_kind,
        ),
    ),
    "ZA": (Plan((_dates("ymd"), Digits(4), OneOf(("0", "1")), OneOf(("8", "9"))), _by("luhn")),),
}
"""The plans of each country (ISO 3166), the first the commonest."""

NEVER_ISSUED: Mapping[str, Plan] = {
    # no social security number begins with 9, and no taxpayer's one (ITIN) of these has a group up to 49
    "US": Plan((OneOf(_numbers(900, 999, 3)), OneOf(_numbers(1, 49, 2)), OneOf(_numbers(1, 9999, 4)))),
    # numbers from 900 on are for tests and for the time being
    "FI": Plan((_dates("dmy"), OneOf(("-", "A")), OneOf(_numbers(900, 999, 3))), _finnish, rule=_of_finnish_kind),
    # no number begins with Q; it stands in examples
    "GB": Plan((OneOf(("QQ",)), Digits(6), OneOf(tuple("ABCD")))),
}
"""Ranges from which the authorities give no numbers."""
