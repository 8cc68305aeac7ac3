"""Local times: the offsets of time zones from UTC, daylight saving included.

Offsets are those of the package `tzdata`, never of the machine's own database; its digest goes into the bundle. Between 1970 and
2100 they change where the zone says; before and after they are those of the ends. A local time that comes twice is the first of
the two, one that is skipped as if the clock had not been set.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from blake3 import blake3

from datagen.compiling import Context
from datagen.errors import GenerationFailed
from datagen.pools import Pool
from datagen.randomness import Int64
from datagen.rows import Rows
from schemas.errors import nearest
from schemas.model import Recipe
from schemas.recipes import is_zone_name
from schemas.times import EPOCH, MICROSECOND
from schemas.types import TEXTS

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_STRIDE, _SECOND = timedelta(days=7), timedelta(seconds=1)


@dataclass(frozen=True)
class Offsets:
    """The offsets of one zone: `offsets[i]` is valid from `starts[i]` (UTC) and, told by local time, from `local_starts[i]`."""

    starts: Int64
    local_starts: Int64
    offsets: Int64

    def at(self, times: Int64) -> Int64:
        """The offset at each time of UTC, in microseconds."""
        found: Int64 = self.offsets[np.searchsorted(self.starts[1:], times, side="right")]
        return found

    def at_local(self, times: Int64) -> Int64:
        """The offset at each local time."""
        found: Int64 = self.offsets[np.searchsorted(self.local_starts[1:], times, side="right")]
        return found


class Zones:
    """The zone of each row: of all the same, or of a column; rows without one are in UTC."""

    def __init__(self, of: Callable[[Rows], pa.Array] | str, where: str) -> None:
        self._of, self._where = of, where

    def local(self, rows: Rows, times: Int64) -> Int64:
        """The local times at times of UTC, as microseconds since 1970 of the local clock."""
        return times + self._each(rows, times, Offsets.at)

    def universal(self, rows: Rows, times: Int64) -> Int64:
        """The times of UTC at local times."""
        return times - self._each(rows, times, Offsets.at_local)

    def _each(self, rows: Rows, times: Int64, find: Callable[[Offsets, Int64], Int64]) -> Int64:
        if isinstance(self._of, str):
            return find(offsets_of(self._of), times)
        found = np.zeros(len(times), np.int64)
        names = self._of(rows).cast(pa.string()).dictionary_encode()
        codes = np.asarray(names.indices.fill_null(-1))
        for code, name in enumerate(names.dictionary.to_pylist()):
            if name not in known_zones():
                raise GenerationFailed(f"{self._where}: a row's zone is no time zone that is known; write it like Europe/Berlin")
            here = np.flatnonzero(codes == code)
            found[here] = find(offsets_of(name), times[here])
        return found


def zones_of(recipe: Recipe, ctx: Context) -> Zones | None:
    """The zones of a recipe's `zone`: a name, or a path to a column of names; None where it has none. Raises Unusable."""
    spec = recipe.args.get("zone")
    if spec is None:
        return None
    at = recipe.places.get("zone") or recipe.at
    if recipe.name != "states" and ctx.type.kind not in ("timestamp", "timestamptz"):
        ctx.fail(f"zone is for time stamps, and this is {ctx.type}", at)
    if recipe.args.get("rhythm", "always") == "always":
        ctx.fail("zone says by which clock a rhythm goes; give it a rhythm, such as office", at)
    ctx.note_pool("zones", "tzdata", _pool())
    if is_zone_name(spec):
        if spec not in known_zones():
            ctx.fail(f"there is no time zone '{spec}'{nearest(spec, known_zones())}", at)
        return Zones(spec, "")
    kernel, type = ctx.path(spec, at)
    if type.kind not in TEXTS:
        ctx.fail(f"zone needs a column with names of time zones, and {spec} is {type}", at)
    return Zones(kernel, f"{ctx.table.name}.{ctx.column}")


@cache
def known_zones() -> frozenset[str]:
    """The names of all zones."""
    return frozenset((importlib.resources.files("tzdata") / "zones").read_text("utf-8").split())


@cache
def offsets_of(name: str) -> Offsets:
    """The offsets of a zone that is known."""
    with (importlib.resources.files("tzdata") / "zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        zone = ZoneInfo.from_file(file, key=name)

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(zone).utcoffset()

    here, before = _FIRST, offset(_FIRST)
    changes = [(here, before)]
    while here < _LAST:
        following = here + _STRIDE
        if offset(following) != before:
            low, high = here, following
            while high - low > _SECOND:
                middle = low + (high - low) // (2 * _SECOND) * _SECOND
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            before = offset(high)
            changes.append((high, before))
        here = following
    begin = np.array([(start - EPOCH) // MICROSECOND for start, _ in changes], np.int64)
    found = np.array([(to or timedelta()) // MICROSECOND for _, to in changes], np.int64)
    return Offsets(begin, begin + np.maximum(found, np.concatenate([found[:1], found[:-1]])), found)


@cache
def _pool() -> Pool:
    """The zones as a pool, for its digest."""
    root = importlib.resources.files("tzdata") / "zoneinfo"
    return Pool(tuple(f"{name} {blake3(root.joinpath(*name.split('/')).read_bytes()).hexdigest()}" for name in sorted(known_zones())))
