"""The ways from tables to the privacy unit: along which foreign keys the rows of each belong to somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from schemas.model import ForeignKey, Schema, Table
from schemas.privacy import Privacy

Path = tuple[ForeignKey, ...]


@dataclass(frozen=True)
class Ways:
    """The ways of a schema's tables.

    `paths` holds the one way of each table that has one, empty for the unit's own table. `open` holds, for each table with several
    first steps to choose from, a shortest way along each; there `through` must name one. `circle` are tables whose chosen steps never
    arrive.
    """

    paths: Mapping[str, Path]
    open: Mapping[str, tuple[Path, ...]]
    circle: tuple[str, ...] = ()


def ways(schema: Schema, privacy: Privacy, unit_table: str, unit_column: str) -> Ways:
    """Return the ways from each table to the unit.

    A table's way is its first step, a foreign key, and then the way of the table that this references; so that only tables with
    several first steps are open, and not all those below them. Public tables are on no way.
    """
    public = set(privacy.public)
    chosen: dict[str, ForeignKey] = {}
    undecided: dict[str, tuple[ForeignKey, ...]] = {}
    for table in schema.tables:
        if table.name == unit_table or table.name in public:
            continue
        steps = first_steps(schema, table, unit_table, public)
        named = privacy.through.get(table.name)
        if named is not None:
            steps = [key for key in steps if named in key.columns]
        if len(steps) == 1:
            chosen[table.name] = steps[0]
        elif steps:
            undecided[table.name] = tuple(steps)
    paths: dict[str, Path] = {unit_table: ()}
    circle = []
    for name in chosen:
        path, last = _followed(name, chosen)
        if last == unit_table:
            paths[name] = (*path[:-1], _to_unit(path[-1], unit_column))
        elif last in chosen:
            circle.append(name)
    several = {
        name: tuple((key, *_shortest(schema, key.table, unit_table, public | {name})) for key in steps) for name, steps in undecided.items()
    }
    return Ways(paths, several, tuple(circle))


def first_steps(schema: Schema, table: Table, unit_table: str, public: set[str]) -> list[ForeignKey]:
    """Return the foreign keys of `table` from which the unit's table can be reached without coming back.

    Of two keys to one table, of which one says all that the other says, only the shorter counts: both reach the same row.
    """
    without = public | {table.name}
    found = [key for key in table.foreign_keys if _stored(table, key) and key.table not in without]
    reaching = [key for key in found if key.table == unit_table or _shortest(schema, key.table, unit_table, without)]
    return [key for key in reaching if not any(_says_more(key, other) for other in reaching if other is not key)]


def is_nullable(schema: Schema, table: str, path: Sequence[ForeignKey]) -> bool:
    """Whether a row may have no way to go on, so that it belongs to nobody."""
    return any(at.column(column).nullable for at, key in steps(schema, table, path) for column in key.columns)


def spoken(path: Sequence[ForeignKey]) -> str:
    """Return a way in words: `run_id -> workflow_runs.started_by -> users.id`."""
    said = [", ".join(path[0].columns)]
    for key, following in pairwise(path):
        said.append(f"{key.table}.{', '.join(following.columns)}")
    return " -> ".join([*said, f"{path[-1].table}.{', '.join(path[-1].target)}"])


def _stored(table: Table, key: ForeignKey) -> bool:
    kept = {c.name for c in table.stored_columns}
    return all(column in kept for column in key.columns)


def _says_more(key: ForeignKey, other: ForeignKey) -> bool:
    mine, others = (set(zip(k.columns, k.target, strict=True)) for k in (key, other))
    return key.table == other.table and others <= mine and (others != mine or key.columns > other.columns)


def _shortest(schema: Schema, start: str, unit_table: str, without: set[str]) -> Path:
    """The shortest way from `start`, empty where there is none (or nothing to go); of several the first in the order of the file."""
    arrived: dict[str, Path] = {start: ()}
    waiting = [start]
    for name in waiting:
        if name == unit_table:
            return arrived[name]
        table = schema.table(name)
        for key in table.foreign_keys:
            if key.table not in arrived and key.table not in without and _stored(table, key):
                arrived[key.table] = (*arrived[name], key)
                waiting.append(key.table)
    return ()


def _followed(name: str, chosen: Mapping[str, ForeignKey]) -> tuple[Path, str]:
    """The chosen steps from `name`, and the table where they end or begin to repeat."""
    path: list[ForeignKey] = []
    seen = set()
    while name in chosen and name not in seen:
        seen.add(name)
        path.append(chosen[name])
        name = chosen[name].table
    return tuple(path), name


def _to_unit(key: ForeignKey, unit_column: str) -> ForeignKey:
    """The last step: where a key of several columns holds the unit's, that column alone says whose the row is."""
    if unit_column not in key.target or len(key.target) == 1:
        return key
    return replace(key, columns=(key.columns[key.target.index(unit_column)],), target=(unit_column,))


def steps(schema: Schema, table: str, path: Sequence[ForeignKey]) -> Iterator[tuple[Table, ForeignKey]]:
    """Yield each foreign key of a way with the table that it stands in."""
    for key in path:
        yield schema.table(table), key
        table = key.table
