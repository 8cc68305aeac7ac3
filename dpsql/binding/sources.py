"""The sources of a FROM: stored tables, subqueries that keep the unit, and whose their rows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.tree import Expression, Field, Join, Relation, Scan
from schemas.errors import nearest
from schemas.model import ForeignKey


@dataclass(frozen=True)
class Kept:
    """Rows that keep their unit, or public ones: a relation, the fields its names stand for, and what is known of them.

    `determined` are fields with one value for each unit. `uniques` are sets of fields whose values do not repeat. `pending` is the way
    to the unit of a stored table whose own columns do not hold it. `units` are the fields that hold the unit's id, `padded` those that are
    null where a join inside found no partner.
    """

    relation: Relation
    columns: Mapping[str, Field]
    private: bool
    determined: frozenset[str] = frozenset()
    uniques: tuple[frozenset[str], ...] = ()
    table: str | None = None
    pending: tuple[ForeignKey, ...] = ()
    units: frozenset[str] = frozenset()
    padded: frozenset[str] = frozenset()


class Origin(NamedTuple):
    """The stored column that a field is of. Fields of the same `scan` that stand in one row are of one stored row, or null."""

    table: str
    column: str
    scan: str


@dataclass
class Names:
    """Makes names that no two columns of a query share. `origins` tells of which stored column a field is."""

    _next: count[int] = field(default_factory=count)
    origins: dict[str, Origin] = field(default_factory=dict)

    def field(self, name: str, facts: object) -> Field:
        """A new field for a column called `name`."""
        plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.lower())[:30]
        return Field(f"c{next(self._next)}_{plain}", facts)  # type: ignore[arg-type]


def stored(name: str, declaration: Declaration, names: Names) -> Kept:
    """Return the rows of a stored table; QueryInvalid where there is none, QueryRefused where it belongs to nobody known."""
    schema = declaration.schema
    table = schema.table(name)
    fields = {c.name: names.field(c.name, declaration.facts[name, c.name]) for c in table.stored_columns}
    scan = "" if not fields else next(iter(fields.values())).name
    names.origins.update({f.name: Origin(name, column, scan) for column, f in fields.items()})
    uniques = tuple(frozenset(fields[c].name for c in u) for u in table.unique_sets() if all(c in fields for c in u))
    sources = tuple(fields)
    visible = {column.lower() if column.lower() not in fields else column: f for column, f in fields.items()} | dict(fields)
    if name in declaration.public:
        return Kept(Scan(name, tuple(fields.values()), sources, None), visible, False, uniques=uniques, table=name)
    reach = declaration.reach(name)
    if reach is None:
        raise QueryRefused(
            f"table '{name}' is neither declared public nor does it reach the privacy unit "
            f"'{declaration.unit_table}.{declaration.unit_column}' by foreign keys, so that it is not known "
            "whose its rows are; declare it under `privacy:`"
        )
    unit = fields[declaration.unit_column].name if not reach.path else None
    pending = reach.path
    if len(reach.path) == 1 and reach.path[0].target == (declaration.unit_column,):
        unit, pending = fields[reach.path[0].columns[0]].name, ()
    rows = 1 if reach.structural else None
    relation = Scan(name, tuple(fields.values()), sources, unit, rows, reach.rows)
    determined = frozenset(f.name for f in fields.values()) if rows == 1 else frozenset()
    return Kept(relation, visible, True, determined, uniques, name, pending)


def find_table(name: str, declaration: Declaration) -> str:
    """Return the stored table that a name means, also without its schema; QueryInvalid with the nearest where there is none."""
    schema = declaration.schema
    if schema.has(name):
        return name
    prefix, _, last = name.rpartition(".")
    if prefix == schema.name.lower():
        name = last
    found = [t.name for t in schema.tables if t.name.lower() == name or t.name.rpartition(".")[2] == name]
    if len(found) == 1:
        return found[0]
    raise QueryInvalid(f"there is no table '{name}'{nearest(name, [t.name for t in schema.tables])}")


def with_unit(kept: Kept, declaration: Declaration, names: Names) -> Kept:
    """Return stored rows joined to what holds their unit, where their own columns do not."""
    relation = kept.relation
    by_column = dict(kept.columns)
    for key in kept.pending:
        if key.table == declaration.unit_table and key.target == (declaration.unit_column,):
            unit = by_column[key.columns[0]].name
            return _reached(kept, relation, unit)
        parent = stored(key.table, declaration, names)
        pairs = [(by_column[c], parent.columns[t]) for c, t in zip(key.columns, key.target, strict=True)]
        condition = equal(pairs)
        kind = "left" if any(a.facts.nullable for a, _ in pairs) else "inner"
        rows, most = kept.relation.rows_a_unit, kept.relation.most_rows
        relation = Join(relation, parent.relation, kind, condition, parent.relation.unit, rows, most)  # type: ignore[arg-type]
        by_column = dict(parent.columns)
        if parent.relation.unit is not None:
            return _reached(kept, relation, parent.relation.unit)
    raise AssertionError("a way to the unit ends at the unit")


def _reached(kept: Kept, relation: Relation, unit: str) -> Kept:
    if isinstance(relation, Scan):
        relation = Scan(relation.table, relation.fields, relation.sources, unit, relation.rows_a_unit, relation.most_rows)
    return Kept(relation, kept.columns, True, kept.determined, kept.uniques, kept.table)


def equal(pairs: list[tuple[Field, Field]]) -> Expression:
    """The condition that all pairs of fields are equal."""
    parts = [call("=", a.column, b.column) for a, b in pairs]
    return parts[0] if len(parts) == 1 else call("and", *parts)
