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
from schemas.model import Check, Column, Schema, Table, Unique
from schemas.reflection import Part, Reflection
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression


@dataclass(frozen=True)
class _Placed:
    """A problem and where it is, since the same may be wrong of several columns; nowhere where no table is to blame."""

    message: str
    table: str | None = None
    column: str | None = None
    part: Part | None = field(default=None, compare=False)


def plannable(found: Reflection) -> Reflection:
    """Return `found` without what its problems name; problems that nothing mends are left as they are."""
    hopeless: set[_Placed] = set()
    problems = _placed(found.schema)
    for _ in range(sum(len(list(_parts(table))) for table in found.schema.tables)):
        problem = next((p for p in problems if p not in hopeless), None)
        if problem is None:
            break
        mended = _mended(found, problem)
        if mended is None:
            hopeless.add(problem)
        else:
            found, problems = mended
    return found


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
    return _Placed(problem.message, table.name, part.name if isinstance(part, Column) else None, part)


def _problems(schema: Schema) -> Sequence[Problem]:
    """What the reader says of a schema, or else what the planner does."""
    problems = list(problems_of(schema))
    if problems:
        return problems
    try:
        datagen.source(schema)
    except SchemaError as error:
        return error.problems
    except CompanyOSError:
        return []  # which a build tells as well
    return []


def _mended(found: Reflection, problem: _Placed) -> tuple[Reflection, list[_Placed]] | None:
    """Return `found` without the one part that makes the problem go away, and what is wrong then; None where there is none."""
    if problem.table is None:
        return None
    if problem.part is not None and not isinstance(problem.part, Column):
        tried = found.without(problem.table, problem.part, problem.message)
        return tried, _placed(tried.schema)
    table = found.schema.table(problem.table)
    for each in _parts(table):
        if problem.column is None or problem.column in _columns_of(each, table):
            tried = found.without(table.name, each, problem.message)
            left = _placed(tried.schema)
            if problem not in left:
                return tried, left
    return None


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
