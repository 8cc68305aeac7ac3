"""Texts from JSON lines: good ones are read, bad ones told by their line and never by what stands there."""

from __future__ import annotations

import pytest

from masking.errors import TextsInvalid
from masking.text.lines import read_texts


def test_strings_and_nulls_are_read_with_a_byte_order_mark_and_windows_line_ends() -> None:
    lines = [b'\xef\xbb\xbf"a\\u00e9"\r\n', b'"\xf0\x9f\x98\x80"\n', b"null\n", b'""']
    assert list(read_texts(lines, "f")) == ["aé", "😀", None, ""]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"secret name\n", "f:2: this is no JSON"),
        (b'"secret\n', "f:2: this is no JSON"),
        (b"\n", "f:2: the line is empty"),
        (b'{"a": "secret"}\n', "f:2: the line must be one JSON string, and is an object"),
        (b'["secret"]\n', "f:2: the line must be one JSON string, and is a list"),
        (b"12\n", "f:2: the line must be one JSON string, and is a number"),
        (b"true\n", "f:2: the line must be one JSON string, and is true or false"),
        (b'"secret \xff"\n', "f:2: byte 9 of the line is not UTF-8"),
        (b"[" * 100_000 + b"\n", "f:2: "),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_not_by_its_text(line: bytes, message: str) -> None:
    with pytest.raises(TextsInvalid) as raised:
        list(read_texts([b'"fine"\n', line], "f"))
    assert str(raised.value).startswith(message)
    assert "secret" not in str(raised.value)
