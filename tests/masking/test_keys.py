"""The masking key, where it comes from."""

from __future__ import annotations

import pytest

from masking.errors import KeyInvalid
from masking.keys import MaskingKey, read_key


def test_a_binary_key_is_taken_as_it_is(tmp_path) -> None:
    secret = bytes(range(9, 41 - 1)) + b"\xfe"  # begins with a tab
    (tmp_path / "key").write_bytes(secret)
    assert read_key(f"file:{tmp_path}/key").secret == secret


def test_a_written_key_ends_where_its_line_ends(tmp_path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef" * 2 + "\r\n")
    assert read_key(f"file:{tmp_path}/key").secret == b"0123456789abcdef" * 2


@pytest.mark.parametrize("place", ["file:/dev/zero", "file:/no\0where", "file:/"])
def test_what_is_no_key_is_refused(place: str) -> None:
    with pytest.raises(KeyInvalid):
        read_key(place)


def test_every_purpose_has_a_key_of_its_own_and_the_key_itself_is_not_shown() -> None:
    key = MaskingKey(bytes(range(32)), "file")
    assert key.derive("a") == key.derive("a") != key.derive("b")
    assert repr(key) == "MaskingKey(origin='file')"


def test_a_key_has_at_least_32_bytes() -> None:
    with pytest.raises(KeyInvalid, match="has 31 bytes"):
        MaskingKey(bytes(range(31)), "file")


def test_a_key_of_any_bytes_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", "abcdefg\udcff" * 5)
    assert read_key("env:K").secret == b"abcdefg\xff" * 5
