"""`hash`: keyed hashes in all forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import MaskingFailed, TransformerUnfit
from masking.transformers.code import Code
from masking.transformers.hashed import Hash
from schemas.types import INTEGER_RANGE, SqlType
from tests.masking.transformers.binding import KEY, OTHER_KEY, context, masked, masked_array


def hmac_of(text: str) -> bytes:
    return hmac.digest(KEY.derive("hash/d").hex().encode(), text.encode(), hashlib.sha256)


@pytest.mark.parametrize("count", [3, 100])
def test_it_is_the_standard_librarys_hmac_in_each_form(count: int) -> None:
    texts = [f"text {i} é" for i in range(count)]
    digests = [hmac_of(text) for text in texts]
    assert masked(Hash(), texts) == [d.hex() for d in digests]
    assert masked(Hash("hex", length=20), texts) == [d.hex()[:20] for d in digests]
    assert masked(Hash("base64"), texts) == [base64.urlsafe_b64encode(d).decode().rstrip("=") for d in digests]
    assert masked(Hash("base64", length=30), texts) == [base64.urlsafe_b64encode(d).decode()[:30] for d in digests]
    assert masked(Hash("uuid"), texts) == [str(UUID(bytes=d[:16], version=4)) for d in digests]
    assert masked(Hash(), [b"\x00\xff"], "bytes") == [hmac_of("00ff")]


def test_uuids_become_uuids_as_their_texts_do() -> None:
    uuids = [UUID(int=i) for i in range(5)]
    of_uuids = masked_array(Hash(), pa.array([u.bytes for u in uuids], pa.uuid()), context("uuid")).to_pylist()
    assert [str(u) for u in of_uuids] == masked(Hash("uuid"), [str(u) for u in uuids])


@given(st.lists(st.integers(-(2**15), 2**15 - 1), unique=True, max_size=20))
@settings(max_examples=30)
def test_integers_agree_whatever_their_width_and_type(numbers: list[int]) -> None:
    wide = masked(Hash(), numbers, "bigint")
    assert wide == masked(Hash(), numbers, "integer") == masked(Hash(), numbers, "smallint")
    assert wide == masked(Hash(), [Decimal(n) for n in numbers], "numeric")
    assert [str(n) for n in wide] == masked(Hash("integer"), [str(n) for n in numbers])
    assert len(set(wide)) == len(numbers)


@given(st.sampled_from(["smallint", "integer", "bigint"]), st.data())
@settings(max_examples=60)
def test_integers_stay_within_their_type_keep_their_sign_and_stay_apart(kind: str, data: st.DataObject) -> None:
    top = INTEGER_RANGE[kind]
    edges = st.sampled_from([1, -1, top, -top - 1, 2**15 - 1, -(2**15), min(2**15, top), min(2**31 - 1, top)])
    numbers = data.draw(st.lists(st.integers(-top - 1, top) | edges, unique=True, max_size=20))
    result = masked(Hash(), numbers, kind, unique=True)
    assert len(set(result)) == len(numbers)
    assert all((a > 0) == (b > 0) and (a < 0) == (b < 0) and -top - 1 <= b <= top for a, b in zip(numbers, result))
    assert all(a != b for a, b in zip(numbers, result) if a)


def test_a_check_that_ids_are_positive_holds_and_all_small_ids_stay_unique() -> None:
    ids = list(range(1, 2**15))
    result = masked(Hash(), ids, "smallint")
    assert sorted(result) == ids
    assert not any(a == b for a, b in zip(ids, result))


def test_texts_that_are_no_integers_become_twenty_digits_beyond_all_integers() -> None:
    result = masked(Hash("integer"), ["abc", "007", "1.5", "99999999999999999999", "", "-0"])
    assert all(len(text) == 20 and int(text) > 2**63 for text in result)
    assert len(set(result)) == 6


def test_case_counts_unless_it_is_folded() -> None:
    assert len(set(masked(Hash(), ["Bob", "bob", " bob"]))) == 3
    assert len(set(masked(Hash(fold=True), ["Bob", "bob", " bob"]))) == 1


def test_a_list_of_all_phone_numbers_does_not_tell_the_hashed_ones_without_the_key() -> None:
    phones = [f"+4917012{i:05d}" for i in range(10_000)]
    out = {form: set(masked(Hash(form), phones)) for form in ("hex", "base64", "uuid", "integer")}
    for phone in phones:
        for digest in (hashlib.sha256(phone.encode()), hashlib.md5(phone.encode()), hashlib.sha1(phone.encode())):
            assert digest.hexdigest() not in out["hex"]
            assert digest.hexdigest()[:32] not in {text.replace("-", "") for text in ()}
    assert not out["hex"] & set(masked(Hash(), phones, key=OTHER_KEY))
    unkeyed = {hmac.digest(b"", phone.encode(), hashlib.sha256).hex() for phone in phones}
    assert not out["hex"] & unkeyed
    for form, result in out.items():
        assert len(result) == len(phones), form
        assert not result & set(phones)


def test_hashes_are_uniform() -> None:
    """Chi-squared of the first byte over 256 bins, limit at a false-alarm rate of 1e-6 (255 degrees of freedom: 377.1)."""
    result = masked(Hash(), [f"{i}@example.com" for i in range(50_000)])
    counts = [0] * 256
    for text in result:
        counts[int(text[:2], 16)] += 1
    expected = len(result) / 256
    assert sum((count - expected) ** 2 / expected for count in counts) < 377.1


@pytest.mark.parametrize(
    ("transformer", "kind", "message"),
    [
        (Hash("hax"), "text", "did you mean 'hex'"),
        (Hash("hex"), "integer", "take `form: integer`"),
        (Hash("hex"), "uuid", "take `form: uuid`"),
        (Hash(), "date", "texts, integers, uuids and bytes"),
        (Hash("hex", length=70), "text", "1 to 64"),
        (Hash("uuid"), SqlType("varchar", length=20), "too short"),
        (Hash("hex", length=20), SqlType("varchar", length=10), "holds 10"),
    ],
)
def test_what_does_not_fit_is_said(transformer: Hash, kind: str | SqlType, message: str) -> None:
    with pytest.raises(TransformerUnfit, match=message):
        transformer.bind(context(kind))


def test_a_unique_column_needs_as_many_bits_as_its_values_do() -> None:
    narrow = SqlType("varchar", length=10)
    with pytest.raises(TransformerUnfit, match="1000000 different values need 59 bits of `hash` to stay different; there is room for 40"):
        Hash().bind(context(narrow, unique=True, distinct=1_000_000))
    assert len(masked(Hash(), ["a"], narrow, unique=True, distinct=100)[0]) == 10
    with pytest.raises(TransformerUnfit, match="fold"):
        Hash(fold=True).bind(context(unique=True))


def test_a_numeric_that_cannot_hold_the_result_fails_without_its_value() -> None:
    with pytest.raises(MaskingFailed) as error:
        masked(Hash(), [Decimal("77777.5")], "numeric")
    assert "77777" not in str(error.value)


@pytest.mark.parametrize(
    ("precision", "scale", "says"), [(10, 0, "take `code`"), (18, 0, "fewer than the 19 digits"), (20, 2, "has decimals")]
)
def test_a_numeric_that_cannot_hold_every_hash_is_refused_before_the_run(precision: int, scale: int, says: str) -> None:
    with pytest.raises(TransformerUnfit, match=says):
        Hash().bind(context(SqlType("numeric", precision=precision, scale=scale)))
    Hash().bind(context(SqlType("numeric", precision=19, scale=0)))
    Code().bind(context(SqlType("numeric", precision=10, scale=0)))
