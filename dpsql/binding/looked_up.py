"""Columns of a public row whose key is a group key: looked up in the public table afterwards, in place of being groups of their own.

`GROUP BY p.id, p.title` has a group for each row of `p` and not for each pair of an id and a title; and `p.title` follows from `p.id`
where it is not in GROUP BY, as PostgreSQL has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import expressions as exp

from dpsql.binding.group_keys import GroupKeys
from dpsql.binding.joins import conjuncts, equalities
from dpsql.declaration import Declaration
from dpsql.tree import Column, Expression, Join, Relation, Scan, subrelations

INSIDE = re.compile(r"[akg][0-9]+(__.*)?")  # what the columns of a release are called


@dataclass(frozen=True)
class LookUp:
    """`column` of the row of the public `table` whose `unique` column is the `key`."""

    key: Expression
    table: str
    unique: str
    column: str

    def sql(self, key: exp.Expr) -> exp.Expr:
        """Return the look-up over a release, where `key` is the column of the key; total also where a key of the table does not hold."""
        row = exp.Table(
            this=exp.to_identifier(self.table, quoted=True), alias=exp.TableAlias(this=exp.to_identifier("looked_up", quoted=True))
        )
        shown, found = (exp.column(name, "looked_up", quoted=True) for name in (self.column, self.unique))
        return exp.Subquery(this=exp.Select(expressions=[exp.Min(this=shown)]).from_(row).where(exp.EQ(this=found, expression=key)))


def looked_up(found: GroupKeys, relation: Relation, declaration: Declaration) -> dict[str, LookUp]:
    """Return, by the names of their fields, the columns that follow from one of the keys; none where there are several groupings."""
    made: dict[str, LookUp] = {}
    if found.sets is not None:
        return made
    scans = [one for one in subrelations(relation) if isinstance(one, Scan) and one.table in declaration.public]
    equal = list(_equal(relation))
    for scan in scans:
        table = declaration.schema.table(scan.table)
        columns = {field.name: source for field, source in zip(scan.fields, scan.sources, strict=True)}
        if any(INSIDE.fullmatch(source) for source in scan.sources):
            continue
        unique = {name for name, source in columns.items() if table.is_unique(source) and not table.column(source).nullable}
        anchor = _anchor(found.keys, unique, equal)
        if anchor is None:
            continue
        key, name = anchor
        made |= {n: LookUp(key, scan.table, columns[name], source) for n, source in columns.items() if n != key.name}
    return made


def _anchor(keys: Sequence[Expression], unique: set[str], equal: Sequence[tuple[str, str]]) -> tuple[Column, str] | None:
    """The key that tells of the row, and the name of the unique field that it is, or that a join holds equal to it."""
    for key in keys:
        if isinstance(key, Column):
            for name in (key.name, *(b for a, b in equal if a == key.name)):
                if name in unique:
                    return key, name
    return None


def _equal(relation: Relation) -> Iterator[tuple[str, str]]:
    """The pairs of fields that are equal in every row that has them: those that inner joins hold equal."""
    for one in subrelations(relation):
        if isinstance(one, Join) and one.kind == "inner":
            for a, b in equalities(conjuncts(one.condition)):
                yield a.name, b.name
                yield b.name, a.name
