"""Permutations of texts of one format: formats stay, nothing collides, any script."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.formats import FormatPermutation, alphabet
from masking.keyed import KeyedHash

KEY = KeyedHash(b"k" * 32)


def permuted(texts: list[str | None], **options: bool) -> list[str | None]:
    return FormatPermutation(KEY, **options).apply(pa.array(texts, pa.string())).to_pylist()


def shape(text: str) -> str:
    for pattern, letter in (("[A-Z]", "U"), ("[a-z]", "l"), ("[0-9]", "9")):
        text = re.sub(pattern, letter, text)
    return text


@given(st.lists(st.from_regex(r"[A-Za-z0-9\-/. ]{1,20}", fullmatch=True), unique=True, min_size=1, max_size=40))
def test_codes_keep_their_format_and_stay_apart(texts: list[str]) -> None:
    mapped = permuted(texts)
    assert [shape(t) for t in mapped] == [shape(t) for t in texts]
    assert len(set(mapped)) == len(texts)
    assert mapped == [permuted([t])[0] for t in texts]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), unique=True, max_size=30))
def test_any_text_keeps_the_classes_of_its_characters_and_stays_apart(texts: list[str]) -> None:
    mapped = permuted(texts)
    assert len(set(mapped)) == len(texts)
    for before, after in zip(texts, mapped):
        assert len(after) == len(before)
        assert all(a in alphabet(b) for a, b in zip(after, before))


@pytest.mark.parametrize("pattern", ["9", "99", "U9", "l-9", "9999", "lUl"])
def test_all_texts_of_a_small_format_are_mapped_onto_themselves_and_none_stays(pattern: str) -> None:
    letters = {"9": "0123456789", "U": alphabet("A"), "l": alphabet("a")}
    texts = [""]
    for sign in pattern:
        texts = [text + c for text in texts for c in letters.get(sign, sign)]
    mapped = permuted(texts)
    assert sorted(mapped) == sorted(texts)
    assert not any(a == b for a, b in zip(texts, mapped))


def test_scripts_stay_and_no_letter_of_any_is_left_alone() -> None:
    texts = ["Жуков", "山田太郎", "김철수", "علي", "Γιώργος", "éàü", "１２３", "😀😀", "नमस्ते"]
    for before, after in zip(texts, permuted(texts)):
        assert before != after
        scripts = [{unicodedata.name(c, "?").split()[0] for c in text} for text in (before, after)]
        assert before == "😀😀" or scripts[0] & scripts[1]


def test_texts_without_letters_and_digits_and_nulls_stay() -> None:
    assert permuted(["", "--", None, " / "]) == ["", "--", None, " / "]


def test_separators_do_not_matter_to_what_a_code_becomes() -> None:
    dashed, plain = permuted(["AB-1234", "AB1234"])
    assert dashed.replace("-", "") == plain


def test_long_texts_are_drawn_and_differ_though_one_letter_differs() -> None:
    texts = ["x" * 300 + c for c in "abcdefghij"] + ["é1" * 40_000]
    mapped = permuted(texts)
    assert len(set(mapped)) == len(texts)
    assert all(len(a) == len(b) for a, b in zip(mapped, texts))
    heads = {t[:300] for t in mapped[:10]}
    assert len(heads) == 10


def test_digits_alone_may_be_permuted() -> None:
    assert re.fullmatch(r"INV-\d{4}", permuted(["INV-2024"], digits_only=True)[0])
    assert permuted(["INV-2024"], digits_only=True) != ["INV-2024"]
