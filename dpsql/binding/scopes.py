"""Which names a part of a query sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Facts, Field
from schemas.errors import nearest

T = TypeVar("T")
SEVERAL = "\x00"  # stands in the names of columns that no query can name, since it holds no such letter


@dataclass(frozen=True)
class Visible:
    """A source of FROM under its alias: the fields that its column names stand for."""

    alias: str
    columns: Mapping[str, Field]


class Scope:
    """The sources of one SELECT, and the columns that USING has merged.

    `known` are facts of fields that conditions tell beyond what their tables do. `outer` is the scope around a correlated subquery.
    """

    def __init__(self, outer: Scope | None = None) -> None:
        self.sources: list[Visible] = []
        self.merged: dict[str, Field] = {}
        self.known: Mapping[str, Facts] = {}
        self.outer = outer

    def knowing(self, known: Mapping[str, Facts]) -> Scope:
        """Return this scope where more is known of fields."""
        made = Scope(self.outer)
        made.sources, made.merged, made.known = self.sources, self.merged, {**self.known, **known}
        return made

    def add(self, source: Visible) -> None:
        """Add a source; QueryInvalid where its alias is taken."""
        if any(s.alias == source.alias for s in self.sources):
            raise QueryInvalid(f"the name '{source.alias}' is used for two tables in one FROM; give one an alias")
        self.sources.append(source)

    def resolve(self, column: exp.Column) -> Field:
        """Return the field that a column of the query means, with all that is known of it."""
        found = self._resolve(column)
        return replace(found, facts=self.known[found.name]) if found.name in self.known else found

    def has(self, name: str) -> bool:
        """Whether some source has a column of that name."""
        return any(name in s.columns for s in self.sources)

    def _resolve(self, column: exp.Column) -> Field:
        name, table = str(folded(column.this)), folded(column.args.get("table"))
        if column.args.get("db") or column.args.get("catalog"):
            schema = ".".join(str(folded(column.args[part])) for part in ("catalog", "db") if column.args.get(part))
            raise QueryInvalid(f"there is no table '{schema}.{table}' in this FROM under its own name; write its alias")
        if table is None:
            if name in self.merged:
                return self.merged[name]
            found = [(s, s.columns[name]) for s in self.sources if name in s.columns]
            if len(found) > 1:
                raise QueryInvalid(
                    f"the column '{name}' is in several tables; say which: {', '.join(f'{s.alias}.{name}' for s, _ in found)}"
                )
            if found:
                return found[0][1]
            seen = [c for s in self.sources for c in s.columns]
            hold_one(name, seen)
            if self.outer is not None:
                return self.outer.resolve(column)
            raise _unknown(name, "", seen)
        source = next((s for s in self.sources if s.alias == table), None)
        if source is None and self.outer is not None:
            return self.outer.resolve(column)
        if source is None:
            raise QueryInvalid(f"there is no table '{table}' in this FROM{nearest(table, [s.alias for s in self.sources])}")
        if name not in source.columns:
            raise _unknown(name, f" in '{table}'", source.columns)
        return source.columns[name]

    def star(self, table: str | None = None) -> Iterator[tuple[str, Field]]:
        """Yield the columns that * stands for, those that USING has merged once and first."""
        shown: dict[str, str] = {}
        if table is None:
            for name, merged in self.merged.items():
                shown[merged.name] = name
                yield name, replace(merged, facts=self.known.get(merged.name, merged.facts))
        elif all(s.alias != table for s in self.sources):
            raise QueryInvalid(f"there is no table '{table}' in this FROM{nearest(table, [s.alias for s in self.sources])}")
        for source in self.sources:
            if table is not None and source.alias != table:
                continue
            # a column that can be called in two ways is shown once, as its table calls it
            for name, found in {f.name: (n, f) for n, f in source.columns.items()}.values():
                if found.name not in shown and (table is not None or name not in self.merged):
                    yield name, replace(found, facts=self.known.get(found.name, found.facts))


def told_apart(columns: Iterable[tuple[str, T]], dialect: str) -> dict[str, T]:
    """Return the columns of a subquery by their names, in their order.

    Of several with one name PostgreSQL lets none be named, and DuckDB numbers those after the first: id, id_1, id_2.
    """
    listed = list(columns)
    times = Counter(name for name, _ in listed)
    made: dict[str, T] = {}
    for place, (name, column) in enumerate(listed):
        shown = name if dialect == "duckdb" or times[name] == 1 else f"{name}{SEVERAL}{place}"
        number = 0
        while shown in made:
            number += 1
            shown = f"{name}_{number}"
        made[shown] = column
    return made


def hold_one(name: str, columns: Iterable[str]) -> None:
    """Raise QueryInvalid where several columns of a subquery have that name."""
    if any(column.startswith(name + SEVERAL) for column in columns):
        raise QueryInvalid(f"two columns of the subquery are called '{name}'; give one of them another name")


def _unknown(name: str, where: str, columns: Collection[str]) -> QueryInvalid:
    hold_one(name, columns)
    return QueryInvalid(f"there is no column '{name}'{where}{nearest(name, [c for c in columns if SEVERAL not in c])}")


def folded(identifier: object) -> str | None:
    """The name that an identifier means: as it is written in quotes, else in lower case."""
    if identifier is None or identifier == "":
        return None
    if isinstance(identifier, exp.Identifier):
        return str(identifier.this) if identifier.args.get("quoted") else str(identifier.this).lower()
    if isinstance(identifier, str):
        return identifier.lower()
    raise QueryRefused("only plain names of tables and columns are understood here")
