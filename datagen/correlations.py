"""Correlated columns: a normal copula under the draws of columns, each of which keeps its own distribution.

The draw of a column becomes a normal score; scores are mixed by the factor of the correlation matrix (`schemas.correlation`), and
the probability of the mixed score is the draw that the column's own inverse distribution function gets. Scores of columns of
referenced rows stay as they are, and those of this row follow them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from datagen.elementary import Float64, normal_probability, normal_quantile
from datagen.errors import Unusable
from datagen.links import follow_links
from datagen.randomness import Stream, UInt64, stream
from datagen.rows import Rows, RowStream, Selection
from schemas.correlation import correlation_of, in_order, normal_factor
from schemas.paths import follow

if TYPE_CHECKING:
    from datagen.compiling import Context
    from datagen.plan import Plan

_GRID = 2.0**52
_LOW = np.uint64(0xFFF)

Score = Callable[[Rows], Float64]


@dataclass(frozen=True, slots=True)
class CorrelatedStream(RowStream):
    """The draws of a column that is correlated with others; `base` are those that it would have alone."""

    base: Stream
    score: Score = field(compare=False)

    def of(self, rows: Rows) -> UInt64:
        """Return one uniform 64-bit draw for each of `rows`."""
        probability = normal_probability(self.score(rows))
        cell = np.clip(np.floor(probability * _GRID), 0.0, _GRID - 1.0).astype(np.uint64)
        # the lowest bits only tell neighbours on the grid apart
        return cell << np.uint64(12) | rows.draws(self.base) & _LOW


def purpose_of(generator: str) -> str:
    """The purpose of the one draw a row that decides the value of a column that can be correlated."""
    return "index" if generator == "between" else "value"


def correlated(ctx: Context, base: Stream) -> Stream:
    """Return the stream that a column draws from instead of `base`: the same where it is correlated with nothing before it."""
    correlation = correlation_of(ctx.table, ctx.column)
    if correlation is None:
        return base
    columns, matrix = in_order(correlation, ctx.table)
    weights = normal_factor(matrix)
    place = columns.index(ctx.column)
    if not any(weights[place][:place]):
        return base
    given = sum(not ctx.table.has(name) for name in columns)
    known = [_given_score(ctx, path) for path in columns[:given]]
    own = [_own_score(ctx, name) for name in columns[given : place + 1]]
    return CorrelatedStream(base.key, base, lambda rows: _mixed(rows, weights, place, known, own))


def _mixed(rows: Rows, weights: tuple[tuple[float, ...], ...], place: int, known: list[Score], own: list[Score]) -> Float64:
    """The score of the column at `place`: its row of the factor over independent scores, those of given columns solved for first."""
    parts: list[Float64] = []
    for i, score in enumerate(known):
        rest = score(rows)
        for j in range(i):
            rest = rest - weights[i][j] * parts[j]
        parts.append(rest / weights[i][i] if weights[i][i] else np.zeros(len(rows)))
    parts += [score(rows) for score in own]
    result = np.zeros(len(rows))
    for weight, part in zip(weights[place], parts, strict=False):
        if weight:
            result = result + weight * part
    return result


def _own_score(ctx: Context, column: str) -> Score:
    recipe = ctx.table.column(column).generate
    if recipe is None:
        raise Unusable(f"column {column} has no generator; give it `generate:`", ctx.table.column(column).at)
    own = stream(ctx.plan.seed, ctx.table.name, column, purpose_of(recipe.name))
    return lambda rows: rows.memo(("score", column), lambda: _score(rows.draws(own)))


def _given_score(ctx: Context, path: str) -> Score:
    """The score of a column of the row at the end of a path; of its own where there is no such row."""
    plan = ctx.plan
    ctx.path(path, ctx.at)
    found = follow(ctx.schema, ctx.table, path)
    keys, parent, column = tuple(h.columns for h in found.hops), found.table.name, found.column.name
    alone = stream(plan.seed, ctx.table.name, "~correlate", path)

    def score(rows: Rows) -> Float64:
        numbers = follow_links(rows, keys)
        selection = Selection(rows.tables, parent, numbers)
        scores = _score(selection.rows.draws(drawn(plan)))
        picks = selection.pick(np.arange(len(selection.rows), dtype=np.int64))
        if not len(scores):
            return _score(rows.draws(alone))
        present = scores[np.maximum(picks, 0)]
        return np.where(picks < 0, _score(rows.draws(alone)), present) if (picks < 0).any() else present

    def drawn(plan: Plan) -> Stream:
        return plan.draws[parent, column]

    return lambda rows: rows.memo(("score", path), lambda: score(rows))


def _score(draws: UInt64) -> Float64:
    """The normal score of uniform draws, by the middle of each cell of a grid of 2**-52."""
    return normal_quantile(((draws >> np.uint64(12)).astype(np.float64) + 0.5) / _GRID)
