"""Shapes as PNG: sampled 4 by 4 times a pixel in whole numbers, and stored without compression.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)"; RFC 1950 and 1951 (stored blocks).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from datagen.media.shapes import GRID, WHITE, Circle, Shape, Tile

_SAMPLES = 4
_ALL = _SAMPLES * _SAMPLES
_STORED = 65_535
Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]


def written(shapes: Sequence[Shape], size: int) -> bytes:
    """Return a PNG of `size` by `size` pixels (a palette where 256 colours do) of `shapes`, the later ones above the earlier."""
    return encoded(painted(shapes, size))


def painted(shapes: Sequence[Shape], size: int) -> Pixels:
    """Return the pixels on white: (size, size, 3), 8 bits a colour."""
    pixels = np.empty((size, size, 3), np.int32)
    pixels[:] = WHITE
    places = (2 * np.arange(size * _SAMPLES, dtype=np.int64) + 1) * GRID  # of samples, in units of the grid times `unit`
    unit = 2 * size * _SAMPLES
    for shape in shapes:
        left, top, right, bottom = (min(max(edge * size // GRID, 0), size) for edge in _bounds(shape))
        across, down = (places[a * _SAMPLES : b * _SAMPLES] for a, b in ((left, right), (top, bottom)))
        mask = _covered(shape, across[None, :], down[:, None], unit)
        parts = mask.reshape(bottom - top, _SAMPLES, right - left, _SAMPLES).sum(axis=(1, 3), dtype=np.int32)[..., None]
        under = pixels[top:bottom, left:right]
        under[:] = (under * (_ALL - parts) + np.array(shape.fill, np.int32) * parts + _ALL // 2) // _ALL
    return pixels.astype(np.uint8)


def _bounds(shape: Shape) -> tuple[int, int, int, int]:
    """A rectangle on the grid with all of the shape in it, and a little more: left, top, right, bottom."""
    if isinstance(shape, Circle):
        found = (shape.x - shape.radius, shape.y - shape.radius, shape.x + shape.radius, shape.y + shape.radius)
    elif isinstance(shape, Tile):
        found = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
    else:
        across, down = zip(*shape.points, strict=True)
        found = (min(across), min(down), max(across), max(down))
    return found[0], found[1], found[2] + GRID // 32, found[3] + GRID // 32


def _covered(shape: Shape, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], unit: int) -> Mask:
    if isinstance(shape, Circle):
        found: Mask = (x - shape.x * unit) ** 2 + (y - shape.y * unit) ** 2 <= (shape.radius * unit) ** 2
        return found
    if isinstance(shape, Tile):
        # the distance beyond the inner rectangle, around whose corners the round ones lie
        left, right = (shape.x + shape.radius) * unit, (shape.x + shape.width - shape.radius) * unit
        top, bottom = (shape.y + shape.radius) * unit, (shape.y + shape.height - shape.radius) * unit
        beyond_x = np.maximum(np.maximum(left - x, x - right), 0)
        beyond_y = np.maximum(np.maximum(top - y, y - bottom), 0)
        inside: Mask = beyond_x**2 + beyond_y**2 <= (shape.radius * unit) ** 2
        return inside
    odd: Mask = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.bool_)
    corners = [(a * unit, b * unit) for a, b in shape.points]
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y1 == y2:
            continue
        side = (x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)
        odd ^= ((y1 > y) != (y2 > y)) & (side < 0 if y2 > y1 else side > 0)
    return odd


def encoded(pixels: Pixels) -> bytes:
    """Return pixels (height, width, 3) as a PNG file."""
    height, width, _ = pixels.shape
    colours, index = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    parts: list[tuple[bytes, bytes]] = []
    if len(colours) <= 256:
        kind, rows = 3, index.astype(np.uint8).reshape(height, width)
        parts.append((b"PLTE", colours.tobytes()))
    else:
        kind, rows = 2, pixels.reshape(height, width * 3)
    unfiltered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *parts, (b"IDAT", b"".join(_stored(unfiltered))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _stored(data: bytes) -> Iterator[bytes]:
    """A zlib stream of stored blocks."""
    yield b"\x78\x01"
    for start in range(0, len(data), _STORED):
        block = data[start : start + _STORED]
        yield struct.pack("<BHH", start + _STORED >= len(data), len(block), len(block) ^ 0xFFFF)
        yield block
    yield struct.pack(">I", zlib.adler32(data))
