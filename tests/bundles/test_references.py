"""References to bundles are read in the grammar of OCI, and what cannot be read is explained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundles.errors import ReferenceInvalid
from bundles.references import Reference, parse
from schemas.errors import InputError

DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("synthetic:v1", Reference("synthetic", "v1")),
        ("synthetic", Reference("synthetic", "latest")),
        ("team/shop.data:2026-01_rc.1", Reference("team/shop.data", "2026-01_rc.1")),
        (f"synthetic@{DIGEST}", Reference("synthetic", digest=DIGEST)),
        ("a--b__c:_x", Reference("a--b__c", "_x")),
    ],
)
def test_references_are_read(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a name has lower-case letters"),
        ("Synthetic:v1", "a name has lower-case letters"),
        ("a..b", "a name has lower-case letters"),
        ("a:", "the version after ':'"),
        ("a:.x", "the version after ':'"),
        ("a:b:c", "the version after ':'"),
        ("a:" + "x" * 129, "the version after ':'"),
        ("a@sha256:12", "64 hexadecimal digits"),
        ("a@md5:" + "0" * 64, "64 hexadecimal digits"),
        (f"@{DIGEST}", "a name has lower-case letters"),
        ("a/../b:v1", "a name has lower-case letters"),
        ("x" * 256, "a name has lower-case letters"),
        ("sünthetic:v1", "a name has lower-case letters"),
        ("a:v1\n", "the version after ':'"),
    ],
)
def test_what_is_no_reference_is_explained(text, said):
    with pytest.raises(ReferenceInvalid, match=said) as caught:
        parse(text)
    assert isinstance(caught.value, InputError)
    assert repr(text)[1:-1] in repr(str(caught.value))


@given(st.text())
def test_any_text_is_read_or_refused_and_written_back_the_same(text):
    try:
        reference = parse(text)
    except ReferenceInvalid:
        return
    assert parse(str(reference)) == reference
    assert str(reference) in (text, f"{text}:latest")
