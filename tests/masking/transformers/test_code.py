"""`code`: pseudonyms of the same format."""

from __future__ import annotations

import re
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.transformers.code import Code
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked, masked_array


def test_letters_digits_and_separators_keep_their_places() -> None:
    result = masked(Code(), ["AB-1234-XY", "ab/12", "7", "A1 b2"])
    assert [
        bool(re.fullmatch(p, r)) for p, r in zip([r"[A-Z]{2}-\d{4}-[A-Z]{2}", r"[a-z]{2}/\d\d", r"\d", r"[A-Z]\d [a-z]\d"], result)
    ] == [True] * 4


def test_all_ten_thousand_codes_of_a_format_stay_unique() -> None:
    codes = [f"INV-{i:04d}" for i in range(10_000)]
    kept = masked(Code(keep=4), codes)
    assert sorted(kept) == codes
    assert not any(a == b for a, b in zip(codes, kept))
    assert len(set(masked(Code(), codes))) == 10_000
    assert sorted(masked(Code(digits_only=True), codes)) == codes


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000), unique=True, max_size=30))
@settings(max_examples=50)
def test_integers_keep_their_sign_and_digits_and_stay_apart(numbers: list[int]) -> None:
    result = masked(Code(), numbers, "bigint", unique=True)
    assert len(set(result)) == len(numbers)
    assert [len(str(n)) for n in result] == [len(str(n)) for n in numbers]
    assert all(a != b for a, b in zip(numbers, result) if a)


def test_integers_of_a_width_agree_whatever_the_column_is() -> None:
    numbers = [1, 9, 10, 99, 12_345, 32_767, -32_768]
    assert masked(Code(), numbers, "smallint") == masked(Code(), numbers, "bigint")
    assert sorted(masked(Code(), list(range(1, 1000)), "integer")) == list(range(1, 1000))


def test_uuids_become_uuids_in_columns_of_either_type() -> None:
    uuids = [UUID(int=i * 2**64) for i in range(4)]
    texts = masked(Code(), [*map(str, uuids), "AB-1"])
    assert [str(u) for u in masked_array(Code(), pa.array([u.bytes for u in uuids], pa.uuid()), context("uuid")).to_pylist()] == texts[:4]
    assert all(UUID(text).version == 4 for text in texts[:4])
    assert re.fullmatch(r"[A-Z]{2}-\d", texts[4])


def test_other_types_and_a_negative_number_to_keep_are_refused() -> None:
    with pytest.raises(TransformerUnfit, match="texts, integers and uuids"):
        Code().bind(context("date"))
    with pytest.raises(TransformerUnfit, match="cannot be -1"):
        Code(keep=-1).bind(context())


def test_a_text_no_longer_than_what_is_kept_is_permuted_whole() -> None:
    codes = ["ab", "AB1--", "7", *(f"x{i}" for i in range(10)), *(f"xyz{i}" for i in range(10))]
    result = masked(Code(keep=3), codes)
    assert not any(a == b for a, b in zip(codes, result))
    assert len(set(result)) == len(codes)


@pytest.mark.parametrize("kind", ["bigint", "uuid"])
def test_characters_are_kept_of_texts_alone(kind: str) -> None:
    with pytest.raises(TransformerUnfit, match="are for texts"):
        Code(keep=2).bind(context(kind))


def test_short_columns_get_codes_too_though_no_uuid_has_room_in_them() -> None:
    before = ["C1234567", "K7654321", None]
    *codes, nothing = masked(Code(), before, SqlType("varchar", length=8))
    assert nothing is None and not set(codes) & set(before)
    assert [len(code) for code in codes] == [8, 8]
