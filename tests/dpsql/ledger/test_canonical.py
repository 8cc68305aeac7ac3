"""What the ledger hashes is canonical JSON."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from dpsql.ledger.canonical import canonical

NAMES = st.text(st.characters(max_codepoint=127), max_size=20)
PLAIN = st.none() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1)


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20))
def test_it_is_what_the_rfc_says(document: object) -> None:
    assert canonical(document) == rfc8785.dumps(document)  # type: ignore[arg-type]


def test_a_half_pair_has_no_canonical_form() -> None:
    with pytest.raises(UnicodeError):
        canonical({"sql": "\ud800"})


def test_what_json_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical({"data": b"bytes"})
