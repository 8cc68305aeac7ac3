"""The values in JSON texts by path: `$.contact.email`, `$.tags[*]`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa


def leaves(texts: pa.Array) -> dict[str, pa.Array]:
    """Return all texts and numbers in JSON texts by path, in the order in which paths are first met; `$` holds bare values.

    Items of arrays have one path, `[*]`. Truth values and nulls are left out, as is a text that is no JSON.
    """
    found: dict[str, list[str]] = {}
    for text in texts.to_pylist():
        if text is None:
            continue
        try:
            document = json.loads(text, parse_float=str, parse_int=str)  # digits as they are written
        except (ValueError, RecursionError):
            continue
        for path, value in _walk(document):
            found.setdefault(path, []).append(value)
    return {path: pa.array(values, pa.large_string()) for path, values in found.items()}


def _walk(document: Any) -> Iterator[tuple[str, str]]:
    waiting = [("$", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{path}[*]", item) for item in reversed(value)]
        elif isinstance(value, str):
            yield path, value
