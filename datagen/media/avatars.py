"""Avatars: heads and shoulders of nobody."""

from __future__ import annotations

from datagen.media import png, svg
from datagen.media.shapes import GRID, Bits, Circle, Colour, Shape, Tile

PIXELS = 96
_GROUNDS: tuple[Colour, ...] = ((207, 226, 243), (217, 234, 211), (255, 242, 204), (244, 204, 204), (217, 210, 233), (208, 224, 227))
_SKINS: tuple[Colour, ...] = ((255, 219, 185), (241, 194, 150), (224, 172, 125), (198, 134, 90), (141, 85, 52), (96, 57, 36))
_HAIRS: tuple[Colour, ...] = ((44, 34, 30), (92, 58, 33), (150, 96, 48), (214, 170, 95), (176, 74, 42), (170, 170, 170))
_CLOTHES: tuple[Colour, ...] = ((52, 86, 139), (47, 124, 100), (153, 60, 92), (90, 90, 102), (196, 110, 50), (88, 72, 140))


def shapes_of(draw: int) -> list[Shape]:
    """Return the portrait that a 64-bit draw stands for."""
    bits = Bits(draw)
    ground, skin, hair, clothes = (c[bits.below(len(c))] for c in (_GROUNDS, _SKINS, _HAIRS, _CLOTHES))
    behind: list[list[Shape]] = [
        [Circle(128, 88, 60, hair)],
        [Circle(128, 92, 64, hair), Tile(66, 92, 124, 96, 40, hair)],
        [Circle(128, 84, 58, hair), Circle(128, 34, 24, hair)],
        [],
    ]
    style = bits.below(len(behind))
    over: list[Shape] = [] if style == 3 else [Tile(80, 48, 96, 40, 16, hair)]
    neck = Tile(106, 130, 44, 62, 20, tuple(part * 9 // 10 for part in skin))  # type: ignore[arg-type]
    body: list[Shape] = [Circle(128, 268, 92, clothes), neck, Circle(128, 108, 54, skin)]
    eyes: list[Shape] = [Circle(108, 110, 6, (40, 36, 34)), Circle(148, 110, 6, (40, 36, 34))]
    return [Tile(0, 0, GRID, GRID, 0, ground), *behind[style], *body, *over, *eyes, Tile(112, 134, 32, 6, 3, (150, 70, 60))]


def as_svg(draw: int, texts: tuple[str, ...]) -> bytes:
    """Return the portrait as SVG."""
    return svg.written(shapes_of(draw))


def as_png(draw: int, texts: tuple[str, ...]) -> bytes:
    """Return the portrait as PNG, 96 by 96 pixels."""
    return png.written(shapes_of(draw), PIXELS)
