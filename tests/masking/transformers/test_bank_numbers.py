"""`iban` and `card`: numbers of accounts and payment cards, right by their check digits."""

from __future__ import annotations

import re

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn

from masking.errors import TransformerUnfit
from masking.transformers.card import BRANDS, Card
from masking.transformers.iban import Iban
from tests.masking.transformers.binding import context, masked

IBANS = [
    "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "BE71096123456769", "ES9121000418450200051332",
    "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "CH9300762011623852957", "IT60X0542811101000000123456",
]  # fmt: skip


def test_ibans_stay_right_by_all_check_digits_of_their_country() -> None:
    assert all(map(iban.is_valid, IBANS))
    result = masked(Iban(), IBANS)
    assert all(map(iban.is_valid, result))
    assert [(t[:2], len(t)) for t in result] == [(t[:2], len(t)) for t in IBANS]
    assert not any(a[4:] == b[4:] for a, b in zip(IBANS, result))


def test_an_iban_is_the_same_however_it_is_written_and_keeps_how() -> None:
    plain, spaced, small = masked(Iban(), [IBANS[0], "DE89 3704 0044 0532 0130 00", IBANS[0].lower()])
    assert spaced.replace(" ", "") == plain == small.upper()
    assert re.fullmatch(r"DE\d\d( \d{4}){4} \d\d", spaced)


def test_many_accounts_stay_apart_and_a_bank_stays_when_asked() -> None:
    fake = Faker("de_DE")
    fake.seed_instance(7)
    values = list({fake.iban() for _ in range(2000)})
    result = masked(Iban(), values, unique=True)
    assert len(set(result)) == len(values)
    assert all(map(iban.is_valid, result))
    kept = masked(Iban(keep=8), values[:20])
    assert [t[4:12] for t in kept] == [t[4:12] for t in values[:20]]
    assert all(map(iban.is_valid, kept))


@given(st.lists(st.from_regex(r"DE[0-9]{20}|[A-Z]{2}[0-9]{6}", fullmatch=True), unique=True, max_size=20))
@settings(max_examples=25)
def test_wrong_ibans_stay_wrong_and_apart(texts: list[str]) -> None:
    result = masked(Iban(), [*texts, IBANS[0]], unique=True)
    assert len(set(result)) == len(set(texts) | {IBANS[0]})
    assert [iban.is_valid(t) for t in result[:-1]] == [iban.is_valid(t) for t in texts]


CARDS = {
    "visa": "4242424242424242", "mastercard": "5105105105105100", "amex": "371449635398431", "discover": "6011000990139424",
    "diners": "38520000023237", "jcb": "3566002020360505", "unionpay": "6200000000000005", "maestro": "6759649826438453",
}  # fmt: skip


@pytest.mark.parametrize("brand", CARDS)
@pytest.mark.parametrize("unique", [False, True])
def test_cards_keep_brand_length_and_a_right_check_digit(brand: str, unique: bool) -> None:
    pattern = next(p for name, p, _ in BRANDS if name == brand)
    body = CARDS[brand][:-4]
    values = [text + luhn.calc_check_digit(text) for text in (f"{body}{i:03d}" for i in range(500))]
    result = masked(Card(), values, unique=unique)
    assert all(luhn.is_valid(t) and re.match(pattern, t) and len(t) == len(values[0]) for t in result)
    assert len(set(result)) == 500
    assert not any(a == b for a, b in zip(values, result))


def test_cards_from_the_range_for_tests_begin_as_numbers_for_tests_do() -> None:
    result = masked(Card(), list(CARDS.values()))
    heads = {name: head for name, _, head in BRANDS}
    assert [t[:6] for t in result] == [heads[brand] for brand in CARDS]


def test_notation_stays_and_wrong_numbers_stay_wrong() -> None:
    spaced, dashed, wrong, short = masked(Card(), ["4242 4242 4242 4242", "4242-4242-4242-4242", "4242424242424241", "1234"])
    assert re.fullmatch(r"\d{4}( \d{4}){3}", spaced)
    assert dashed == spaced.replace(" ", "-")
    assert not luhn.is_valid(wrong)
    assert re.fullmatch(r"\d{4}", short) and short != "1234"


def test_an_unknown_range_and_one_too_small_are_refused() -> None:
    with pytest.raises(TransformerUnfit, match="did you mean 'brand'"):
        Card(range="brands").bind(context())
    with pytest.raises(TransformerUnfit, match="take `range: brand`"):
        Card(range="test").bind(context(unique=True))
    with pytest.raises(TransformerUnfit, match="cannot be -1"):
        Iban(keep=-1).bind(context())
