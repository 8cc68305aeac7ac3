"""Keys: sequences, places among siblings, uuids and random bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import Mask, blank, from_units, largest_units, to_units
from datagen.compiling import Context, generator
from datagen.gaps import Gapped
from datagen.numbers import BIGINT, unit_factor, whole_distribution
from datagen.permutation import scatter
from datagen.randomness import Int64, UInt64
from datagen.rows import Kernel, Rows
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import TEXTS, SqlType

_NUMBER_FIELD = re.compile(r"\{n(?::(0?)(\d+))?\}")
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_DASHES = (8, 13, 18, 23)
_DIGITS = [i for i in range(36) if i not in _DASHES]
_MILLISECOND = 1_000
_UUID7_STEP = 1_000


@dataclass(frozen=True, eq=False)
class Affine:
    """A column whose value is start + step * row number, so that references to it need no look-up.

    With `gapped`, the row number is spread out first. After each `run` rows (0 for never), `skip` values are left out.
    """

    type: SqlType
    start: int
    step: int
    run: int = 0
    skip: int = 0
    gapped: Gapped | None = None

    def units(self, numbers: Int64) -> Int64:
        if self.gapped is not None:
            numbers = self.gapped(numbers)
        if self.run:
            numbers = numbers + numbers // self.run * self.skip
        return numbers * self.step + self.start

    def largest(self, rows: int) -> int:
        """No unit of the first `rows` rows is larger than this, whatever its sign."""
        last = max(rows - 1, 0) if self.gapped is None else self.gapped.last(rows)
        return max(abs(self.start), abs(self.start + self.step * (last + (last // self.run * self.skip if self.run else 0))))

    def numbers_of(self, values: Int64) -> Int64 | None:
        """The row that has each whole number, however many rows there are; -1 for those before the first and in between.

        None where rows and values do not go in equal steps.
        """
        if self.gapped is not None or self.run or self.type.decimals:
            return None
        steps, rest = np.divmod(values - self.start, self.step)
        return np.where((rest == 0) & (steps >= 0), steps, np.int64(-1))

    def __call__(self, rows: Rows) -> pa.Array:
        return from_units(self.type, self.units(rows.numbers()))


@generator("sequence")
def sequence(recipe: Recipe, ctx: Context) -> Kernel:
    """Consecutive numbers; in text columns laid into `format`."""
    start, step = int(argument(recipe, "start")), int(argument(recipe, "step"))
    if step == 0:
        ctx.fail("the step of a sequence cannot be 0")
    gapped, run, skip = gapped_numbers(recipe, ctx), int(argument(recipe, "run") or 0), int(argument(recipe, "skip"))
    if run and gapped is not None:
        ctx.fail("a sequence has either gaps or runs")
    numbers = Affine(ctx.type, start, step, run, skip, gapped)
    most = max(ctx.rows - 1, 0) if gapped is None else gapped.last(ctx.rows)
    last = start + step * (most + (most // run * skip if run else 0))
    if max(abs(start), abs(last), abs(step)) >= 2**63:
        ctx.fail(f"{ctx.rows:,} rows from {start} by {step} go beyond the numbers of 64 bits")
    if ctx.type.kind not in TEXTS:
        factor = unit_factor(ctx.type)
        if max(abs(start), abs(last)) * factor > largest_units(ctx.type):
            ctx.fail(f"{ctx.rows:,} rows from {start} by {step} end at {last:,}, which {ctx.type} cannot hold")
        return Affine(ctx.type, start * factor, step * factor, run, skip, gapped)
    before, width, after = _format(str(argument(recipe, "format") or "{n}"), ctx)
    if width and min(start, last) < 0:
        ctx.fail(f"a sequence with a width cannot have negative numbers, and {ctx.rows:,} rows from {start} by {step} end at {last:,}")
    longest = len(before) + len(after) + max(width, len(str(last)), len(str(start)))
    if ctx.type.length is not None and longest > ctx.type.length:
        ctx.fail(f"the last of {ctx.rows:,} rows needs {longest} characters and {ctx.type} has {ctx.type.length}")

    def kernel(rows: Rows) -> pa.Array:
        digits = pc.cast(pa.array(numbers.units(rows.numbers())), pa.string())
        if width:
            digits = pc.utf8_lpad(digits, width, "0")
        return pc.binary_join_element_wise(before, digits, after, "") if before or after else digits

    return kernel


def gapped_numbers(recipe: Recipe, ctx: Context) -> Gapped | None:
    """How a sequence with `gaps` spreads its row numbers out; None for one without."""
    gaps = int(argument(recipe, "gaps"))
    if gaps <= 1:
        return None
    gapped = Gapped(ctx.stream("gaps"), gaps, ctx.plan.further.get(ctx.table.name))
    shortage = gapped.shortage()
    if shortage is not None:
        ctx.fail(shortage)
    return gapped


def _format(text: str, ctx: Context) -> tuple[str, int, str]:
    fields = list(_NUMBER_FIELD.finditer(text))
    if len(fields) != 1:
        ctx.fail(f"the format of a sequence needs {{n}} or {{n:06}} exactly once, not {text!r}")
    field = fields[0]
    return text[: field.start()], int(field[2] or 0), text[field.end() :]


@generator("ordinal")
def ordinal(recipe: Recipe, ctx: Context) -> Kernel:
    """The place of a row among its siblings."""
    family = ctx.plan.family(ctx.table.name)
    if family is None:
        ctx.fail(
            f"ordinal needs a table with rows per parent, such as `rows: {{per: ..., count: ...}}`; {ctx.table.name} has a fixed number"
        )
    start, type = int(argument(recipe, "start")), ctx.type
    factor = unit_factor(type)
    if (family.most + start) * factor > largest_units(type):
        ctx.fail(f"up to {family.most:,} rows per parent do not fit {type}")
    return lambda rows: from_units(type, (family.ordinal_of(rows.index, rows.family_parents()) + start) * factor)


@generator("uuid4")
def uuid4(recipe: Recipe, ctx: Context) -> Kernel:
    """122 random bits in the form of RFC 9562 version 4."""
    high, low, type = ctx.stream("high"), ctx.stream("low"), ctx.type
    _check_length(ctx)
    return lambda rows: _uuids(type, _stamp(rows.draws(high), 4), _variant(rows.draws(low)))


@generator("uuid7")
def uuid7(recipe: Recipe, ctx: Context) -> Kernel:
    """48 bits of milliseconds, then random bits, in the form of RFC 9562 version 7; null where the time is."""
    high, low, type = ctx.stream("high"), ctx.stream("low"), ctx.type
    _check_length(ctx)
    path = argument(recipe, "at")
    count, anchor = ctx.rows, ctx.schema.anchor
    if path is None:

        def times(rows: Rows) -> tuple[Int64, Mask | None]:
            return anchor - (count - 1 - rows.numbers()) * _UUID7_STEP * _MILLISECOND, None
    else:
        source, source_type = ctx.path(str(path), recipe.at)
        if source_type.kind not in ("timestamp", "timestamptz"):
            ctx.fail(f"uuid7 needs a time stamp and {path} is {source_type}")

        def times(rows: Rows) -> tuple[Int64, Mask | None]:
            return to_units(source_type, source(rows))

    def kernel(rows: Rows) -> pa.Array:
        moments, absent = times(rows)
        milliseconds = (moments // _MILLISECOND).astype(np.uint64) & np.uint64(2**48 - 1)
        first = (milliseconds << np.uint64(16)) | (rows.draws(high) >> np.uint64(52))
        made = _uuids(type, _stamp(first, 7), _variant(rows.draws(low)))
        return made if absent is None else blank(made, absent)

    return kernel


def _check_length(ctx: Context) -> None:
    if ctx.type.length is not None and ctx.type.length < 36:
        ctx.fail(f"a uuid has 36 characters and {ctx.type} has {ctx.type.length}")


def _stamp(high: UInt64, version: int) -> UInt64:
    return (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(version << 12)


def _variant(low: UInt64) -> UInt64:
    return (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(1 << 63)


def _uuids(type: SqlType, high: UInt64, low: UInt64) -> pa.Array:
    raw = np.empty((len(high), 2), ">u8")
    raw[:, 0] = high
    raw[:, 1] = low
    if type.kind == "uuid":
        storage = pa.Array.from_buffers(pa.binary(16), len(high), [None, pa.py_buffer(raw)])
        return pa.uuid().wrap_array(storage)
    return uuid_text(raw.view(np.uint8).reshape(len(high), 16))


def uuid_text(octets: np.ndarray) -> pa.Array:
    """Return the uuids of a matrix of 16 octets a row in their usual form of 36 characters."""
    text = np.empty((len(octets), 36), np.uint8)
    text[:, _DASHES] = ord("-")
    text[:, _DIGITS[0::2]] = _HEX[octets >> 4]
    text[:, _DIGITS[1::2]] = _HEX[octets & 15]
    return fixed_width_text(text)


def fixed_width_text(octets: np.ndarray) -> pa.Array:
    """Return the rows of a uint8 matrix as strings of equal length (in bytes)."""
    count, width = octets.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32) if width else np.zeros(count + 1, np.int32)
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(octets))])  # fmt: skip


@generator("bytes")
def random_bytes(recipe: Recipe, ctx: Context) -> Kernel:
    """Random bytes; unique ones begin with a number that never repeats."""
    length = whole_distribution(argument(recipe, "length"), BIGINT, ctx.at)
    if length.least < 0 or length.most > 2**20:
        ctx.fail("the length of bytes must lie between 0 and 1,048,576")
    if ctx.unique and length.least < 8:
        ctx.fail("unique bytes need a length of at least 8")
    sizes, words = ctx.stream("length"), ctx.stream("word")
    serial, unique = ctx.stream("serial"), ctx.unique
    stride = -(-length.most // 8) or 1

    def kernel(rows: Rows) -> pa.Array:
        lengths = length.sample(rows.draws(sizes))
        numbers = (rows.numbers()[:, None] * stride + np.arange(stride)).reshape(-1)
        raw = words.draws(numbers).reshape(len(rows), stride)
        if unique:
            raw[:, 0] = scatter(serial, rows.numbers()).astype(np.uint64)
        octets = raw.astype("<u8").view(np.uint8).reshape(len(rows), stride * 8)
        kept = np.arange(stride * 8) < lengths[:, None]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(octets[kept])])

    return kernel
