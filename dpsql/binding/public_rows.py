"""Queries of public tables whose rows private ones are joined to: what everybody may know, and no unit changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import expressions as exp

from dpsql.binding.first_rows import first_rows
from dpsql.binding.grouping import Grouping
from dpsql.binding.joins import conjuncts
from dpsql.binding.keeping import rows
from dpsql.binding.scopes import folded
from dpsql.binding.selecting import Selecting
from dpsql.binding.sources import Kept, find_table
from dpsql.binding.state import MIXED, Environment
from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import (
    Aggregate,
    Call,
    Column,
    DistinctRows,
    Expression,
    Facts,
    Filter,
    FirstRows,
    Literal,
    Project,
    PublicGroups,
    Relation,
    Scan,
    Union,
    subrelations,
)


def is_public(node: exp.Expr, known: Environment, declaration: Declaration) -> bool:
    """Whether a query names public tables alone.

    It decides how the query is bound, and nothing private rests on it: rows that belong to units keep them either way.
    """
    own = {str(folded(cte.args["alias"].this)) for cte in node.find_all(exp.CTE)}
    if any(table.name.rpartition(".")[2].lower() in own for table in declaration.schema.tables):
        return False  # which of both a name means depends on its place
    for table in node.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            return False
        name, schema = str(folded(table.this)), folded(table.args.get("db") or None)
        if schema is None and name in own:
            continue
        if schema is None and name in known:
            if not known[name].public:
                return False
            continue
        try:
            stored = find_table(f"{schema}.{name}" if schema not in (None, "public", "main") else name, declaration)
        except QueryInvalid:
            return False
        if stored not in declaration.public:
            return False
    return True


def public_rows(selecting: Selecting, keys: Sequence[Expression] | None) -> Kept:
    """Return the rows of a SELECT over public tables, grouped by `keys`, or as they are with None.

    No unit's row is among them and no condition on one, so that they are the same whoever is in the data; and a private row that is joined
    to them stays its unit's. How many rows that makes of one is bounded by `uniques` where a key joins them, and else by clipping
    each unit's sum, as with any join.
    """
    node = selecting.node
    if selecting.joined.private:
        raise QueryRefused(MIXED)
    made = _with_one_row(selecting, rows(selecting)) if keys is None else _PublicGrouping(selecting, keys).kept()
    distinct = node.args.get("distinct") is not None
    made = distinct_public(made) if distinct else made
    limited = any(node.args.get(part) is not None for part in ("limit", "offset"))
    return first_rows(selecting, made, of_outputs=distinct or keys is not None) if limited else made


def hold_public(relation: Relation, declaration: Declaration) -> None:
    """Raise QueryRefused where rows that are taken for public come from a table that is not: the same again, of the bound tree.

    What is grouped, united or told apart without units would else mix those of several.
    """
    for one in subrelations(relation):
        mixing = isinstance(one, PublicGroups | FirstRows) or (isinstance(one, DistinctRows | Union) and one.unit is None)
        if mixing and any(isinstance(scan, Scan) and scan.table not in declaration.public for scan in subrelations(one)):
            raise QueryRefused(MIXED)


def _with_one_row(selecting: Selecting, kept: Kept) -> Kept:
    """`kept`, known to have one row at most where a condition holds a key equal to constants."""
    relation = selecting.joined.relation
    conditions = conjuncts(relation.condition if isinstance(relation, Filter) else None)
    sides = [one.arguments for one in conditions if isinstance(one, Call) and one.function == "="]
    # many whole numbers are equal to the same double
    fixed = {a.name for a, b in sides if isinstance(a, Column) and isinstance(b, Literal) and "double" not in (a.facts.kind, b.facts.kind)}
    return replace(kept, uniques=(*kept.uniques, frozenset())) if any(u <= fixed for u in kept.uniques) else kept


def distinct_public(kept: Kept) -> Kept:
    """Return each combination of the columns of public rows once."""
    fields = tuple({f.name: f for f in kept.columns.values()}.values())
    relation = DistinctRows(Project(kept.relation, fields, tuple(f.column for f in fields), None))
    return replace(kept, relation=relation, uniques=(frozenset(f.name for f in fields),))


class _PublicGrouping(Grouping):
    """The groups of public rows."""

    def kept(self) -> Kept:
        if self.selecting.node.args.get("group") is not None and not self.keys:
            raise QueryRefused("GROUP BY of a public subquery needs a column")
        outputs, condition = self.shown(), self.having()
        fields = (*self.fields, *self.outcomes)
        grouped = PublicGroups(self.selecting.joined.relation, fields, tuple(self.keys), tuple(self.aggregates))
        relation, visible, _ = self.projected(grouped, condition, outputs)
        return Kept(relation, visible, False, uniques=(frozenset(f.name for f in self.fields),))

    def facts(self, aggregate: Aggregate) -> Facts:
        known = super().facts(aggregate)
        # without keys there may be no row at all
        return known if self.keys or aggregate.function == "count" else replace(known, nullable=True)
