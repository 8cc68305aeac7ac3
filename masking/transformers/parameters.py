"""The parameters of a transformer: what a field of its dataclass accepts, and the plain values of a policy brought into it.

A field's annotation says its type: `bool`, `int`, `float`, `Decimal`, `str`, `Literal[...]`, `tuple[T, ...]` (a list in the policy),
`Mapping[str, T]`, `Transformer` (a transformer again, as under `mask:`), and unions of these. `parameter` adds ranges and help.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from math import isfinite
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from masking.transformers.base import Transformer
from schemas.errors import nearest

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", Decimal: "a number", str: "text", type(None): "null"}


class Unreadable(ValueError):
    """A value that a parameter does not accept; the message says what it would."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter as the policy may say it: name, type, what stands for it where it is left out, bounds (inclusive), help."""

    name: str
    type: Any
    required: bool
    default: Any
    least: float | None
    most: float | None
    help: str


def parameter(help: str, *, default: Any = dataclasses.MISSING, least: float | None = None, most: float | None = None) -> Any:
    """Declare a field with a line of help, for the reference, and an inclusive range, for numbers and the length of lists."""
    return dataclasses.field(default=default, metadata={"help": help, "least": least, "most": most})


@cache
def parameters_of(kind: type) -> tuple[Parameter, ...]:
    """The parameters of a transformer's dataclass, in its order."""
    hints = get_type_hints(kind, localns={"Transformer": Transformer})
    found = []
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        said = field.metadata
        found.append(
            Parameter(
                field.name.rstrip("_"),
                hints[field.name],
                default is dataclasses.MISSING,
                default,
                said.get("least"),
                said.get("most"),
                said.get("help", ""),
            )
        )
    return tuple(found)


def read_value(wanted: Parameter, value: Any, nested: Callable[[Any], Transformer]) -> Any:
    """Return `value`, plain as YAML gives it, as `wanted` has it; `nested` reads a transformer. Raises Unreadable."""
    read = _read(wanted.type, value, nested)
    size = len(read) if isinstance(read, (tuple, Mapping)) else read
    if isinstance(size, (int, float, Decimal)) and not isinstance(size, bool):
        things = " of entries" if size is not read else ""
        if wanted.least is not None and size < wanted.least:
            raise Unreadable(f"must be a number{things} of at least {wanted.least:g}")
        if wanted.most is not None and size > wanted.most:
            raise Unreadable(f"must be a number{things} of at most {wanted.most:g}")
    return read


def describe(kind: Any) -> str:
    """What a type accepts, in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _either([f"`{choice}`" for choice in inner])
    if origin in (Union, types.UnionType):
        return _either(list(dict.fromkeys(describe(one) for one in inner if one is not type(None))))
    if origin is tuple:
        return f"a list of {_plural(inner[0])}"
    if origin is Mapping:
        return f"a mapping to {_plural(inner[1])}"
    if kind is Transformer:
        return "a transformer"
    return "any plain value" if kind is Any else _NAMES[kind]


def _plural(kind: Any) -> str:
    words = {int: "whole numbers", float: "numbers", Decimal: "numbers", str: "texts", Transformer: "transformers"}
    return words.get(kind) or f"entries, each {describe(kind)}"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _read(kind: Any, value: Any, nested: Callable[[Any], Transformer]) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _read_union(kind, inner, value, nested)
    if origin is Literal:
        if value in inner and type(value) in {type(choice) for choice in inner}:
            return value
        raise Unreadable(f"must be {describe(kind)}{nearest(str(value), [str(choice) for choice in inner])}")
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_read(inner[0], item, nested) for item in value)
    if origin is Mapping and isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise Unreadable("must be a mapping whose keys are text (set them in quotes)")
        return {name: _read(inner[1], item, nested) for name, item in value.items()}
    if kind is Transformer:
        return nested(value)
    return _read_scalar(kind, value)


def _read_union(kind: Any, inner: tuple[Any, ...], value: Any, nested: Callable[[Any], Transformer]) -> Any:
    for exact in (True, False):  # `1` is a whole number before it is a float
        for one in inner:
            if exact and type(value) is not one:
                continue
            try:
                return _read(one, value, nested)
            except Unreadable:
                continue
    raise Unreadable(f"must be {describe(kind)}")


def _read_scalar(kind: Any, value: Any) -> Any:
    if kind in (int, float, Decimal) and isinstance(value, bool):
        raise Unreadable(f"must be {describe(kind)}")
    if kind is float and isinstance(value, (int, float)) and isfinite(value):
        return float(value)
    if kind is Decimal and isinstance(value, (int, float, Decimal)):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    if isinstance(kind, type) and kind not in (float, Decimal) and isinstance(value, kind):
        return value
    raise Unreadable(f"must be {describe(kind)}")
