"""Logos: a mark on a round tile, and the company's name beside it."""

from __future__ import annotations

from collections.abc import Callable

from datagen.media import png, svg
from datagen.media.shapes import GRID, WHITE, Bits, Circle, Colour, Polygon, Shape, Tile

ICON_PIXELS = 96
_PAIRS: tuple[tuple[Colour, Colour], ...] = (
    ((31, 78, 121), (255, 179, 71)),
    ((46, 125, 50), (200, 230, 120)),
    ((106, 27, 154), (255, 138, 128)),
    ((191, 54, 12), (255, 213, 79)),
    ((0, 105, 120), (128, 222, 234)),
    ((55, 71, 79), (255, 112, 67)),
    ((173, 20, 87), (248, 187, 208)),
    ((40, 53, 147), (100, 181, 246)),
    ((78, 52, 46), (255, 183, 77)),
    ((0, 77, 64), (255, 241, 118)),
)
_INK: Colour = (38, 42, 48)
Mark = Callable[[Colour], list[Shape]]


def _ring(accent: Colour) -> list[Shape]:
    return [Circle(128, 128, 80, WHITE), Circle(128, 128, 44, accent)]


def _bars(accent: Colour) -> list[Shape]:
    return [Tile(58, 132, 36, 66, 10, WHITE), Tile(110, 96, 36, 102, 10, accent), Tile(162, 58, 36, 140, 10, WHITE)]


def _pair(accent: Colour) -> list[Shape]:
    return [Circle(102, 128, 56, WHITE), Circle(158, 128, 52, accent), Circle(130, 128, 20, WHITE)]


def _chevrons(accent: Colour) -> list[Shape]:
    def up(y: int, fill: Colour) -> Shape:
        return Polygon(((52, y + 66), (128, y), (204, y + 66), (204, y + 104), (128, y + 38), (52, y + 104)), fill)

    return [up(56, WHITE), up(112, accent)]


def _diamond(accent: Colour) -> list[Shape]:
    return [
        Polygon(((128, 44), (212, 128), (128, 212), (44, 128)), WHITE),
        Polygon(((128, 90), (166, 128), (128, 166), (90, 128)), accent),
    ]


def _hexagon(accent: Colour) -> list[Shape]:
    return [Polygon(((128, 40), (204, 84), (204, 172), (128, 216), (52, 172), (52, 84)), WHITE), Circle(128, 128, 38, accent)]


def _tiles(accent: Colour) -> list[Shape]:
    return [
        Tile(54, 54, 68, 68, 14, WHITE),
        Circle(168, 88, 34, accent),
        Circle(88, 168, 34, accent),
        Tile(134, 134, 68, 68, 14, WHITE),
    ]


def _layers(accent: Colour) -> list[Shape]:
    def layer(y: int, fill: Colour) -> Shape:
        return Polygon(((128, y), (212, y + 42), (128, y + 84), (44, y + 42)), fill)

    return [layer(112, WHITE), layer(80, accent), layer(48, WHITE)]


_MARKS: tuple[Mark, ...] = (_ring, _bars, _pair, _chevrons, _diamond, _hexagon, _tiles, _layers)


def shapes_of(draw: int) -> list[Shape]:
    """Return the mark that a 64-bit draw stands for, on its tile."""
    bits = Bits(draw)
    mark, (ground, accent) = _MARKS[bits.below(len(_MARKS))], _PAIRS[bits.below(len(_PAIRS))]
    return [Tile(0, 0, GRID, GRID, 56, ground), *mark(accent)]


def as_svg(draw: int, texts: tuple[str, ...]) -> bytes:
    """Return the mark with the name beside it as SVG."""
    return svg.written(shapes_of(draw), texts[0].strip(), _INK)


def as_png(draw: int, texts: tuple[str, ...]) -> bytes:
    """Return the mark alone as PNG, 96 by 96 pixels."""
    return png.written(shapes_of(draw), ICON_PIXELS)
