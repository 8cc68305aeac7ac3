"""Formats of codes (`AB-1234-XY`), and the keyed permutation of all texts of one format.

The format of a text is the class of each of its characters: an upper-case letter, a lower-case one, a digit, each in its own
alphabet; separators, symbols and spaces stand for themselves. A permutation that keeps every character's class keeps the
format, the length and the case, and what was different stays different.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from math import prod
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import bitmap, validity
from masking.keyed import KeyedHash
from masking.octets import octets_of
from masking.permutation import LARGEST, Permutation

UInt64 = npt.NDArray[np.uint64]
Codepoints = npt.NDArray[np.uint32]

_BLOCK = 128
_HAN = range(0x4E00, 0x9FA6)
_HANGUL = range(0xAC00, 0xD7A4)
_LITERAL = -1
_UNKNOWN = -2
_SURELY_LARGE = 104
_DIGITS_OF_A_HASH = 8
_KEPT_PERMUTATIONS = 32
_UNICODE = unicodedata.ucd_3_2_0  # the one edition that every Python has: formats must not depend on the interpreter's


@cache
def alphabet(character: str) -> str:
    """Return the characters that may stand for one of its class, itself among them; only itself where it is a separator or symbol.

    ASCII has three alphabets. Beyond it, a class is the letters (marks, numbers) of one Unicode category within a run of 128
    code points, Chinese characters and Korean syllables one class each; what Unicode 3.2 did not know (emoji, newer scripts) is
    a class by its run, since it may be a letter.
    """
    point, kind = ord(character), _UNICODE.category(character)
    if kind[0] not in "LNM" and kind not in ("Cn", "Co"):
        return character
    for run in (_HAN, _HANGUL):
        if point in run:
            return "".join(map(chr, run))
    start = point - point % _BLOCK
    return "".join(chr(p) for p in range(start, start + _BLOCK) if _UNICODE.category(chr(p)) == kind)


@cache
def _class_of(point: int) -> int:
    """A number for the class of a code point: the first of its alphabet; -1 for a literal."""
    letters = alphabet(chr(point))
    return _LITERAL if len(letters) < 2 else ord(letters[0])


@cache
def _alphabet(first: int) -> Codepoints:
    return np.array([ord(c) for c in alphabet(chr(first))], np.uint32)


class FormatPermutation:
    """Maps every text to another of its format, one to one, under a key; `name` tells it from others under the same key.

    With `digits_only` letters stay as well. Formats of more than 2^104 texts are drawn by keyed hash instead of permuted: among
    10^9 values two then collide with probability 10^-13 at most. Texts without letters and digits, the empty one among them,
    stay as they are.
    """

    def __init__(self, key: KeyedHash, name: str = "format", digits_only: bool = False) -> None:
        self._key, self._name = key, name
        self._digits_only = digits_only
        self._permutations: OrderedDict[str, Permutation] = OrderedDict()
        self._lock = Lock()

    def apply(self, texts: pa.Array) -> pa.Array:
        """Map the texts of a `string` array; nulls stay null."""
        points, ends = code_points(texts)
        lengths = np.diff(ends)
        for rows in _groups(lengths):
            length = int(lengths[rows[0]])
            if length:
                places = ends[rows][:, None] + np.arange(length)
                points[places] = self.codes(points[places])
        return texts_from(points, ends, validity(texts))

    def of_digits(self, count: int) -> Permutation:
        """The permutation of numbers of so many decimal digits (at most 18), which is that of texts with as many, and no letters."""
        split = _split((10,) * count)
        return self._permutation(f"{self._name}|{','.join([str(ord('0'))] * count)}", (10,) * count, split)

    def codes(self, points: Codepoints) -> Codepoints:
        """Map the code points of texts of one length, rows by length."""
        classes = _classes(points, self._digits_only)
        result = points.copy()
        rows_of_formats = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(4 * points.shape[1]), len(points), [None, pa.py_buffer(np.ascontiguousarray(classes))]
        ).dictionary_encode()
        for rows in _groups(rows_of_formats.indices.to_numpy()):
            free = np.flatnonzero(classes[rows[0]] != _LITERAL)
            if len(free):
                kinds = tuple(classes[rows[0], free].tolist())
                result[np.ix_(rows, free)] = self._map(kinds, points[np.ix_(rows, free)])
        return result

    def _map(self, classes: tuple[int, ...], points: Codepoints) -> Codepoints:
        alphabets = [_alphabet(c) for c in classes]
        radices = tuple(map(len, alphabets))
        # literals are no part of the name: AB-12 and AB12 are one code, written in two ways
        name = f"{self._name}|{','.join(map(str, classes))}"
        if len(radices) > _SURELY_LARGE or prod(radices) > LARGEST:
            digits = self._drawn(name, radices, points)
        else:
            places = np.stack([_places(points[:, i], c) for i, c in enumerate(classes)])
            split = _split(radices)
            halves = self._permutation(name, radices, split).apply(
                _joined(places[:split], radices[:split]), _joined(places[split:], radices[split:])
            )
            digits = np.concatenate([_parted(halves[0], radices[:split]), _parted(halves[1], radices[split:])])
        return np.stack([alphabet[row.astype(np.int64)] for alphabet, row in zip(alphabets, digits)], axis=1)

    def _permutation(self, name: str, radices: tuple[int, ...], split: int) -> Permutation:
        with self._lock:
            found = self._permutations.get(name)
            if found is None:
                found = Permutation(self._key, name, prod(radices), (prod(radices[:split]), prod(radices[split:])))
                self._permutations[name] = found
                if len(self._permutations) > _KEPT_PERMUTATIONS:
                    self._permutations.popitem(last=False)
            self._permutations.move_to_end(name)
            return found

    def _drawn(self, name: str, radices: tuple[int, ...], points: Codepoints) -> UInt64:
        """A digit of each radix for each text, from a stream of hashes of the text's own hash; eight digits to a hash."""
        source = texts_from(points.ravel(), np.arange(len(points) + 1) * points.shape[1], None)
        seeds = self._key.hexadecimal(pc.binary_join_element_wise(f"{name}|drawn|", source, "")).cast(pa.string())
        blocks = -(-len(radices) // _DIGITS_OF_A_HASH)
        counters = pa.array(np.tile(np.arange(blocks), len(points))).cast(pa.string())
        rows = seeds.take(pa.array(np.repeat(np.arange(len(points)), blocks)))
        stream = self._key.digests(pc.binary_join_element_wise(f"{self._name}|stream", counters, rows, "|"))
        words = np.ascontiguousarray(stream).view(">u4").astype(np.uint64).reshape(len(points), -1)
        return (words[:, : len(radices)] % np.array(radices, np.uint64)).T


def _split(radices: tuple[int, ...]) -> int:
    """Where to cut, so that the halves are as nearly of one size as they can be."""
    return min(range(len(radices) + 1), key=lambda i: (max(prod(radices[:i]), prod(radices[i:])), i))


def _joined(digits: UInt64, radices: tuple[int, ...]) -> UInt64:
    number = np.zeros(digits.shape[1], np.uint64)
    for row, radix in zip(digits, radices):
        number = number * np.uint64(radix) + row
    return number


def _parted(number: UInt64, radices: tuple[int, ...]) -> UInt64:
    digits = np.empty((len(radices), len(number)), np.uint64)
    for i in range(len(radices) - 1, -1, -1):
        number, digits[i] = number // np.uint64(radices[i]), number % np.uint64(radices[i])
    return digits


def _places(points: Codepoints, first: int) -> UInt64:
    """Where in the alphabet of a class each code point stands."""
    return np.searchsorted(_alphabet(first), points).astype(np.uint64)


def _classes(points: Codepoints, digits_only: bool) -> npt.NDArray[np.int32]:
    """The class of every code point, looked up once for each that occurs; with `digits_only`, all but decimal digits are literal."""
    table = np.full(int(points.max()) + 1, _UNKNOWN, np.int32)
    table[points] = _LITERAL
    for point in np.flatnonzero(table == _LITERAL):
        if not digits_only or _UNICODE.category(chr(point)) == "Nd":
            table[point] = _class_of(int(point))
    return table[points]


def _groups(labels: npt.NDArray[np.integer]) -> Iterator[npt.NDArray[np.int64]]:
    """The rows of each label, by the labels' order."""
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return iter(np.split(order, cuts)) if len(order) else iter(())


def code_points(texts: pa.Array) -> tuple[Codepoints, npt.NDArray[np.int64]]:
    """Return the code points of all texts one after the other, and where each begins, and the end; nulls are empty."""
    offsets, octets = octets_of(texts)
    begins = np.concatenate([[0], np.cumsum((octets & 0xC0) != 0x80)])
    return np.frombuffer(bytearray(octets.tobytes().decode().encode("utf-32-le")), np.uint32), begins[offsets]


def texts_from(points: Codepoints, ends: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_] | None) -> pa.Array:
    """Return the `string` array of such code points; texts that are not `valid` are null."""
    if points.size == 0 or int(points.max()) < 0x80:
        data = points.astype(np.uint8).tobytes()
    else:
        data = points.tobytes().decode("utf-32-le").encode()
        sizes = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
        ends = np.concatenate([[0], np.cumsum(sizes)])[ends]
    buffers = [bitmap(valid), pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers).cast(pa.string())
