"""What the writers of DDL for all databases share: the statements so far, and what the database does not enforce."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from schemas.conditions import why_no_condition
from schemas.ddl import Ddl, NotEnforced, Statement
from schemas.ddl_expressions import Untranslatable, names_in
from schemas.ddl_names import literal, qualified, quoted
from schemas.model import Check, Schema, Table


class DdlWriter:
    """Collects the statements that make the tables of a schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._statements: list[Statement] = []
        self._not_enforced: list[NotEnforced] = []

    def _add(self, phase: str, subject: str, sql: str) -> None:
        self._statements.append(Statement(phase, subject, sql))

    def _leave_out(self, table: Table, what: str, reason: str, query: str | None = None) -> None:
        self._not_enforced.append(NotEnforced(table.name, what, reason, query))

    def _written(self, dialect: str, phases: Sequence[str], order: tuple[str, ...]) -> Ddl:
        """All of it, the statements in the order of their `phases`."""
        ordered = sorted(self._statements, key=lambda s: phases.index(s.phase))
        return Ddl(dialect, tuple(ordered), order, tuple(self._not_enforced))

    def _conditions(self, table: Table) -> Iterator[Check]:
        """The checks of a table that are conditions; the others are left out."""
        for check in table.checks:
            reason = why_no_condition(check.sql, table.columns)
            if reason is None:
                yield check
            else:
                self._leave_out(table, in_words(check), reason)

    def _without(self, table: Table, missing: Iterable[str]) -> Table:
        """`table` without its computed columns that are `missing`, and without what is over them, which is left out too."""
        gone = list(missing)
        for name in gone:
            for column in table.database_columns:
                if column.computed is not None and column.name not in gone and name in names_of(column.computed, table):
                    self._leave_out(table, f"computed column '{column.name}': {column.computed}", _over(name))
                    gone.append(column.name)

        def stands(what: str, columns: Collection[str]) -> bool:
            name = next((name for name in gone if name in columns), None)
            if name is not None:
                self._leave_out(table, what, _over(name))
            return name is None

        return replace(
            table,
            columns=tuple(c for c in table.columns if c.name not in gone),
            unique=tuple(u for u in table.unique if stands(f"unique ({', '.join(u.columns)})", u.columns)),
            checks=tuple(c for c in table.checks if stands(in_words(c), names_of(c.sql, table))),
            indexes=tuple(i for i in table.indexes if stands(f"index ({', '.join(i.columns)})", i.columns)),
        )

    def _comments(self, table: Table) -> None:
        name = qualified(table.name)
        if table.comment is not None:
            self._add("comments", table.name, f"COMMENT ON TABLE {name} IS {literal(table.comment)}")
        for column in table.database_columns:
            if column.comment is not None:
                target = f"{name}.{quoted(column.name)}"
                self._add("comments", table.name, f"COMMENT ON COLUMN {target} IS {literal(column.comment)}")


def in_words(check: Check) -> str:
    """Return a check in words."""
    return f"check {f'{check.name}: ' if check.name else ''}{check.sql}"


def _over(name: str) -> str:
    return f"the computed column '{name}' is left out"


def names_of(sql: str, table: Table) -> Collection[str]:
    """Return the names of the table's columns in an expression; none where it is unreadable."""
    try:
        return names_in(sql, table)
    except Untranslatable:  # which is told where it is written
        return ()
