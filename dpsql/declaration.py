"""What is declared of a schema's privacy, worked out: how each table reaches the unit, and the facts of each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dpsql.column_facts import ColumnKnowledge
from dpsql.errors import DeclarationInvalid
from dpsql.remembered import Remembered
from dpsql.tree import Facts
from dpsql.ways import Ways, first_steps, is_nullable, spoken, steps, ways
from schemas.errors import nearest
from schemas.model import ForeignKey, Schema, Table
from schemas.privacy import Budget, Privacy

NOBODY = " (can be null: such rows belong to nobody)"


@dataclass(frozen=True)
class Reach:
    """How a table's rows belong to units: `path` is the chain of foreign keys to the unit's table, empty for that table itself.

    `rows` is the most rows that a unit has there, None where it is not known; `structural` says that keys of the schema make sure of
    it, so that it need not be enforced.
    """

    path: tuple[ForeignKey, ...]
    rows: int | None
    structural: bool


@dataclass(frozen=True)
class Declaration:
    """A schema with its privacy: what `dpsql` knows of the data without looking, and, `remembered`, what followed from that."""

    schema: Schema
    unit_table: str
    unit_column: str
    public: frozenset[str]
    reaches: Mapping[str, Reach]
    facts: Mapping[tuple[str, str], Facts]
    groups: int | None = None
    budget: Budget | None = None
    remembered: Remembered = field(default_factory=Remembered, init=False, compare=False, repr=False)

    def reach(self, table: str) -> Reach | None:
        """How the rows of `table` belong to units; None for public tables and for those that belong to no unit."""
        return self.reaches.get(table)


def declare(schema: Schema, privacy: Privacy | None = None) -> Declaration:
    """Return the declaration of `schema`, with its own `privacy` or the one given; DeclarationInvalid with all that is wrong or missing."""
    privacy = privacy or schema.privacy
    if privacy is None:
        raise DeclarationInvalid(
            f"schema '{schema.name}' does not say whose privacy its rows concern: add `privacy: {{unit: table.column}}` to its file, "
            "or, where it is masked, to that of `companyos mask run --schema FILE`; `companyos dp suggest` proposes the whole section"
        )
    problems = list(_names(schema, privacy))
    _refuse(schema, problems)
    unit = schema.at(privacy.unit)
    assert unit is not None
    table, column = unit[0].name, unit[1].name
    known = ways(schema, privacy, table, column)
    knowledge = ColumnKnowledge(schema, privacy)
    _refuse(schema, [*_ways(schema, privacy, table, known), *(p for path in privacy.columns for p in knowledge.problems(path))])
    facts = {(t.name, c.name): knowledge.facts(t, c) for t in schema.tables for c in t.stored_columns}
    reaches = dict(_reaches(schema, privacy, known))
    return Declaration(schema, table, column, frozenset(privacy.public), reaches, facts, privacy.groups, privacy.budget)


def _refuse(schema: Schema, problems: Sequence[str]) -> None:
    if problems:
        raise DeclarationInvalid("\n".join(f"privacy of schema '{schema.name}': {problem}" for problem in problems))


def _names(schema: Schema, privacy: Privacy) -> Iterator[str]:
    """What names a table or column that there is not, or that cannot be meant."""
    tables = [t.name for t in schema.tables]
    columns = [f"{t.name}.{c.name}" for t in schema.tables for c in t.stored_columns]
    unit = schema.at(privacy.unit)
    unit_table = None if unit is None else unit[0].name
    if unit is None or privacy.unit not in columns:
        yield f"the unit '{privacy.unit}' is no stored column{nearest(privacy.unit, columns)}"
    elif not unit[0].is_unique(unit[1].name):
        yield f"the unit '{privacy.unit}' must be a key or unique, so that it tells one person from another"
    for name in dict.fromkeys((*privacy.public, *privacy.through, *privacy.contributions)):
        if name not in tables:
            yield f"there is no table '{name}'{nearest(name, tables)}"
    for path in privacy.columns:
        if path not in columns:
            hint = "; what is hidden or computed cannot be asked for" if schema.at(path) else nearest(path, columns)
            yield f"there is no stored column '{path}'{hint}"
    if unit_table in privacy.public:
        yield f"table '{unit_table}' holds the units, so it cannot be public"
    for name in (*privacy.through, *privacy.contributions):
        if name in privacy.public:
            yield f"table '{name}' is public, so that no unit has rows in it"
    for name in (*privacy.through, *privacy.contributions):
        if name == unit_table:
            yield f"table '{name}' holds the units themselves: each has one row there, and there is no way to choose"
    for name, rows in privacy.contributions.items():
        if rows < 1:
            yield f"contributions of '{name}' must be at least 1, not {rows}"
    if privacy.groups is not None and privacy.groups < 1:
        yield f"groups must be at least 1, not {privacy.groups}"


def _ways(schema: Schema, privacy: Privacy, unit_table: str, known: Ways) -> Iterator[str]:
    """What is wrong with the ways to the unit, or not said of them."""
    for name in privacy.public:
        found = first_steps(schema, schema.table(name), unit_table, set(privacy.public) - {name})
        if found:
            yield f"table '{name}' is said to be public, and by '{', '.join(found[0].columns)}' its rows belong to units"
    for name, column in privacy.through.items():
        able = first_steps(schema, schema.table(name), unit_table, set(privacy.public))
        if not any(column in key.columns for key in able):
            others = " or ".join(f"'{', '.join(key.columns)}'" for key in able)
            hint = f"; those that do are {others}" if able else "; none of that table does"
            yield f"through: {{{name}: {column}}} names no reference that leads to {privacy.unit}{hint}"
    for name, several in known.open.items():
        said = "; or ".join(spoken(path) + (NOBODY if is_nullable(schema, name, path) else "") for path in several)
        own = [c for path in several for c in path[0].columns if sum(c in other[0].columns for other in several) == 1]
        example = f"`through: {{{name}: {own[0]}}}`" if own else "`through`"
        yield f"table '{name}' reaches {privacy.unit} in several ways; say which, as in {example}: {said}"
    if known.circle:
        yield f"the ways that `through` chooses lead in a circle and never to {privacy.unit}: {', '.join(known.circle)}"
    for name in privacy.contributions:
        if name not in known.paths and name not in known.open and name not in known.circle:
            yield f"contributions of '{name}': its rows belong to no unit, since no reference leads from it to {privacy.unit}"


def _reaches(schema: Schema, privacy: Privacy, known: Ways) -> Iterator[tuple[str, Reach]]:
    for name, path in known.paths.items():
        once = [_one_a_row(table, key) for table, key in steps(schema, name, path)]
        if all(once):
            yield name, Reach(path, 1, True)
            continue
        # a table with one row at most for each of its parent's has no more of a unit than that has
        rows = privacy.contributions.get(name)
        for position, key in enumerate(path[:-1]):
            if not once[position]:
                break
            above = privacy.contributions.get(key.table)
            rows = above if rows is None else rows if above is None else min(rows, above)
        yield name, Reach(path, rows, False)


def _one_a_row(table: Table, key: ForeignKey) -> bool:
    return any(set(unique) <= set(key.columns) for unique in table.unique_sets())
