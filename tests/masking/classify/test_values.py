"""What values say by themselves, whatever their column is called."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import faker
import pyarrow as pa
import pytest
from stdnum.no import fodselsnummer
from stdnum.pl import pesel

from masking.classify.checksums import checked
from tests.masking.classify.tables_of_values import findings, one, table

ROWS = 120


def made(method: str, locale: str = "en_US", rows: int = ROWS, **arguments: Any) -> list[str]:
    source = faker.Faker(locale)
    source.seed_instance(5)
    return [str(getattr(source, method)(**arguments)) for _ in range(rows)]


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        ("email", made("email")),
        ("ip_address", made("ipv4")),
        ("ip_address", made("ipv6")),
        ("mac_address", made("mac_address")),
        ("iban", made("iban", "de_DE")),
        ("credit_card", made("credit_card_number", card_type="visa")),
        ("national_id", made("nif", "es_ES")),
        ("national_id", made("ssn", "nl_NL")),
        ("national_id", made("pesel", "pl_PL")),
        ("national_id", made("cpf", "pt_BR")),
        ("national_id", made("ssn", "it_IT")),
        ("national_id", made("ssn", "fr_FR")),
        ("national_id", made("ssn", "en_US")),
        ("person_name", made("name", "en_US")),
        ("person_name", made("name", "de_DE")),
        ("person_name", made("name", "ja_JP")),
        ("person_name", made("name", "it_IT")),
        ("phone", made("phone_number", "fr_FR")),
        ("phone", [f"004930{1000000 + 7919 * i}" for i in range(ROWS)]),
        ("company", made("company", "en_US")),
        ("device_id", made("user_agent")),
        ("password", [f"$2b$12${'x' * 20}{i:033}" for i in range(50)]),
    ],
)
def test_values_are_known_without_a_name(entity: str, values: list[str]) -> None:
    found = one("c17", values)
    assert found.entity == entity
    assert found.klass != "public"


def test_numbers_that_are_filled_with_zeros_are_no_telephone_numbers() -> None:
    assert one("c17", [f"{100_000_000 + 7919 * i:011}" for i in range(ROWS)]).klass == "public"
    assert one("c17", [f"{10_000_000_000 + 7919 * i:013}" for i in range(ROWS)]).klass == "public"


@pytest.mark.parametrize("method", ["first_name", "last_name", "street_address", "city", "user_name", "job"])
def test_values_that_only_dictionaries_know_are_masked(method: str) -> None:
    assert one("c17", made(method)).klass != "public"


def test_random_digits_are_no_numbers_with_check_digits() -> None:
    draw = random.Random(3)
    for length in (9, 11, 13, 16):
        assert checked([str(draw.randrange(10 ** (length - 1), 10**length)) for _ in range(ROWS)]) == []


def test_a_counter_that_begins_with_zeros_is_no_national_id() -> None:
    assert checked([f"{i:010}" for i in range(1, 500)]) == []
    assert checked([f"10{i:07}" for i in range(1, 500)]) == []


def national_numbers(country: str, dates: Callable[[random.Random], str], rest: int, check: Callable[[str], str]) -> list[str]:
    draw, valid = random.Random(7), import_module(f"stdnum.{country}").is_valid
    found: list[str] = []
    while len(found) < ROWS:
        body = dates(draw) + f"{draw.randrange(10**rest):0{rest}d}"
        number = body + check(body)
        if valid(number):
            found.append(number)
    return found


NATIONAL: dict[str, list[str]] = {
    "PESEL of those born since 2000": national_numbers(
        "pl.pesel", lambda d: f"{d.randrange(0, 10):02}{d.randrange(21, 33)}{d.randrange(1, 29):02}", 4, pesel.calc_check_digit
    ),
    "fodselsnummer, a third of which begin with a zero": national_numbers(
        "no.fodselsnummer",
        lambda d: f"{d.randrange(1, 29):02}{d.randrange(1, 13):02}{d.randrange(50, 99)}",
        3,
        lambda body: (one := fodselsnummer.calc_check_digit1(body)) + fodselsnummer.calc_check_digit2(body + one),
    ),
}


@pytest.mark.parametrize("type", ["bigint", "text"])
@pytest.mark.parametrize("what", NATIONAL)
def test_national_numbers_that_lost_their_first_zeros_are_found(what: str, type: str) -> None:
    numbers = [int(v) for v in NATIONAL[what]]
    assert sum(len(str(n)) < 11 for n in numbers) > 0.2 * ROWS
    assert one("c9", numbers if type == "bigint" else list(map(str, numbers)), type=type).entity == "national_id"


def test_a_zero_for_a_number_that_nobody_knows_hides_none_of_the_others() -> None:
    assert one("c9", [0, *(int(v) for v in made("credit_card_number", card_type="visa16"))], type="bigint").entity == "credit_card"


def test_digits_are_no_national_numbers_because_zeros_are_put_before_them() -> None:
    for length in (8, 9, 10, 11):
        draw = random.Random(length)
        assert checked([str(draw.randrange(10 ** (length - 2), 10**length)) for _ in range(ROWS)]) == []


def test_article_numbers_are_public_though_they_have_check_digits() -> None:
    found = one("c3", made("ean13"), table_name="products")
    assert found.klass == "public"
    assert "check digits of ean" in found.evidence[0]


def test_card_numbers_in_a_column_of_integers_are_found() -> None:
    values = [int(v) for v in made("credit_card_number", card_type="visa16")]
    assert one("ref", values, type="bigint").entity == "credit_card"


def test_days_of_birth_are_told_from_days_of_events() -> None:
    draw = random.Random(1)
    born = [date(1940, 1, 1) + timedelta(days=draw.randrange(65 * 365)) for _ in range(ROWS)]
    recent = [date(2021, 1, 1) + timedelta(days=draw.randrange(4 * 365)) for _ in range(ROWS)]
    assert one("c5", born, type="date").entity == "birth_date"
    assert one("c5", [d.isoformat() for d in born]).entity == "birth_date"
    assert one("c5", [datetime(d.year, d.month, d.day) for d in born], type="timestamp").entity == "birth_date"
    assert one("c5", recent, type="date").klass == "public"


@pytest.mark.parametrize("stamp", ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"])
def test_a_line_that_begins_with_a_time_is_no_time(stamp: str) -> None:
    times = [(datetime(2024, 1, 1) + timedelta(minutes=7 * i)).strftime(stamp) for i in range(ROWS)]
    lines = [f"{time} INFO login from 203.0.113.{i % 250} of user.id={i}" for i, time in enumerate(times)]
    assert one("log", lines).klass == "free_text"
    for zone in ("", "Z", " UTC", "+0200", "+02:00"):
        assert one("log", [time + zone for time in times]).klass == "public"
    assert one("log", [f"{time}:09.123456" for time in times if time.count(":") == 1] or times).klass == "public"


def test_plain_business_columns_are_public_and_say_why() -> None:
    draw = random.Random(2)
    orders = table(
        "orders",
        {
            "id": "bigint",
            "status": "text",
            "total": "numeric(12,2)",
            "quantity": "integer",
            "shipped": "boolean",
            "created_at": "timestamptz",
            "order_no": "text",
            "currency": "char(3)",
            "weight_kg": "double",
        },
        key=("id",),
    )
    found = findings((orders, {
        "id": range(ROWS),
        "status": [draw.choice(["open", "paid", "void"]) for _ in range(ROWS)],
        "total": [Decimal(draw.randrange(100, 99999)) / 100 for _ in range(ROWS)],
        "quantity": [draw.randrange(1, 9) for _ in range(ROWS)],
        "shipped": [draw.random() < 0.5 for _ in range(ROWS)],
        "created_at": [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(ROWS)],
        "order_no": [f"ORD-{i:06}" for i in range(ROWS)],
        "currency": ["EUR"] * ROWS,
        "weight_kg": [draw.random() * 10 for _ in range(ROWS)],
    }))  # fmt: skip
    assert {place[1]: f.klass for place, f in found.items()} == dict.fromkeys(orders.arrow.names, "public")
    assert all(f.evidence and 0 < f.confidence <= 1 for f in found.values())


def test_texts_that_are_no_utf8_are_looked_at_all_the_same() -> None:
    broken = pa.array([v.encode() + b"\xff\xfe" for v in made("email")] + [b"\xc3\x28", b"\x00\x00"], pa.binary()).view(pa.binary())
    values = pa.Array.from_buffers(pa.string(), len(broken), broken.buffers())
    assert one("c1", values).klass != "public"


@pytest.mark.parametrize(
    "values",
    [
        ["\0", "\0\0", " ", ""],
        ["\u202eabc", "\ufeffx", "\U0001f469\u200d\U0001f680"],
        ["x" * 2_000_000, "y" * 1_500_000],
        [f"{'(1' * 2000}{i}" for i in range(40)],
        [f"{'x' * 4000}{i}" for i in range(40)],
        [f"{'*' * 4000}{i}" for i in range(40)],
        ["Ivan"],
        ["zażółć gęślą jaźń"],
    ],
)
def test_odd_values_are_masked_and_break_nothing(values: list[str]) -> None:
    assert one("zq", values).klass != "public"
