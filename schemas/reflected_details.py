"""What a database says of its indexes, constraints and columns beyond the words of the schema language, for the notes of a reflection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_BY_ITSELF = {"start": 1, "increment": 1, "cache": 1, "cycle": False}


def index_details(index: Mapping[str, Any]) -> str:
    """Return how an index of SQLAlchemy's inspector differs from a plain one over its columns, "" where it does not."""
    return ", ".join((*_options(index), *_sorting(index)))


def unique_details(unique: Mapping[str, Any]) -> str:
    """Return how a unique constraint of SQLAlchemy's inspector differs from a plain one, "" where it does not."""
    return ", ".join(_options(unique))


def identity_details(identity: Mapping[str, Any]) -> str:
    """Return how an identity of SQLAlchemy's inspector numbers rows, "" where it counts from 1 by 1 where no number is given."""
    said = [f"{word} {identity[word]}" for word, usual in _BY_ITSELF.items() if identity.get(word) is not None and identity[word] != usual]
    return ", ".join(["always"] * bool(identity.get("always")) + said)


def _options(found: Mapping[str, Any]) -> Iterator[str]:
    """The options of a dialect, such as postgresql_using, in SQL's words."""
    for option, value in (found.get("dialect_options") or {}).items():
        word = option.partition("_")[2].replace("_", " ")
        if value is True:
            yield word
        elif isinstance(value, Mapping):
            yield from (f"{word} {column} {of}" for column, of in value.items())
        elif isinstance(value, (list, tuple)):
            if value:
                yield f"{word} ({', '.join(map(str, value))})"
        elif value:
            yield f"{word} {value}"


def _sorting(index: Mapping[str, Any]) -> Iterator[str]:
    for column, ways in (index.get("column_sorting") or {}).items():
        yield f"{column} {' '.join(way.replace('_', ' ') for way in ways)}"
