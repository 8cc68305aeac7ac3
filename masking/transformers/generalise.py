"""`generalise`: a value replaced by what stands above it in a hierarchy: a city by its region, a diagnosis by its chapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from masking.errors import MaskingFailed
from masking.fitting import breaches
from masking.hierarchy_files import read_rows
from masking.transformers.base import Context, Rows
from masking.transformers.fit import WORDS, place_of, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from schemas.plurals import counted


@dataclass(frozen=True)
class Generalise:
    """Replaces values by what stands above them in a hierarchy.

    The hierarchy is a CSV file without a header, one leaf a line and semicolons between levels (`Graz;Styria;Austria;*`), or stands
    in the policy as a mapping of leaves to lists of levels. `level` 0 is the leaf, 1 the first above it. Every leaf has as many
    levels. A value that is no leaf becomes `*`, unless `unknown` says otherwise.
    """

    name: ClassVar[str] = "generalise"
    fits: ClassVar[tuple[str, ...]] = (*WORDS, "enum")

    hierarchy: str | Mapping[str, tuple[str, ...]] = parameter("the path of a CSV file, or the hierarchy itself")
    level: int = parameter("how far up", default=1, least=1)
    unknown: Literal["star", "null", "error"] = parameter("what becomes of a value that is no leaf: `*`, null, or an error", default="star")

    def bind(self, context: Context) -> Generalised:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "code")
        if self.unknown == "null" and not context.column.nullable:
            raise unfit(context, self.name, "the column is NOT NULL, and `unknown: null` would need it; use star or error")
        levels = read_hierarchy(self.hierarchy) if isinstance(self.hierarchy, str) else dict(self.hierarchy)
        heights = {len(above) for above in levels.values()}
        if len(heights) != 1:
            raise unfit(context, self.name, "the leaves of the hierarchy must all have the same number of levels, and there must be one")
        height = heights.pop()
        if self.level > height:
            raise unfit(context, self.name, f"'level' is {self.level}, and the hierarchy has {height} above its leaves")
        above = {leaf: path[self.level - 1] for leaf, path in levels.items()}
        possible = [*above.values(), *(["*"] if self.unknown == "star" else [])]
        wrong = breaches(pa.array(possible, pa.string()), context.column.type)
        if wrong:
            raise unfit(context, self.name, f"a word of level {self.level}, or the `*` for unknown values, {next(iter(wrong))}")
        return Generalised(above, self.unknown, place_of(context))


@dataclass(frozen=True)
class Generalised:
    """What stands above each leaf."""

    above: Mapping[str, str]
    unknown: str
    place: str

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        encoded = values.dictionary_encode()
        otherwise = "*" if self.unknown == "star" else None
        masked = [self.above.get(leaf, otherwise) for leaf in encoded.dictionary.to_pylist()]
        result = pa.array(masked, pa.string()).take(encoded.indices)
        if self.unknown == "error" and result.null_count > values.null_count:
            missing = result.null_count - values.null_count
            raise MaskingFailed(
                f"{self.place}: {counted(missing, 'value is', 'values are')} not in the hierarchy; add them, or say `unknown: star`"
            )
        return result


def read_hierarchy(path: str) -> dict[str, tuple[str, ...]]:
    """Return the levels above each leaf of a CSV file; raises InputError as `masking.hierarchy_files.read_rows` does."""
    return {row[0].strip(): tuple(word.strip() for word in row[1:]) for row in read_rows(path)}
