"""Texts from a file of JSON strings, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from masking.errors import TextsInvalid
from masking.text.finder import Finder
from masking.text.found import Found

_CHUNK = 4_096
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_texts(lines: Iterable[bytes], name: str) -> Iterator[str | None]:
    """Yield the text of each line, None for a `null`; raises TextsInvalid with the name of the file and the number of the line."""
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        yield _text(line, f"{name}:{number}")


def spans(lines: Iterable[bytes], name: str, finder: Finder) -> Iterator[list[Found]]:
    """Yield what is personal in the text of each line, reading a few thousand lines at a time; raises TextsInvalid."""
    texts = read_texts(lines, name)
    while chunk := list(islice(texts, _CHUNK)):
        yield from finder.find(chunk)


def _text(line: bytes, place: str) -> str | None:
    if not line.strip():
        raise TextsInvalid(f'{place}: the line is empty; each line must be one JSON string, "" for an empty text')
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        raise TextsInvalid(f"{place}: byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8") from None
    except ValueError as error:
        # the message of the decoder is not passed on where it could quote the text
        column = getattr(error, "colno", None)
        where = f" (column {column})" if column else ""
        raise TextsInvalid(f"{place}: this is no JSON{where}; each line must be one JSON string, in double quotes") from None
    except RecursionError:
        raise TextsInvalid(f"{place}: the line must be one JSON string, and is nested deeply instead") from None
    if value is not None and not isinstance(value, str):
        kind = {dict: "an object", list: "a list", bool: "true or false"}.get(type(value), "a number")
        raise TextsInvalid(f"{place}: the line must be one JSON string, and is {kind}")
    return value
