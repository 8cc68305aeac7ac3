"""The canonical form of JSON: of documents that the format itself writes (RFC 8785), and of values in json columns.

Values in json columns are compared by meaning, whoever wrote them: a generator, or a database that reorders members and
respells numbers. Their canonical text has members sorted by code point (the last of equal names counts), no spaces, no
escapes but the needed ones, whole numbers as digits whatever their spelling (`1e2` and `100.0` are `100`), and other
numbers as the shortest decimal that gives the same binary64 number, spelled as Python's `repr` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import rfc8785

_SAFE = 2**53 - 1
_INTEGER = "$integer"


class NotJson(ValueError):
    """The value at `position` of a sequence is not JSON."""

    def __init__(self, position: int) -> None:
        super().__init__(f"the value at {position} is not JSON")
        self.position = position


def dump_document(document: object) -> bytes:
    """Return `document` as RFC 8785 JSON; integers beyond 2^53 - 1 are written as `{"$integer": "digits"}`."""
    return rfc8785.dumps(_wrap(document))


def load_document(data: bytes) -> Any:
    """Read what `dump_document` wrote; ValueError where it is not JSON."""
    return json.loads(data, object_hook=_unwrap)


def _wrap(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return {_INTEGER: str(value)}
    if isinstance(value, Mapping):
        return {key: _wrap(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_wrap(inner) for inner in value]
    return value


def _unwrap(value: dict[str, Any]) -> Any:
    if len(value) == 1 and isinstance(value.get(_INTEGER), str):
        return int(value[_INTEGER])
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _number(text: str) -> float | int:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number out of the range of binary64")
    return int(number) if number.is_integer() else number


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)
_WRITE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def canonical_values(texts: Sequence[str]) -> Sequence[str]:
    """Return the canonical text of each JSON text; `texts` itself where all are canonical.

    Raises NotJson with the position of the first text that is not JSON.
    """
    try:
        values = [_read(text, position) for position, text in enumerate(texts)]
    except NotJson as error:
        for position in range(error.position):  # half a surrogate pair is found by writing only
            _write(_read(texts[position], position), position)
        raise
    try:
        written = _WRITE(values)
        written.encode()
    except (ValueError, RecursionError):
        return [_write(value, position) for position, value in enumerate(values)]
    return texts if written == f"[{','.join(texts)}]" else _split(written, len(texts))


def _read(text: str, position: int) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
        return value if end == len(text) else _DECODER.decode(text)
    except (ValueError, RecursionError):
        pass
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson(position) from None


def _write(value: Any, position: int) -> str:
    try:
        text = _WRITE(value)
        text.encode()
    except (ValueError, RecursionError):
        raise NotJson(position) from None
    return text


def _split(written: str, count: int) -> list[str]:
    """Cut the text of a list into its items: one call of the encoder for all is several times faster than one for each."""
    items, start = [], 1
    for _ in range(count):
        _, end = _DECODER.raw_decode(written, start)
        items.append(written[start:end])
        start = end + 1
    return items
