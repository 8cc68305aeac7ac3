"""`phone`: telephone numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.transformers.base import Rows
from masking.transformers.phone import FICTIONAL, Phone
from schemas.types import SqlType
from tests.masking.transformers.binding import OTHER_KEY, context, masked

REGIONS = ("US", "DE", "GB", "FR", "JP", "BR", "IN", "NL", "SE", "ZA", "SG", "CH")


def example(region: str, kind: int, ending: int) -> str:
    number = phonenumbers.example_number_for_type(region, kind)
    digits = str(number.national_number)
    return f"+{number.country_code}{digits[:-3]}{ending:03d}"


def kind_of(text: str, region: str = "US") -> tuple[bool, int, int]:
    number = phonenumbers.parse(text, region)
    return phonenumbers.is_valid_number(number), number.country_code, phonenumbers.number_type(number)


@pytest.mark.parametrize("region", REGIONS)
def test_valid_numbers_stay_valid_of_their_country_kind_and_length(region: str) -> None:
    values = [example(region, kind, i) for kind in (0, 1) for i in range(100)]
    values = sorted({value for value in values if kind_of(value)[0]})
    result = masked(Phone(), values, unique=True)
    assert len(set(result)) == len(values) > 50
    for before, after in zip(values, result):
        assert kind_of(after) == kind_of(before)
        assert len(after) == len(before)
        assert after != before


def test_a_number_is_the_same_however_it_is_written_and_keeps_how() -> None:
    forms = ["+49 30 901820", "030 901820", "0049-30-901820", "(030) 90 18 20", "+4930901820"]
    result = masked(Phone(), forms, locale="de_DE")
    national = {re.sub(r"\D", "", text).removeprefix("0049").removeprefix("49").removeprefix("0") for text in result}
    assert len(national) == 1
    assert [re.sub(r"\d", "9", text) for text in result] == [re.sub(r"\d", "9", text) for text in forms]


@given(st.lists(st.from_regex(r"\+?[0-9() \-]{1,18}", fullmatch=True), unique=True, max_size=20))
@settings(max_examples=30)
def test_any_numbers_keep_their_notation_and_stay_apart(texts: list[str]) -> None:
    result = masked(Phone(), texts, unique=True)
    assert len(set(result)) == len(texts)
    assert [re.sub(r"\d", "9", text) for text in result] == [re.sub(r"\d", "9", text) for text in texts]


@pytest.mark.parametrize("length", [3, 4])
def test_all_short_numbers_stay_apart_whatever_they_begin_with(length: int) -> None:
    texts = [f"{i:0{length}d}" for i in range(10**length)]
    result = masked(Phone(), texts, unique=True, locale="de_DE")
    assert sorted(result) == texts
    assert not any(a == b for a, b in zip(texts, result) if not a.startswith("00"))  # 0049 is a country's code and no more


def test_digits_are_kept_as_asked() -> None:
    values = [f"+1 212 736 {i}" for i in range(5000, 5200)]
    result = masked(Phone(keep=3), values, unique=True)
    assert all(text.startswith("+1 212 ") and kind_of(text)[0] for text in result)
    assert len(set(result)) == 200
    assert not any(a == b for a, b in zip(values, result))


def test_letters_beside_a_number_do_not_stay() -> None:
    result = masked(Phone(), ["+1 212 736 5000 (Bob)", "call Eve", "n/a"])
    assert not any(word in text for word, text in zip(("Bob", "Eve", "n/a"), result))


@pytest.mark.parametrize("country", FICTIONAL)
def test_numbers_for_fiction_are_of_the_ranges_kept_for_it(country: str) -> None:
    result = masked(Phone(country=country, fictional=True), [f"{i}" for i in range(200)])
    code = phonenumbers.country_code_for_region(country)
    assert all(any(text.startswith(f"+{code}{begin}") for begin, _ in FICTIONAL[country]) for text in result)
    assert len(set(result)) > 100


def test_ten_thousand_known_numbers_do_not_tell_who_is_who_without_the_key() -> None:
    known = [f"+4917012{i:05d}" for i in range(10_000)]
    out = masked(Phone(), known)
    tried = masked(Phone(), known, key=OTHER_KEY)
    # 10^4 numbers into 10^8 or more of the plan: one pair agrees in 10^4 trials, three in 10^12
    assert sum(a == b for a, b in zip(out, tried)) < 3
    assert not any(a == b for a, b in zip(out, known))


@pytest.mark.parametrize(
    ("transformer", "what", "message"),
    [
        (Phone(country="DD"), {}, "no number plan of 'DD'"),
        (Phone(country="JP", fictional=True), {}, "JP keeps no numbers for fiction"),
        (Phone(fictional=True), {"unique": True, "distinct": 5000}, "its 5000 values cannot stay apart among 1400 fictional numbers"),
        (Phone(keep=-1), {}, "cannot be -1"),
        (Phone(fictional=True), {"kind": SqlType("varchar", length=8)}, "too short"),
    ],
)
def test_what_does_not_fit_is_said(transformer: Phone, what: dict, message: str) -> None:
    with pytest.raises(TransformerUnfit, match=message):
        transformer.bind(context(**what))


def test_digits_of_other_scripts_do_not_stay() -> None:
    values = ["０３-１２３４-５６７８", "٠٦٦٠ ١٢٣٤٥٦٧", "+４３ 660 １２３４"]
    assert not any(old == new or old[:3] == new[:3] for old, new in zip(values, masked(Phone(), values)))


def test_a_number_no_longer_than_what_is_kept_does_not_stay() -> None:
    values = ["12", "660", "4711 ", "+43 12"]
    result = masked(Phone(keep=4), values)
    assert not any(a == b for a, b in zip(values, result))
    assert result[3].startswith("+43 ")


@pytest.mark.parametrize("keep", [0, 2])
@pytest.mark.parametrize("begin", ["+4915", "00", "0049 ", "01", "", "+07"])
def test_numbers_of_no_plan_become_the_same_whatever_stands_between_their_digits(begin: str, keep: int) -> None:
    """ASCII is permuted as whole numbers, what has other signs in it as text."""
    texts = [f"{begin}{i * 7_919_317 % 10**length:0{length}d}" for length in ((3,) if begin == "+07" else (3, 9)) for i in range(5)]
    plain, dashed = (masked(Phone(keep=keep), [f"{text}{sign}" for text in texts], locale="de_DE") for sign in (".", "–"))
    assert plain == [f"{text[:-1]}." for text in dashed]


class Counted(FormatPermutation):
    """Counts how often texts are permuted."""

    rounds = 0

    def apply(self, texts: pa.Array) -> pa.Array:
        self.rounds += 1
        return super().apply(texts)


@pytest.mark.parametrize("keep", [0, 3])
@pytest.mark.parametrize(
    ("form", "begin"),
    [("tel:+49 1517{:07d}", "49"), ("ｔｅｌ +380 44{:07d}", "380"), ("Phone 0049 30 {:07d}", "0049"), ("+４３ 660 {:07d}", "66"), ("x 0151 {:07d}", "0")],
)  # fmt: skip
def test_the_code_of_a_country_stays_behind_letters_and_is_not_searched_for(form: str, begin: str, keep: int) -> None:
    """A round of the walk misses with a probability of 1/5 at most: 300 texts take more than 40 rounds for one key in 10^25."""
    values = [form.format(i * 7_919_317 % 10**7) for i in range(300)]
    masker = Phone(keep=keep).bind(context(locale="de_DE", unique=True))
    counted = Counted(masker.key)
    result = replace(masker, others=counted).apply(pa.array(values), Rows({}, 300)).to_pylist()
    assert result == masker.apply(pa.array(values), Rows({}, 300)).to_pylist()
    assert 0 < counted.rounds < 40
    assert all(re.sub("[^0-9]", "", text).startswith(begin) for text in result)
    assert len(set(result)) == 300 and not any(a == b for a, b in zip(values, result))
