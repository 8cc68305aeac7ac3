"""What a chain of hashes is made of: canonical JSON, whose hashes nobody can make otherwise."""

from __future__ import annotations

from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.hash_chain import START, Mark, entry_hash, fault, is_whole, storable

NAMES = st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20), min_size=1).filter(lambda name: name != "hash")
VALUES = st.one_of(st.text(), st.integers(-(2**53) + 1, 2**53 - 1), st.none())


@given(st.dictionaries(NAMES, VALUES))
def test_the_hash_is_that_of_the_canonical_json_of_all_but_itself(entry: dict[str, object]) -> None:
    assert entry_hash(entry) == entry_hash(entry | {"hash": "x"}) == sha256(rfc8785.dumps(entry)).hexdigest()


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", True, 2**53, -(2**53), [1], {"a": 1}, "\ud800"])
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        entry_hash({"number": 1, "value": value})
    assert not is_whole({"number": 1, "value": value, "hash": "0" * 64})


def test_each_fault_has_its_name() -> None:
    first = {"number": 1, "text": "a", "previous": START.hash}
    first["hash"] = entry_hash(first)
    second = {"number": 2, "text": "b", "previous": first["hash"]}
    second["hash"] = entry_hash(second)
    after = Mark(1, str(first["hash"]))
    assert fault(first, START) is None and fault(second, after) is None
    assert fault(second, START) == "missing"
    assert fault(second | {"text": "c"}, after) == "altered"
    assert fault(second, Mark(1, "0" * 64)) == "unlinked"


@given(st.text(st.characters()))
def test_any_text_can_be_stored_in_a_form_that_stays(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept and kept.encode().decode() == kept == storable(kept)
