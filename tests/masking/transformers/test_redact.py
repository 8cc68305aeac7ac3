"""redact: what is personal gives way to marks or to the pseudonyms of other transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.base import Rows
from masking.transformers.json_paths import ByPath
from masking.transformers.redact import cut
from masking.transformers.registry import read
from schemas.types import SqlType

from .columns import context, cuts, in_batches, mask, masker_for, rows_of

NOTE = "Mail ann.miller@example.org, says Giovanni Rossi."


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        (None, NOTE, "Mail <EMAIL>, says <PERSON_NAME>."),
        ({"mark": "stars"}, NOTE, "Mail ****, says ****."),
        ({"keep": ["person_name"]}, NOTE, "Mail <EMAIL>, says Giovanni Rossi."),
        ({"by": {"email": {"constant": "x@y"}}}, NOTE, "Mail x@y, says <PERSON_NAME>."),
        ({"by": {"email": {"partial": {"last": 4}}}}, "to a.bcdef@gh.org!", "to *.*****@*h.org!"),
        ({"by": {"email": "null"}}, "to ab@example.org!", "to !"),
        (None, "nothing to see here", "nothing to see here"),
        (None, "", ""),
        (None, "😀 ab@example.org e\u0301", "😀 <EMAIL> e\u0301"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_marks_and_pseudonyms_take_the_place_of_values(parameters: dict[str, object] | None, before: str, after: str, fast: bool) -> None:
    assert mask({"redact": {**(parameters or {}), "fast": fast}}, [before, None, before]) == [after, None, after]


def test_a_name_in_a_text_gets_the_pseudonym_that_it_gets_in_its_own_column() -> None:
    column = replace(context(), domain="email")
    values = pa.array(["ann.miller@example.org"])
    [alone] = masker_for("email", column).apply(values, rows_of(values)).to_pylist()
    assert alone != "ann.miller@example.org"
    assert mask({"redact": {"by": {"email": "email"}}}, [NOTE]) == [f"Mail {alone}, says <PERSON_NAME>."]


@given(st.lists(st.sampled_from([NOTE, "ring 030 1234567", "x", None, ""]), max_size=6), cuts)
@settings(max_examples=15)
def test_any_cutting_into_batches_gives_the_same(texts: list[str | None], at: list[int]) -> None:
    values = pa.array(texts, pa.string())
    masker = masker_for({"redact": {"by": {"email": "email"}, "fast": True}}, context())
    assert in_batches(masker, values, rows_of(values), at).to_pylist() == masker.apply(values, rows_of(values)).to_pylist()


def test_texts_that_grow_are_cut_to_their_column_and_never_within_a_mark() -> None:
    kind = SqlType("varchar", length=24)
    text = "by Jo Lee, ab@example.de"
    [masked] = mask("redact", [text], kind)
    assert masked == "by <PERSON_NAME>, "
    [masked] = mask({"redact": {"mark": "stars"}}, [text], kind)
    assert masked == "by ****, ****"


@given(st.text("ae\u0301\u0323\u200d😀👩\ufe0f", max_size=12), st.integers(0, 12))
def test_a_cut_leaves_no_character_without_its_marks(text: str, length: int) -> None:
    short = cut(text, length)
    assert text.startswith(short) and len(short) <= length
    if len(short) < len(text):
        assert text[len(short)] not in "\u0301\u0323\u200d\ufe0f" or not short


class OneName:
    """A source that knows of one person."""

    def find(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        at = [text.find("Rosa Quill") for text in texts]
        return [[(start, start + len("Rosa Quill"), "person_name")] if start >= 0 else [] for start in at]


def test_with_known_nothing_but_values_of_the_source_is_redacted() -> None:
    texts = ["Rosa Quill Ward", "Giovanni Rossi Ward", "ann.miller@example.org", None]
    values = pa.array(texts)
    masker = masker_for({"redact": {"known": True}}, replace(context(), known=OneName()))
    assert masker.apply(values, rows_of(values)).to_pylist() == ["<PERSON_NAME> Ward", *texts[1:]]


@pytest.mark.parametrize("length", [None, 24])
def test_in_a_unique_column_known_values_are_redacted_and_texts_stay_different_and_within_their_length(length: int | None) -> None:
    texts = ["Rosa Quill", "Rosa  Quill", "ROSA Rosa Quill", "Rosa Quill!", "Surgery, the whole floor", None]
    kind = SqlType("text") if length is None else SqlType("varchar", length=length)
    values = pa.array(texts)
    at = context(kind, unique=True, distinct=6)
    masked = masker_for({"redact": {"known": True}}, replace(at, known=OneName())).apply(values, rows_of(values)).to_pylist()
    assert masked[1] == texts[1] and masked[4:] == texts[4:]  # which are not redacted
    assert len(set(masked)) == len(texts)
    assert all("Quill" not in text and (length is None or len(text) <= length) for text in (masked[0], masked[2], masked[3]))


def test_what_the_database_knows_is_redacted_too() -> None:
    class Known:
        def find(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
            return [[(t.index("wobble"), t.index("wobble") + 6, "username")] if "wobble" in t else [] for t in texts]

    at = replace(context(), known=Known())
    values = pa.array(["so wobble said"])
    assert masker_for({"redact": {"fast": True}}, at).apply(values, rows_of(values)).to_pylist() == ["so <USERNAME> said"]


def test_strings_inside_json_and_arrays_are_redacted() -> None:
    assert mask({"redact": {"fast": True}}, ['{"a":"ab@example.org","n":1}'], "json")[0].startswith('{"a":"<EMAIL>"')
    assert mask({"redact": {"fast": True}}, [["ab@example.org", None]], "array") == [["<EMAIL>", None]]


def test_what_is_no_prose_in_a_document_is_hidden_unless_a_path_keeps_it() -> None:
    before = {
        "mail": "ab@example.org, ac@example.org", "salary": 52.5, "deals": [3, 41], "hiv": True, "blood": "a positive", "code": "7:3",
        "note": "she asked again what it costs", "theme": {"size": 12, "name": "dark"}, "17": None,
    }  # fmt: skip
    masker = ByPath({"$.theme": read("keep", "$.theme")}, read({"redact": {"fast": True}}, "rest")).bind(context("json"))
    values = pa.array([json.dumps(before)])
    after = json.loads(masker.apply(values, rows_of(values)).to_pylist()[0])
    [(number, none)] = [(name, value) for name, value in after.items() if name not in before]
    assert number.startswith("key-") and none is None
    assert {name: value for name, value in after.items() if name in before} == {
        "mail": "<EMAIL>, <EMAIL>", "salary": None, "deals": [None, None], "hiv": None, "blood": "***", "code": "***",
        "note": "she asked again what it costs", "theme": {"size": 12, "name": "dark"},
    }  # fmt: skip


def test_a_path_that_is_redacted_reads_all_its_strings_and_no_number() -> None:
    masker = ByPath({"$.note": read({"redact": {"fast": True}}, "$.note")}).bind(context("json"))
    values = pa.array(['{"note":["called back",7,false]}'])
    assert masker.apply(values, rows_of(values)).to_pylist() == ['{"note":["called back",null,null]}']


def test_an_entity_that_is_kept_is_found_all_the_same() -> None:
    keeping = {"redact": {"fast": True, "keep": ["email"]}}
    assert mask(keeping, ['{"a":"ab@example.org"}'], "json") == ['{"a":"ab@example.org"}']


def test_columns_that_it_cannot_mask_are_refused() -> None:
    with pytest.raises(TransformerUnfit, match="unique"):
        masker_for("redact", context(unique=True))
    with pytest.raises(TransformerUnfit, match="integer"):
        masker_for("redact", context("integer"))
    with pytest.raises(TransformerUnfit, match="has to see all values"):
        masker_for({"redact": {"by": {"email": "shuffle"}}}, context())


def test_an_unknown_entity_is_told_with_the_nearest() -> None:
    with pytest.raises(TransformerInvalid, match=r"there is no entity 'emial'; did you mean 'email'\?"):
        read({"redact": {"by": {"emial": "email"}}}, "t.c")


def test_a_batch_of_nulls_alone_stays_one() -> None:
    values = pa.array([None, None], pa.string())
    for parameters in (None, {"by": {"email": "email"}}):
        masker = masker_for({"redact": parameters}, context())
        assert masker.apply(values, Rows({"c": values}, 2)).to_pylist() == [None, None]
