"""Makes a reflected schema one that can be built: what no rows can be made for is left out, with a note.

A database may hold references, unique columns and checks that read well and that no data of their size satisfies; the planner of
generators finds them, and names a place. What is there is left out piece by piece, until the schema plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import datagen
from schemas.consistency import problems_of
from schemas.errors import CompanyOSError, Mark, Problem, SchemaError
from schemas.model import Check, Column, Index, Schema, Table, Unique
from schemas.reflection import Loss, Part, Reflection
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression


@dataclass(frozen=True)
class _Placed:
    """A problem and where it is, since the same may be wrong of several columns; nowhere where no table is to blame.

    `part` is what it is about where that can be left out, so that nothing else is to be tried.
    """

    message: str
    table: str | None = None
    column: str | None = None
    part: Part | None = field(default=None, compare=False)


@dataclass(frozen=True)
class _Trial:
    """A part of a table that may be in the way of a problem's end."""

    problem: _Placed
    loss: Loss


def plannable(found: Reflection) -> Reflection:
    """Return `found` without what its problems name; problems that nothing mends are left as they are.

    Each planning tries a part for as many problems as do not meddle with each other, so that their number follows the parts of a table
    rather than the problems of a schema.
    """
    untried: dict[_Placed, list[Part]] = {}
    problems = _placed(found.schema)
    while trials := _trials(found, problems, untried):
        found, problems, failed = _after(found, problems, trials)
        for trial in failed:
            untried[trial.problem].remove(trial.loss.part)
    return found


def _trials(found: Reflection, problems: Sequence[_Placed], untried: dict[_Placed, list[Part]]) -> list[_Trial]:
    """The next part of each problem, for one in a table, and not in two of which one references the other.

    What is left out of a table may mend what is wrong with its neighbours.
    """
    trials: list[_Trial] = []
    apart: set[str] = set()
    for problem in problems:
        if problem.table is None or problem.table in apart:
            continue
        table = found.schema.table(problem.table)
        parts = untried.setdefault(problem, _candidates(problem, table)) if problem.part is None else [problem.part]
        if parts:
            trials.append(_Trial(problem, Loss(table.name, parts[0], problem.message)))
            apart |= {table.name, *_neighbours(table, found.schema)}
    return trials


def _after(found: Reflection, problems: list[_Placed], trials: list[_Trial]) -> tuple[Reflection, list[_Placed], list[_Trial]]:
    """Return `found` without the parts whose problems go away with them, what is wrong then, and the trials that did not help."""
    failed: list[_Trial] = []
    while trials:
        tried = found.without([trial.loss for trial in trials])
        left = _placed(tried.schema)
        if len(trials) > 1 and left and not set(left) & set(problems):
            trials = trials[: len(trials) // 2]  # all are gone or not looked for after what is new, so fewer must tell
            continue
        helped = [trial for trial in trials if trial.problem.part is not None or trial.problem not in left]
        if len(helped) == len(trials):
            return tried, left, failed
        failed += [trial for trial in trials if trial not in helped]
        trials = helped
    return found, problems, failed


def _candidates(problem: _Placed, table: Table) -> list[Part]:
    return [part for part in _parts(table) if problem.column is None or problem.column in _columns_of(part, table)]


def _neighbours(table: Table, schema: Schema) -> set[str]:
    """The tables that a table references and those that reference it."""
    return {k.table for k in table.foreign_keys} | {t.name for t in schema.tables if any(k.table == table.name for k in t.foreign_keys)}


def _marked(schema: Schema) -> tuple[Schema, dict[Mark, tuple[Table, Part | None]]]:
    """Return a schema with a place of its own for each table and part, so that a problem tells which one it is about."""
    places: dict[Mark, tuple[Table, Part | None]] = {}

    def mark(table: Table, part: Part | None) -> Mark:
        at = Mark(len(places) + 1, 1)
        places[at] = table, part
        return at

    tables = []
    for table in schema.tables:
        at = mark(table, None)
        tables.append(
            replace(
                table,
                at=at,
                rows=replace(table.rows, at=at),
                columns=tuple(replace(c, at=mark(table, c)) for c in table.columns),
                unique=tuple(replace(u, at=mark(table, u)) for u in table.unique),
                foreign_keys=tuple(replace(k, at=mark(table, k)) for k in table.foreign_keys),
                checks=tuple(replace(c, at=mark(table, c)) for c in table.checks),
                indexes=tuple(replace(i, at=mark(table, i)) for i in table.indexes),
            )
        )
    return replace(schema, tables=tuple(tables)), places


def _placed(schema: Schema) -> list[_Placed]:
    marked, places = _marked(schema)
    return [_place_of(problem, places) for problem in _problems(marked)]


def _place_of(problem: Problem, places: dict[Mark, tuple[Table, Part | None]]) -> _Placed:
    if problem.at not in places:
        return _Placed(problem.message)
    table, part = places[problem.at]
    if isinstance(part, Column):
        return _Placed(problem.message, table.name, part.name)
    stays = isinstance(part, Index) and not part.unique
    return _Placed(problem.message, table.name, part=None if stays else part)


def _problems(schema: Schema) -> Sequence[Problem]:
    """What the reader says of a schema, or else what the planner does."""
    problems = list(problems_of(schema))
    if problems:
        return problems
    try:
        datagen.SyntheticSource(schema)
    except SchemaError as error:
        return error.problems
    except CompanyOSError:
        return []  # which a build tells as well
    return []


def _parts(table: Table) -> Iterator[Part]:
    """What may be left out, that which is missed least first."""
    yield from (c for c in table.columns if c.null and table.foreign_key_of(c.name) is not None)
    yield from table.unique
    yield from (i for i in table.indexes if i.unique)
    yield from reversed(table.foreign_keys)
    yield from table.checks
    yield from [Unique(table.key)] if table.key else []


def _columns_of(part: Part, table: Table) -> tuple[str, ...]:
    if isinstance(part, Column):
        return (part.name,)
    if not isinstance(part, Check):
        return part.columns
    try:
        named = {name.rpartition(".")[2].casefold() for name, _ in columns_in(parse_expression(part.sql))}
    except NotAnExpression:
        return ()
    return tuple(c.name for c in table.columns if c.name.casefold() in named)
