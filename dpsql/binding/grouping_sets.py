"""GROUP BY with ROLLUP, CUBE and GROUPING SETS: the groupings that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product

from sqlglot import expressions as exp

from dpsql.errors import QueryRefused

MOST_SETS = 64
SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)
Set = tuple[exp.Expr, ...]


def grouping_sets(group: exp.Group) -> list[Set] | None:
    """Return the keys of each grouping of a GROUP BY, None where it is but one.

    ROLLUP (a, b) stands for (a, b), (a) and (); CUBE (a, b) for (a, b), (a), (b) and (); several of them beside each other for every
    combination. Raises QueryRefused where there are more than MOST_SETS, since each is a release of its own.
    """
    parts = [*group.expressions, *(one for name in ("rollup", "cube", "grouping_sets") for one in group.args.get(name) or [])]
    if not any(isinstance(part, SETS) for part in parts):
        return None
    if any(isinstance(part, exp.Rollup | exp.Cube) and not part.expressions for part in parts):
        raise QueryRefused("ROLLUP and CUBE name their columns in brackets")
    made: list[Set] = [()]
    for part in parts:
        made = [(*one, *other) for one, other in product(made, _groupings(part))]
        if len(made) > MOST_SETS:
            raise QueryRefused(f"a GROUP BY has at most {MOST_SETS} groupings, each of which is measured by itself")
    return made


def _groupings(part: exp.Expr) -> Iterator[Set]:
    match part:
        case exp.Rollup():
            elements = [_set(one) for one in part.expressions]
            for count in range(len(elements), -1, -1):
                yield tuple(chain.from_iterable(elements[:count]))
        case exp.Cube():
            elements = [_set(one) for one in part.expressions]
            if len(elements) > MOST_SETS.bit_length():
                raise QueryRefused(f"a GROUP BY has at most {MOST_SETS} groupings, each of which is measured by itself")
            for count in range(len(elements), -1, -1):
                for chosen in combinations(elements, count):
                    yield tuple(chain.from_iterable(chosen))
        case exp.GroupingSets():
            for one in part.expressions:
                yield from _groupings(one)
        case _:
            yield _set(part)


def _set(element: exp.Expr) -> Set:
    while isinstance(element, exp.Paren):
        element = element.this
    return tuple(element.expressions) if isinstance(element, exp.Tuple) else (element,)
