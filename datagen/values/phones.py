"""Phone numbers from the ranges that regulators keep free for fiction.

Sources: NANPA (555-0100 to 555-0199 in every area), Ofcom (UK numbers for drama use), ACMA (Australia), Arcep (France),
Bundesnetzagentur (Germany, numbers for media), PTS (Sweden). Other countries have none, and get North American ones.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.randomness import Int64, below
from datagen.rows import Kernel, Rows
from datagen.values.geo import country_of
from datagen.values.persona import persona
from datagen.values.texts import decimal, digits, join, pick, require_room, widest_serial
from schemas.model import Recipe

_AREAS = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313,
    314, 315, 316, 317, 401, 402, 404, 405, 406, 407, 408, 410, 412, 414, 415, 417, 419, 501, 502, 503, 504, 505, 507, 508, 509, 510,
    512, 513, 515, 516, 517, 518, 602, 603, 605, 606, 607, 608, 609, 610, 612, 614, 615, 616, 617, 618, 619, 701, 702, 703, 704, 706,
    707, 708, 712, 713, 714, 715, 716, 717, 718, 719, 801, 802, 803, 804, 805, 806, 808, 810, 812, 813, 814, 815, 816, 817, 818, 901,
    903, 904, 906, 907, 908, 909, 910, 912, 913, 914, 915, 916, 918, 919,
)  # fmt: skip
# Beginning and the number of digits that are free, by country.
_RANGES: dict[str, tuple[tuple[str, int], ...]] = {
    "US": tuple((f"+1 {area}-555-01", 2) for area in _AREAS),
    "GB": (("+44 20 7946 0", 3), ("+44 113 496 0", 3), ("+44 114 496 0", 3), ("+44 117 496 0", 3), ("+44 121 496 0", 3),
           ("+44 131 496 0", 3), ("+44 141 496 0", 3), ("+44 161 496 0", 3), ("+44 1632 960", 3), ("+44 7700 900", 3)),
    "AU": (("+61 2 5550 ", 4), ("+61 2 7010 ", 4), ("+61 3 5550 ", 4), ("+61 3 7010 ", 4), ("+61 7 5550 ", 4), ("+61 7 7010 ", 4),
           ("+61 8 5550 ", 4), ("+61 8 7010 ", 4)),
    "FR": (("+33 1 99 00 ", 4), ("+33 2 61 91 ", 4), ("+33 3 53 01 ", 4), ("+33 4 65 71 ", 4), ("+33 5 36 49 ", 4), ("+33 6 39 98 ", 4)),
    "DE": (("+49 30 23125 ", 3), ("+49 69 90009 ", 3), ("+49 40 66969 ", 3), ("+49 221 4710 ", 3), ("+49 89 99998 ", 3)),
    "SE": (("+46 31 390 06 ", 2), ("+46 40 628 04 ", 2), ("+46 8 465 004 ", 2)),
}  # fmt: skip
# With spaces, without, and North American without the country: half a number could be somebody's, so none is cut.
_LONGEST, _CLOSEST, _NATIONAL = 17, 13, 10


@generator("phone.number")
def phone(recipe: Recipe, ctx: Context) -> Kernel:
    """A number nobody has, as E.164 with spaces; closer in short columns; unique ones carry an extension."""
    who = persona(recipe, ctx)
    ranges = [_RANGES.get(country_of(n).code, _RANGES["US"]) for n in who.locales.names]
    entity, column = ctx.entity_stream(who.entity, f"phone {ctx.column}"), ctx.stream("digits")
    serial = ctx.serial() if ctx.unique else None
    tight = not ctx.unique and ctx.type.length is not None and ctx.type.length < _LONGEST
    if ctx.unique:
        require_room(ctx, _LONGEST + 2 + widest_serial(ctx), "phone numbers")
    elif tight and (ctx.type.length or 0) < _CLOSEST:
        require_room(ctx, _NATIONAL, "phone numbers")
        ranges = [tuple((start.removeprefix("+1 "), width) for start, width in _RANGES["US"])] * len(ranges)
    starts = pa.array([start for own in ranges for start, _ in own], pa.string())
    widths = np.array([width for own in ranges for _, width in own])
    offsets = np.cumsum([0, *map(len, ranges)])[:-1]
    sizes = np.array([len(own) for own in ranges])

    def kernel(rows: Rows) -> pa.Array:
        group = who.locales.positions(rows)
        chosen = offsets[group] + below(rows.draws(entity), sizes[group])
        written = join(pick(starts, chosen), _tail(rows, widths[chosen]))
        if serial is not None:
            return join(written, " x", decimal(serial(rows)))
        return pa.compute.replace_substring_regex(written, "[ -]", "") if tight else written

    def _tail(rows: Rows, width: Int64) -> pa.Array:
        padded = digits(below(rows.draws(column), 10_000), 4)
        if (width == width[:1]).all():
            return pa.compute.utf8_slice_codeunits(padded, 0, int(width[0]) if len(width) else 4)
        cut = [pa.compute.utf8_slice_codeunits(padded, 0, w) for w in (2, 3, 4)]
        return pa.compute.choose(pa.array(width - 2), *cut)

    return kernel
