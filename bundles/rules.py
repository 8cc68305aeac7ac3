"""Rules over rows of several tables, held against the files of a bundle by DuckDB.

As with checks, a rule that is null for a row holds for it, and what cannot be evaluated is reported as such. The sum of no rows
is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
from sqlglot import expressions as exp

from bundles.checks import Result, SqlUnusable, translated
from bundles.scanning import Session, numbered, reason, scan
from schemas.model import Check, ForeignKey, Schema, Table
from schemas.rules import Aggregate, read_rule
from schemas.sql_expressions import NotAnExpression

Paths = Mapping[str, Sequence[Path]]


def run_rules(session: Session, schema: Schema, table: Table, paths: Paths, rules: Iterable[Check], implied: bool = False) -> list[Result]:
    """Evaluate `rules` on the rows of `table`; `paths` has the Parquet files of every table that is whole."""
    return [_run(session, schema, table, paths, rule, implied) for rule in rules]


def _run(session: Session, schema: Schema, table: Table, paths: Paths, rule: Check, implied: bool) -> Result:
    try:
        (rows,) = session.row(rule_query(schema, table, paths, rule.sql))
        first = session.row(rule_query(schema, table, paths, rule.sql, first=True))[0] if rows else None
    except (NotAnExpression, SqlUnusable) as error:
        return Result("rule", table.name, rule, implied=implied, not_checked=str(error))
    except duckdb.Error as error:
        return Result("rule", table.name, rule, implied=implied, not_checked=reason(error))
    return Result("rule", table.name, rule, rows, first, implied=implied)


def rule_query(schema: Schema, table: Table, paths: Paths, sql: str, *, first: bool = False) -> str:
    """Return a query for how many rows break a rule, or for the first of them; raises NotAnExpression and SqlUnusable."""
    rule = read_rule(schema, table, sql)
    relations = _Relations(schema, table, paths, numbers=first)
    tree = exp.Paren(this=rule.tree)
    for aggregate in rule.aggregates:
        aggregate.node.replace(relations.folded(aggregate))
    for column, found in rule.paths:
        column.replace(relations.column(found.hops, found.table, found.column.name))
    condition = translated(tree.sql(dialect="postgres", identify=True))
    wanted = f"min(t.{relations.number})" if first else "count(*)"
    return f"SELECT {wanted} FROM {relations.sql()} WHERE CAST(({condition}) AS BOOLEAN) = false"


class _Relations:
    """The rows of a table, each with the rows that it references and with folds over those that reference it."""

    def __init__(self, schema: Schema, table: Table, paths: Paths, numbers: bool) -> None:
        self._schema, self._table, self._paths = schema, table, paths
        rows, self.number = numbered(self._scan(table), [f"c{i}" for i in range(len(table.stored_columns))])
        self._joins = [f"({rows if numbers else self._scan(table)}) AS t"]
        self._aliases: dict[tuple[ForeignKey, ...], str] = {(): "t"}
        self._folds = 0

    def sql(self) -> str:
        return " ".join(self._joins)

    def _scan(self, table: Table) -> str:
        if table.name not in self._paths:
            raise SqlUnusable(f"the files of '{table.name}' are not whole")
        return scan(table, self._paths[table.name], positional=True)

    def column(self, hops: tuple[ForeignKey, ...], table: Table, name: str) -> exp.Expr:
        """A column of the row at the end of references."""
        return exp.column(_position(table, name), table=self._alias(hops))

    def _alias(self, hops: tuple[ForeignKey, ...]) -> str:
        if hops not in self._aliases:
            before, key = self._alias(hops[:-1]), hops[-1]
            child = self._table if len(hops) == 1 else self._schema.table(hops[-2].table)
            parent = self._schema.table(key.table)
            alias = f"p{len(self._aliases)}"
            pairs = zip(key.columns, key.target, strict=True)
            on = " AND ".join(f"{before}.{_position(child, own)} = {alias}.{_position(parent, other)}" for own, other in pairs)
            self._joins.append(f"LEFT JOIN ({self._scan(parent)}) AS {alias} ON {on}")
            self._aliases[hops] = alias
        return self._aliases[hops]

    def folded(self, aggregate: Aggregate) -> exp.Expr:
        """A fold over the rows that reference the row."""
        child, key, alias = aggregate.table, aggregate.key, f"g{self._folds}"
        self._folds += 1
        node = aggregate.node.copy()
        names = {id(copy): name for copy, (_, name) in zip(node.find_all(exp.Column), aggregate.columns, strict=False)}
        for column in list(node.find_all(exp.Column)):
            if aggregate.counts_rows:
                column.replace(exp.Literal.number(1))
            else:
                column.replace(exp.column(_position(child, names[id(column)])))
        fold = node.sql(dialect="duckdb")
        own = [_position(child, name) for name in key.columns]
        pairs = zip(key.target, own, strict=True)
        on = " AND ".join(f"t.{_position(self._table, target)} = {alias}.{mine}" for target, mine in pairs)
        group = ", ".join(own)
        self._joins.append(f"LEFT JOIN (SELECT {group}, {fold} AS fold FROM ({self._scan(child)}) GROUP BY {group}) AS {alias} ON {on}")
        value = exp.column("fold", table=alias)
        if isinstance(aggregate.node, (exp.Sum, exp.Count)):
            return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
        return value


def _position(table: Table, column: str) -> str:
    names = [c.name for c in table.stored_columns]
    if column not in names:
        raise SqlUnusable(f"'{column}' of '{table.name}' is in no bundle")
    return f"c{names.index(column)}"
