"""Days of birth that are written as whole numbers, in tables that belong to persons."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from masking.classify import Finding
from tests.masking.classify.tables_of_values import findings, table
from tests.masking.classify.test_surroundings import USERS, persons

ROWS = 120
DRAW = random.Random(5)
BORN = [date(1945, 1, 1) + timedelta(days=DRAW.randrange(60 * 365)) for _ in range(ROWS)]
RECENT = [date(2021, 1, 1) + timedelta(days=DRAW.randrange(4 * 365)) for _ in range(ROWS)]
EPOCH = date(1970, 1, 1)


def of_members(values: Sequence[Any], type: str, name: str = "v1") -> Finding:
    """The finding of a column in a table whose rows belong to persons."""
    cards = table("cards", {"id": "bigint", "member_id": "bigint", name: type}, key=("id",), references={"member_id": "users.id"})
    return findings((USERS, persons()), (cards, {"id": range(ROWS), "member_id": range(1, ROWS + 1), name: values}))["cards", name]


WRITTEN: dict[str, tuple[str, Callable[[date], Any]]] = {
    "YYYYMMDD": ("integer", lambda d: int(f"{d:%Y%m%d}")),
    "DDMMYYYY": ("integer", lambda d: int(f"{d:%d%m%Y}")),
    "numeric": ("numeric(8,0)", lambda d: int(f"{d:%Y%m%d}")),
    "DDMMYY": ("text", lambda d: f"{d:%d%m%y}"),
    "days": ("integer", lambda d: (d - EPOCH).days),
    "seconds": ("bigint", lambda d: (d - EPOCH).days * 86_400),
    "milliseconds": ("bigint", lambda d: (d - EPOCH).days * 86_400_000),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_days_of_birth_as_numbers_are_quasi_identifiers(written: str) -> None:
    type, write = WRITTEN[written]
    assert of_members([write(d) for d in BORN], type).entity == "birth_date"


def test_some_that_nobody_knows_change_nothing() -> None:
    assert of_members([int(f"{d:%Y%m%d}") for d in BORN[:-3]] + [0, 99_999_999, 0], "integer").entity == "birth_date"


@pytest.mark.parametrize("written", WRITTEN)
def test_days_of_events_as_numbers_are_public(written: str) -> None:
    type, write = WRITTEN[written]
    assert of_members([write(d) for d in RECENT], type).klass == "public"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("v1", [DRAW.randrange(0, 15_000) for _ in range(ROWS)]),
        ("v1", [DRAW.randrange(10_000, 999_999) for _ in range(ROWS)]),
        ("amount", [DRAW.randrange(-9_000, 12_000) for _ in range(ROWS)]),
        ("v1", [DRAW.randrange(-300, 300) for _ in range(ROWS)]),
    ],
)
def test_other_numbers_of_persons_are_no_days(name: str, values: list[int]) -> None:
    assert of_members(values, "integer", name).klass == "public"


NAMED: dict[str, tuple[Callable[[date], int], str | None]] = {
    "days": (lambda d: (d - EPOCH).days, "days since 1970"),
    "days after 1970": (lambda d: abs((d - EPOCH).days), "days since 1970"),
    "seconds": (lambda d: (d - EPOCH).days * 86_400, "seconds since 1970 at midnight"),
    "microseconds": (lambda d: (d - EPOCH).days * 86_400_000_000, "microseconds since 1970 at midnight"),
    "YYYYMMDD": (lambda d: int(f"{d:%Y%m%d}"), "year, month and day in 8 digits"),
    "DDMMYYYY": (lambda d: int(f"{d:%d%m%Y}"), "day, month and year in 8 digits"),
    "years": (lambda d: d.year, "years in 4 digits"),
    "with one that nobody knows": (lambda d: 0 if d is BORN[7] else int(f"{d:%Y%m%d}"), None),
}


@pytest.mark.parametrize("way", NAMED)
def test_whole_numbers_that_are_called_days_of_birth_are_such_however_written(way: str) -> None:
    write, written = NAMED[way]
    found = of_members([write(d) for d in BORN], "bigint", "birth_date")
    assert (found.entity, found.written) == ("birth_date", written)


def test_the_month_of_a_birth_is_no_day_of_birth() -> None:
    assert of_members([d.month for d in BORN], "integer", "birth_month").entity != "birth_date"


CODES: dict[str, Callable[[int, date], str]] = {
    "initials, day, number": lambda i, d: f"{'ABCDEFGH'[i % 8]}K{d:%Y%m%d}{i:03}",
    "day first": lambda i, d: f"{d:%d%m%y}-{'ABCDEFGH'[i % 8]}{i:04}",
    "short year": lambda i, d: f"KOW{d:%y%m%d}{i:02}",
}


@pytest.mark.parametrize("code", CODES)
def test_codes_that_days_of_birth_stand_in_are_numbers_of_persons(code: str) -> None:
    found = of_members([CODES[code](i, d) for i, d in enumerate(BORN)], "text")
    assert (found.klass, found.entity) == ("direct", "person_id")
    assert of_members([CODES[code](i, d) for i, d in enumerate(RECENT)], "text").klass == "public"
    assert of_members([f"AK{DRAW.randrange(10**8):08}{i:03}" for i in range(ROWS)], "text").klass == "public"
