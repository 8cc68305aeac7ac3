"""Shapes of JSON data, for documents that somebody else may have altered.

A shape is a function that raises Misfit where a value is not of it. Shapes say what they expect and where, and never what they found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

Shape = Callable[[Any], None]


class Misfit(ValueError):
    """What is expected at a place of a document, such as `tables[3].columns[1].type`."""

    def __init__(self, expected: str, *path: str | int) -> None:
        self.expected, self.path = expected, path
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        super().__init__(f"{steps} must be {expected}" if path else f"{expected} is expected")

    def within(self, *steps: str | int) -> Misfit:
        """Return the same of a document of which this one stands at `steps`."""
        return Misfit(self.expected, *steps, *self.path)


def anything(value: Any) -> None:
    """Any value."""


def a(kind: type, expected: str) -> Shape:
    """A value of just this type: true is no whole number."""

    def check(value: Any) -> None:
        if type(value) is not kind:
            raise Misfit(expected)

    return check


TEXT = a(str, "a text")
FLAG = a(bool, "true or false")


def one_of(words: Collection[str], expected: str | None = None) -> Shape:
    """One of some texts."""

    def check(value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise Misfit(expected or f"one of {', '.join(words)}")

    return check


def number(
    least: float | None = None, most: float | None = None, *, whole: bool = False, read: Callable[[Any], Any] = lambda value: value
) -> Shape:
    """A number between two bounds, both included; `read` returns it of what stands in its place."""
    bounds = "" if least is None else f" of {least} or more" if most is None else f" from {least} to {most}"
    kinds = (int,) if whole else (int, float)

    def check(value: Any) -> None:
        found = read(value)
        if type(found) not in kinds or not (float("-inf") if least is None else least) <= found <= (float("inf") if most is None else most):
            raise Misfit(f"a {'whole ' if whole else ''}number{bounds}")

    return check


def either(expected: str, *shapes: tuple[type, Shape]) -> Shape:
    """A value of one of some types, and then of the shape beside it."""

    def check(value: Any) -> None:
        for kind, shape in shapes:
            if isinstance(value, kind):
                return shape(value)
        raise Misfit(expected)

    return check


def items(shape: Shape, least: int = 0, most: int | None = None) -> Shape:
    """A list of so many values of one shape."""
    count = f"{least}" if most == least else f"{least} or more" if most is None else f"{least} to {most}"

    def check(value: Any) -> None:
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            raise Misfit(f"a list of {count}" if least or most else "a list")
        for place, item in enumerate(value):
            try:
                shape(item)
            except Misfit as misfit:
                raise misfit.within(place) from None

    return check


def row(*shapes: Shape) -> Shape:
    """A list of one value for each shape."""
    whole = items(anything, len(shapes), len(shapes))

    def check(value: Any) -> None:
        whole(value)
        for place, (shape, item) in enumerate(zip(shapes, value, strict=True)):
            try:
                shape(item)
            except Misfit as misfit:
                raise misfit.within(place) from None

    return check


def pairs(shape: Shape, least: int = 0) -> Shape:
    """A mapping that has an order: a list of pairs of a name, each another, and a value."""
    listed = items(row(TEXT, shape), least)

    def check(value: Any) -> None:
        listed(value)
        different((name for name, _ in value), 0)

    return check


def different(names: Iterable[str], *steps: str | int) -> None:
    """Raise Misfit where a name comes again, which stands at `steps` in each item."""
    seen = set()
    for place, name in enumerate(names):
        if name in seen:
            raise Misfit("another name than those before it", place, *steps)
        seen.add(name)


def members(required: Mapping[str, Shape], **optional: Shape) -> Shape:
    """An object with these members and no other."""
    known = {**required, **optional}

    def check(value: Any) -> None:
        if not isinstance(value, Mapping):
            raise Misfit("an object")
        for name, item in value.items():
            if name not in known:
                raise Misfit("left out: this version knows no such member", name)
            try:
                known[name](item)
            except Misfit as misfit:
                raise misfit.within(name) from None
        for name in required:
            if name not in value:
                raise Misfit("there", name)

    return check


def mapping(shape: Shape) -> Shape:
    """An object whose members, whatever their names, are of one shape."""

    def check(value: Any) -> None:
        if not isinstance(value, Mapping):
            raise Misfit("an object")
        for name, item in value.items():
            try:
                shape(item)
            except Misfit as misfit:
                raise misfit.within(name) from None

    return check
