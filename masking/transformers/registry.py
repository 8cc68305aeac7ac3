"""All transformers by name: built from what a policy says, those of plug-ins included.

A plug-in is a distribution with an entry point in the group `companyos.transformers`, whose name is the transformer's and which
leads to a frozen dataclass such as those of this folder (see `masking.transformers.base`).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from masking.errors import TransformerInvalid
from masking.transformers import TRANSFORMERS
from masking.transformers.base import Transformer
from masking.transformers.parameters import Unreadable, parameters_of, read_value
from schemas.errors import nearest

GROUP = "companyos.transformers"


def transformer(name: str, parameters: Any, place: str) -> Transformer:
    """Return the transformer called `name` with `parameters` as a policy has them, plain values.

    `parameters` is a mapping, None for none, or, where it is no mapping, the value of the first parameter: `{truncate: month}` is
    `{truncate: {to: month}}`. `place` opens each message, as `users.email`. Raises TransformerInvalid, for all that is wrong.
    """
    kind = _kinds(place).get(name)
    if kind is None:
        raise TransformerInvalid(place, [f"there is no transformer '{name}'{_hint(name, place)}"])
    if isinstance(kind, EntryPoint):
        kind = _loaded(kind, place)
    known = {p.name: p for p in parameters_of(kind)}
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, Mapping):
        if not known:
            raise TransformerInvalid(place, [f"'{name}' takes no parameters"])
        parameters = {next(iter(known)): parameters}
    problems, values = [], {}
    fields = {field.name.rstrip("_"): field.name for field in dataclasses.fields(kind)}
    for word, value in parameters.items():
        if word not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            problems.append(f"'{name}' has no parameter '{word}'; {takes}{nearest(str(word), known)}")
            continue
        try:
            values[fields[word]] = read_value(known[word], value, lambda inner, word=word: read(inner, f"{place}.{word}"))  # type: ignore[misc]
        except Unreadable as error:
            problems.append(f"'{word}' of '{name}' {error}")
    problems += [f"'{name}' needs '{word}'" for word, p in known.items() if p.required and word not in parameters]
    if not problems:
        try:
            built: Transformer = kind(**values)
            return built
        except ValueError as error:
            problems.append(f"'{name}': {error}")
    raise TransformerInvalid(place, problems)


def read(mask: Any, place: str) -> Transformer:
    """Return the transformer that stands under `mask:`: a bare name, or a mapping of one name to its parameters."""
    if mask is None:  # YAML reads a bare `null` so
        mask = "null"
    if isinstance(mask, str):
        return transformer(mask, None, place)
    if isinstance(mask, Mapping) and len(mask) == 1 and isinstance(name := next(iter(mask)), str):
        return transformer(name, mask[name], place)
    raise TransformerInvalid(place, ["must be the name of a transformer, or one name and its parameters: {truncate: {to: month}}"])


def names() -> list[str]:
    """The names of all transformers, those of plug-ins included, in alphabetical order."""
    return sorted(_kinds("transformers"))


def _kinds(place: str) -> dict[str, type | EntryPoint]:
    kinds: dict[str, type | EntryPoint] = {kind.name: kind for kind in TRANSFORMERS}
    for point in _plug_ins(tuple(sys.path)):
        other = kinds.get(point.name)
        if isinstance(other, EntryPoint) and other == point:  # one distribution, seen twice on the path
            continue
        if other is not None:
            whose = f"'{_distribution(other)}'" if isinstance(other, EntryPoint) else "the project itself"
            raise TransformerInvalid(
                place,
                [f"the plug-in '{_distribution(point)}' brings a transformer '{point.name}', which {whose} has too; uninstall one of them"],
            )
        kinds[point.name] = point
    return kinds


@lru_cache(maxsize=1)
def _plug_ins(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    # to ask once takes 30 ms, and a policy has hundreds of masks; `path` is where Python looks for distributions
    return tuple(entry_points(group=GROUP))


def _loaded(point: EntryPoint, place: str) -> type:
    whose = f"the transformer '{point.name}' of the plug-in '{_distribution(point)}'"
    try:
        kind = point.load()
    except Exception as error:  # a plug-in may fail in any way
        raise TransformerInvalid(place, [f"{whose} cannot be loaded ({type(error).__name__}: {error})"]) from error
    for wrong in _wrongs(kind, point.name):
        raise TransformerInvalid(place, [f"{whose} is not one: {wrong}"])
    return kind  # type: ignore[no-any-return]


def _wrongs(kind: Any, name: str) -> Iterator[str]:
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        yield "it must be a frozen dataclass"
    elif getattr(kind, "name", None) != name:
        yield f"its `name` must be '{name}'"
    elif not callable(getattr(kind, "bind", None)):
        yield "it has no method `bind`"
    else:
        try:
            parameters_of(kind)
        except Exception as error:
            yield f"the types of its fields cannot be read ({type(error).__name__}: {error})"


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _hint(name: str, place: str) -> str:
    known = sorted(_kinds(place))
    return nearest(name, known) or f"; there are {', '.join(known)}"
