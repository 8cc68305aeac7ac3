"""What holds for every transformer that puts a pseudonym in a value's place."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from masking.errors import TransformerUnfit
from masking.keys import MaskingKey
from masking.transformers import TRANSFORMERS
from masking.transformers.base import Context
from masking.transformers.card import Card
from masking.transformers.code import Code
from masking.transformers.company import Company, JobTitle
from masking.transformers.email import Email
from masking.transformers.hashed import Hash
from masking.transformers.iban import Iban
from masking.transformers.ip import Ip
from masking.transformers.name import Name
from masking.transformers.national_id import NationalId
from masking.transformers.phone import Phone
from masking.transformers.place import Address, City, Postcode, Region, Street
from masking.transformers.url import Url
from masking.transformers.username import Username
from schemas.types import SqlType
from tests.masking.transformers.binding import OTHER_KEY, context, masked, masked_array

COUNT = 300
NUMBERS = range(COUNT)
GIVEN, FAMILY = ("Anna", "Bob", "Carla", "Dmitri", "Eve", "Farid"), ("Smith", "Lopez", "Okafor", "Ng", "Berg")
PEOPLE = [f"{GIVEN[i % 6]} {FAMILY[i % 5]}{'abcdefghij'[i // 30]}" for i in NUMBERS]


def _luhn(body: str) -> str:
    from stdnum import luhn

    return body + luhn.calc_check_digit(body)


def _iban(i: int) -> str:
    from stdnum import iban

    account = f"37040044{i * 7919:010d}"
    return f"DE{iban.calc_check_digits('DE00' + account)}{account}"


VALUES: dict[Any, list[str]] = {
    Hash(): [f"value {i}" for i in NUMBERS],
    Hash("base64"): [f"value {i}" for i in NUMBERS],
    Hash("uuid"): [f"value {i}" for i in NUMBERS],
    Hash("integer"): [f"value {i}" for i in NUMBERS],
    Code(): [f"AB-{i:04d}-XY" for i in NUMBERS],
    Name(): PEOPLE,
    Name("given"): [f"Anna{'abcdefghij'[i % 10]}{'abcdefghij'[i // 10 % 10]}{'xyz'[i // 100]}" for i in NUMBERS],
    Username(): [f"user{i}" for i in NUMBERS],
    Email(): [f"user{i}@acme.com" for i in NUMBERS],
    Email(keep="domain"): [f"user{i}@example.com" for i in NUMBERS],
    Phone(): [f"+1 212-736-{5000 + i}" for i in NUMBERS],
    Address(): [f"{i + 1} Main Street, Springfield, IL {60000 + i}" for i in NUMBERS],
    Street(): [f"{i + 1} Main Street" for i in NUMBERS],
    Postcode(): [f"{60000 + i}" for i in NUMBERS],
    City(): [f"Newtown {i}" for i in NUMBERS],
    Region(): [f"Region {i}" for i in NUMBERS],
    Company(): [f"Acme {i} Ltd." for i in NUMBERS],
    JobTitle(): [f"Nurse {i}" for i in NUMBERS],
    Iban(): [_iban(i) for i in NUMBERS],
    Card(): [_luhn(f"424242424242{i:03d}") for i in NUMBERS],
    NationalId(): [f"123-45-{1000 + i}" for i in NUMBERS],
    Ip(): [f"8.8.{i // 200}.{i % 200}" for i in NUMBERS],
    Url(): [f"https://acme.com/users/{i}" for i in NUMBERS],
}
ALL = pytest.mark.parametrize("transformer", VALUES, ids=repr)


def test_all_transformers_that_make_pseudonyms_are_tried_here() -> None:
    names = [t.name for t in TRANSFORMERS]
    assert len(names) == len(set(names))
    assert {type(t) for t in VALUES} <= set(TRANSFORMERS)


@ALL
def test_no_value_is_its_own_pseudonym_and_nulls_stay(transformer: Any) -> None:
    values = [*VALUES[transformer], None]
    result = masked(transformer, values)
    assert result[-1] is None
    assert not any(a == b for a, b in zip(values[:-1], result))
    assert all(isinstance(text, str) and text for text in result[:-1])


@ALL
def test_the_same_in_any_batch_order_and_slice(transformer: Any) -> None:
    values = VALUES[transformer]
    whole = masked(transformer, values)
    assert masked(transformer, values[::-1]) == whole[::-1]
    assert [masked(transformer, [value])[0] for value in values[:5]] == whole[:5]
    of = context()
    array = pa.array([None, *values, *values], pa.string()).slice(1 + len(values) // 2, len(values))
    assert masked_array(transformer, array, of).to_pylist() == whole[len(values) // 2 :] + whole[: len(values) // 2]
    assert masked_array(transformer, pa.array([], pa.string()), of).to_pylist() == []
    assert masked(transformer, [None, None]) == [None, None]


@ALL
def test_another_key_and_another_domain_give_other_pseudonyms(transformer: Any) -> None:
    values = VALUES[transformer]
    mine, theirs, elsewhere = (
        masked(transformer, values),
        masked(transformer, values, key=OTHER_KEY),
        masked(transformer, values, domain="e"),
    )
    # the fewest pseudonyms have states, of which there are 50: of 300 pairs 6 agree by chance; 40 or more once in 10^18 (binomial)
    assert sum(a == b for a, b in zip(mine, theirs)) < 40
    assert sum(a == b for a, b in zip(mine, elsewhere)) < 40


@ALL
def test_different_values_stay_different_in_a_unique_column(transformer: Any) -> None:
    values = [*VALUES[transformer], *(v.upper() for v in VALUES[transformer][:50] if v.upper() not in VALUES[transformer])]
    bare = isinstance(transformer, Iban | Card | NationalId | Ip)  # of these, case and separators are no part
    values = VALUES[transformer] if bare else values
    result = masked(transformer, values, unique=True, distinct=len(values))
    assert len(set(result)) == len(values)
    assert not any(a == b for a, b in zip(values, result))


def _refusal(transformer: Any, of: Context) -> str | None:
    try:
        transformer.bind(of)
    except TransformerUnfit as error:
        return str(error)
    return None


@ALL
@pytest.mark.parametrize("length", [16, 20, 32, 64])
def test_pseudonyms_fit_the_column_or_the_transformer_says_it_does_not(transformer: Any, length: int) -> None:
    values = [value for value in VALUES[transformer] if len(value) <= length]
    for unique in (False, True):
        kind = SqlType("varchar", length=length)
        of = context(kind, unique=unique, distinct=1000)
        if refusal := _refusal(transformer, of):
            assert "t.c" in refusal
            assert f"varchar({length})" in refusal or "unique" in refusal
            continue
        result = masked_array(transformer, pa.array(values, pa.string()), of).to_pylist()
        assert all(len(text) <= length for text in result)
        assert not unique or len(set(result)) == len(values)


@ALL
def test_blank_texts_stay_blank_or_become_a_pseudonym_but_never_fail(transformer: Any) -> None:
    result = masked(transformer, ["", "   ", "\t", "é\u0000", "x" * 20_000])
    assert all(isinstance(text, str) for text in result)
    if not isinstance(transformer, Hash):
        assert result[0] == ""


# where there are few pseudonyms some agree by chance
@pytest.mark.parametrize("transformer", [t for t in VALUES if isinstance(t, Hash | Email | Iban | Phone)], ids=repr)
def test_two_ephemeral_keys_share_no_masked_value_of_a_large_domain(transformer: Any) -> None:
    one, other = (MaskingKey(bytes((i * 7 + seed) % 256 for i in range(32)), "ephemeral") for seed in (1, 90))
    values = VALUES[transformer]
    assert not set(masked(transformer, values, key=one, unique=True)) & set(masked(transformer, values, key=other, unique=True))


@pytest.mark.parametrize("transformer", [t for t in VALUES if not isinstance(t, Hash | Code | Postcode)], ids=repr)
def test_columns_without_text_are_refused(transformer: Any) -> None:
    with pytest.raises(TransformerUnfit, match=r"t\.c: .*boolean"):
        transformer.bind(context("boolean"))
