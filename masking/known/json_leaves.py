"""The values in JSON texts, by the path that speaks for each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from masking.transformers.path_language import Automaton, Place, parse_path


class JsonLeaves:
    """Takes the texts and numbers out of JSON documents, for `paths` as the policy writes them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._automaton = Automaton([parse_path(path) for path in paths])

    def of(self, texts: pa.Array) -> dict[int | None, pa.Array]:
        """Return the values for which each path speaks, by its number; None for those that no path names.

        Numbers are texts, with digits as they are written. Truth values and nulls are left out, as is a text that is no JSON.
        """
        found: dict[int | None, list[str]] = {}
        for text in texts.to_pylist():
            if text is None:
                continue
            try:
                document = json.loads(text, parse_float=str, parse_int=str)
            except (ValueError, RecursionError):
                continue
            for rule, value in _walk(document, self._automaton.root):
                found.setdefault(rule, []).append(value)
        return {rule: pa.array(values, pa.large_string()) for rule, values in found.items()}


def _walk(document: Any, root: Place) -> Iterator[tuple[int | None, str]]:
    waiting = [(root, document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            if place.names is not None:
                yield from ((place.names, key) for key in value)
            waiting += [(place.member(key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(place.items(), item) for item in reversed(value)]
        elif isinstance(value, str):
            yield place.rule, value
