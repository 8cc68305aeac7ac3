"""SQL of relations."""

from __future__ import annotations

from dpsql import tree
from dpsql.compiling.dialects import Dialect, quoted
from schemas.model import Schema


class Relations:
    """Writes relations as SQL of one dialect; `stored` names the tables of the release as the engine knows them."""

    def __init__(self, schema: Schema, dialect: Dialect) -> None:
        self._schema = schema
        self._dialect = dialect

    def sql(self, relation: tree.Relation) -> str:
        """Return a SELECT whose columns are the relation's fields."""
        match relation:
            case tree.OneRow():
                return "SELECT 1"
            case tree.Scan():
                return self._scan(relation)
            case tree.Filter():
                return f"SELECT * FROM ({self.sql(relation.input)}) AS f WHERE {self._dialect.expression(relation.condition)}"
            case tree.Project():
                columns = ", ".join(
                    f"{self._dialect.expression(expression)} AS {quoted(field.name)}"
                    for field, expression in zip(relation.fields, relation.expressions, strict=True)
                )
                return f"SELECT {columns or '1'} FROM ({self.sql(relation.input)}) AS p"
            case tree.Join():
                return self._join(relation)
            case tree.Union():
                return " UNION ALL ".join(f"({self._renamed(relation, one)})" for one in relation.inputs)
            case tree.PerUnit():
                return self._per_unit(relation)
            case tree.PublicGroups():
                return self._grouped(relation, list(relation.keys))
            case tree.FirstRows():
                return self._first(relation)
            case tree.DistinctRows():
                return f"SELECT DISTINCT * FROM ({self.sql(relation.input)}) AS d"

    def _first(self, relation: tree.FirstRows) -> str:
        named = [tree.Order(field.column, descending=False, nulls_first=False) for field in relation.fields]
        terms = [
            f"{self._dialect.expression(one.expression)}{' DESC' if one.descending else ''} NULLS {'FIRST' if one.nulls_first else 'LAST'}"
            for one in (*relation.order, *named)
        ]
        order = f" ORDER BY {', '.join(terms)}" if terms else ""
        limit = "" if relation.limit is None else f" LIMIT {relation.limit}"
        return f"SELECT * FROM ({self.sql(relation.input)}) AS o{order}{limit} OFFSET {relation.offset}"

    def _scan(self, scan: tree.Scan) -> str:
        table = self._schema.table(scan.table)
        columns = ", ".join(
            f"{self._dialect.stored(quoted(source), table.column(source).type)} AS {quoted(field.name)}"
            for field, source in zip(scan.fields, scan.sources, strict=True)
        )
        return f"SELECT {columns or '1'} FROM {self._dialect.table(scan.table)}"

    def _join(self, join: tree.Join) -> str:
        left, right = self.sql(join.left), self.sql(join.right)
        condition = self._dialect.expression(join.condition)
        if join.kind in ("semi", "anti"):
            exists = "EXISTS" if join.kind == "semi" else "NOT EXISTS"
            return f"SELECT * FROM ({left}) AS l WHERE {exists} (SELECT 1 FROM ({right}) AS r WHERE {condition})"
        return f"SELECT * FROM ({left}) AS l {'LEFT' if join.kind == 'left' else 'INNER'} JOIN ({right}) AS r ON {condition}"

    def _renamed(self, union: tree.Union, one: tree.Relation) -> str:
        columns = ", ".join(f"{quoted(was.name)} AS {quoted(field.name)}" for was, field in zip(one.fields, union.fields, strict=True))
        return f"SELECT {columns} FROM ({self.sql(one)}) AS u"

    def _per_unit(self, relation: tree.PerUnit) -> str:
        assert relation.input.unit is not None
        return self._grouped(relation, [tree.Column(relation.input.unit, relation.fields[0].facts), *relation.keys])

    def _grouped(self, relation: tree.PerUnit | tree.PublicGroups, expressions: list[tree.Expression]) -> str:
        names = [quoted(field.name) for field in relation.fields]
        keys = [f"{self._dialect.expression(e)} AS {name}" for e, name in zip(expressions, names)]
        sums = [f"{self._aggregate(a)} AS {name}" for a, name in zip(relation.aggregates, names[len(keys) :], strict=True)]
        grouped = ", ".join(str(n) for n in range(1, len(keys) + 1))
        columns = ", ".join([*keys, *sums]) or "1"
        return f"SELECT {columns} FROM ({self.sql(relation.input)}) AS g{f' GROUP BY {grouped}' if keys else ' HAVING TRUE'}"

    def _aggregate(self, aggregate: tree.Aggregate) -> str:
        if aggregate.argument is None:
            return "COUNT(*)"
        argument = self._dialect.expression(aggregate.argument)
        if aggregate.function == "count":
            return f"COUNT({'DISTINCT ' if aggregate.distinct else ''}{argument})"
        if aggregate.function in ("min", "max") and aggregate.argument.facts.kind == "boolean":
            return f"BOOL_{'AND' if aggregate.function == 'min' else 'OR'}({argument})"  # PostgreSQL has no least truth value
        if aggregate.function in ("min", "max"):
            return f"{aggregate.function.upper()}({argument})"
        if aggregate.function == "quantile":
            return self._dialect.quantile(float(aggregate.fraction or 0), argument, aggregate.argument.facts, aggregate.continuous)
        return self._dialect.sum_or_moment(aggregate.function, argument, aggregate.argument.facts, aggregate.distinct)
