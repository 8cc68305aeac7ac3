"""template: new texts out of keyed hashes."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read
from schemas.model import Column
from schemas.types import SqlType

from .columns import OTHER_KEY, context, mask, masker_for


def test_hashes_digits_and_letters_come_where_they_are_asked_for() -> None:
    [made, none] = mask({"template": "user-{hash:8}@{letters:5}.example, {digits:6} {{x}}"}, ["ann@example.org", None])
    assert re.fullmatch(r"user-[0-9a-f]{8}@[a-z]{5}\.example, [0-9]{6} \{x\}", made)
    assert none is None


def test_equal_values_are_alike_and_others_are_not() -> None:
    made = mask({"template": "{hash:16}"}, ["a", "b", "a", "A"])
    assert made[0] == made[2] and len(set(made)) == 3


def test_a_longer_hash_begins_as_a_shorter_one() -> None:
    for kind in ("hash", "digits", "letters"):
        [short] = mask({"template": f"{{{kind}:5}}"}, ["a"])
        [long] = mask({"template": f"{{{kind}:16}}"}, ["a"])
        assert len(long) == 16 and long.startswith(short)


def test_the_key_and_the_domain_decide() -> None:
    made = {
        *mask({"template": "{hash:16}"}, ["a"]),
        *mask({"template": "{hash:16}"}, ["a"], key=OTHER_KEY),
        *mask({"template": "{hash:16}"}, ["a"], domain="email"),
    }
    assert len(made) == 3


def test_a_part_may_come_from_the_subject_or_another_column() -> None:
    others = [Column("first_name", SqlType("text"), 0.0)]
    columns = {"first_name": pa.array(["Ann", "Bob", "Ann"])}
    made = mask(
        {"template": "{hash.first_name:8}.{hash.subject:8}"}, ["a", "b", "c"], subject=["1", "2", "2"], columns=columns, others=others
    )
    names, subjects = zip(*(text.split(".") for text in made))
    assert names[0] == names[2] != names[1] and subjects[1] == subjects[2] != subjects[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{row}", "'{row}' is not understood"),
        ("{hash:99}", "must be 1 to 64 signs long"),
        ("{digits:0}", "must be 1 to 24 signs long"),
        ("{hash", "a brace is not closed"),
        ("hash}", "a brace is not closed"),
    ],
)
def test_a_template_that_is_none_is_refused_when_the_policy_is_read(text: str, says: str) -> None:
    with pytest.raises(TransformerInvalid) as caught:
        read({"template": text}, "t.c")
    assert says in str(caught.value)


def test_what_does_not_fit_the_column_is_refused() -> None:
    with pytest.raises(TransformerUnfit, match=r"it makes 13 characters, and the column is varchar\(12\)"):
        masker_for({"template": "user-{hash:8}"}, context("varchar"))
    with pytest.raises(TransformerUnfit, match="there is no column 'nme' in t"):
        masker_for({"template": "{hash.nme:8}"}, context())
    with pytest.raises(TransformerUnfit, match="the table has no subject"):
        masker_for({"template": "{hash.subject:8}"}, context())


def test_hashes_in_a_unique_column_are_long_enough() -> None:
    with pytest.raises(TransformerUnfit, match=r"two values could become alike; use at least `\{hash:10\}`"):
        masker_for({"template": "{hash:6}"}, context(unique=True, distinct=1000))
    masker_for({"template": "{hash:10}"}, context(unique=True, distinct=1000))
    with pytest.raises(TransformerUnfit, match=r"use at least `\{hash:18\}`"):
        masker_for({"template": "x"}, context(unique=True))


@given(st.lists(st.text(), unique=True, max_size=50))
def test_values_stay_different(values: list[str]) -> None:
    assert len(set(mask({"template": "{hash:20}"}, values, unique=True))) == len(values)


def test_hashes_of_other_things_keep_no_column_unique() -> None:
    with pytest.raises(TransformerUnfit, match="two values could become alike"):
        masker_for({"template": "{hash.subject:40}"}, context(unique=True, subject=True))
