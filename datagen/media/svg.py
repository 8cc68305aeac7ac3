"""Shapes and a line of text as SVG 1.1 with whole numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

from datagen.media.shapes import GRID, Circle, Colour, Shape, Tile

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIZE = 100
_GAP = 40
_LETTER = 58


def written(shapes: Sequence[Shape], text: str = "", fill: Colour = (0, 0, 0)) -> bytes:
    """Return an SVG of `shapes` on the grid, and `text` to the right of them."""
    shown = escape(_NOT_XML.sub(" ", text), quote=False)
    width = GRID + (_GAP * 2 + sum(_LETTER * (2 if east_asian_width(letter) in "WF" else 1) for letter in text) if shown else 0)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {GRID}" width="{width}" height="{GRID}">']
    lines += map(_element, shapes)
    if shown:
        font = f'font-family="Helvetica, Arial, sans-serif" font-size="{_SIZE}" font-weight="600"'
        lines.append(f'<text x="{GRID + _GAP}" y="163" {font} fill="{_hex(fill)}">{shown}</text>')
    return "\n".join([*lines, "</svg>", ""]).encode()


def _element(shape: Shape) -> str:
    fill = f'fill="{_hex(shape.fill)}"'
    if isinstance(shape, Circle):
        return f'<circle cx="{shape.x}" cy="{shape.y}" r="{shape.radius}" {fill}/>'
    if isinstance(shape, Tile):
        return f'<rect x="{shape.x}" y="{shape.y}" width="{shape.width}" height="{shape.height}" rx="{shape.radius}" {fill}/>'
    points = " ".join(f"{x},{y}" for x, y in shape.points)
    return f'<polygon points="{points}" fill-rule="evenodd" {fill}/>'


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
