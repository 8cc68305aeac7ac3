"""The figures of foreign keys: how many rows refer to each row of the referenced table, those that nothing refers to included."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from bundles.histograms import cuts
from bundles.measures import Length, Value, short
from bundles.profiled import RelationProfile, Spread
from bundles.scanning import Session, positional_names, scan
from schemas.model import ForeignKey, Table

_COUNT = Length("")


def profile_relation(
    session: Session, key: ForeignKey, child: Table, child_paths: Sequence[Path], parent: Table, parent_paths: Sequence[Path]
) -> RelationProfile | None:
    """Return the figures of `key`; None where the database computes one of its columns. Raises duckdb.Error.

    As in a database, a key with a null in it refers to nothing (MATCH SIMPLE).
    """
    mine, theirs = positional_names(child, key.columns), positional_names(parent, key.target)
    if mine is None or theirs is None:
        return None
    children, parents = scan(child, child_paths, positional=True), scan(parent, parent_paths, positional=True)
    present = " AND ".join(f"{m} IS NOT NULL" for m in mine)
    total, referring = session.row(f"SELECT count(*), count(*) FILTER (WHERE {present}) FROM ({children})")
    names = [f"k{i}" for i in range(len(mine))]
    groups = f"SELECT {', '.join(f'{m} AS {k}' for m, k in zip(mine, names, strict=True))}, count(*) AS n FROM ({children}) WHERE {present}"
    same = " AND ".join(f"parent.{t} = child.{k}" for t, k in zip(theirs, names, strict=True))
    counts = f"SELECT coalesce(n, 0) AS n FROM ({parents}) AS parent LEFT JOIN ({groups} GROUP BY {', '.join(mine)}) AS child ON {same}"
    (found,) = session.row(f"SELECT list(row(n, times) ORDER BY n) FROM (SELECT n, count(*) AS times FROM ({counts}) GROUP BY n)")
    times = [(int(n), int(t)) for n, t in found or ()]
    return RelationProfile(
        key.columns,
        key.table,
        key.target,
        int(total),
        sum(t for _, t in times),
        int(total) - int(referring),
        any(child.column(c).nullable for c in key.columns),
        max(0, int(referring) - sum(n * t for n, t in times)),
        next((t for n, t in times if n == 0), 0),
        _spread(times),
    )


def _spread(times: Sequence[tuple[int, int]]) -> Spread | None:
    """The spread of numbers, each of which comes as often as it says."""
    if not times:
        return None
    count = sum(t for _, t in times)
    low, high = times[0][0], times[-1][0]
    cut = cuts(_COUNT, low, high, (_quantile(times, count, 1, 100), _quantile(times, count, 99, 100)))
    limits = cut.limits(_COUNT)
    rows = [sum(t for n, t in times if below < n <= limit) for below, limit in zip([low - 1, *limits], limits, strict=False)]
    mean = float(Fraction(sum(n * t for n, t in times), count))
    return Spread(
        _COUNT.value(low), _COUNT.value(high), _COUNT.value(_quantile(times, count, 1, 2)), Value(mean, short(mean)), cut.bins(_COUNT, rows)
    )


def _quantile(times: Sequence[tuple[int, int]], count: int, part: int, whole: int) -> int:
    """The first number that at least `part` of `whole` of all numbers are not above."""
    seen = 0
    for n, t in times:
        seen += t
        if seen * whole >= count * part:
            return n
    raise AssertionError("all numbers are not above the last")
