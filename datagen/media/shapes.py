"""Filled shapes on a grid of whole numbers, y downwards: what logos and avatars are drawn with."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
GRID = 256


@dataclass(frozen=True, slots=True)
class Circle:
    """A filled circle."""

    x: int
    y: int
    radius: int
    fill: Colour


@dataclass(frozen=True, slots=True)
class Tile:
    """A filled rectangle with round corners."""

    x: int
    y: int
    width: int
    height: int
    radius: int
    fill: Colour


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled polygon."""

    points: tuple[tuple[int, int], ...]
    fill: Colour


Shape = Circle | Tile | Polygon


class Bits:
    """The bits of one 64-bit draw, taken off in choices."""

    def __init__(self, draw: int) -> None:
        self._left = draw

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound` - 1."""
        self._left, found = divmod(self._left, bound)
        return found
