"""What PostgreSQL's catalogues tell of types and tables, where SQLAlchemy's inspector goes by bare names or is silent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from schemas.postgresql_left_out import BESIDES_TABLES
from schemas.reflected_types import time_details
from schemas.type_reader import type_of
from schemas.types import SqlType

_VALUE = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|\bVALUE\b")
_NEXT_NUMBER = re.compile(r"nextval\('(?:[^']|'')*'(?:::regclass)?\)")
_TIME = re.compile(r"(timestamp|time|interval)([a-z ]*?)(?:\((\d)\))?( with time zone)?(?: without time zone)?")
_COUNTING = ("start", "increment", "cache", "cycle")
_NAMED = (
    "SELECT a.attname, i.oid, n.nspname, i.typname, i.typtype, t.oid <> i.oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_type i ON i.oid = CASE WHEN t.typtype = 'b' AND t.typlen = -1 AND t.typelem <> 0 THEN t.typelem ELSE t.oid END "
    "JOIN pg_namespace n ON n.oid = i.typnamespace "
    "WHERE s.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped AND i.typtype IN ('d', 'e')"
)
_DIMENSIONS = (
    "SELECT a.attname, GREATEST(a.attndims, t.typndims) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped AND GREATEST(a.attndims, t.typndims) > 1"
)
# What an expression needs that is no part of PostgreSQL itself, and that no enum or sequence of the schema language stands for.
_NEEDED = (
    "(SELECT min(pg_describe_object(d.refclassid, d.refobjid, 0)) FROM pg_depend d "
    "LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid LEFT JOIN pg_type i ON i.oid = t.typelem "
    "WHERE d.classid = '{}'::regclass AND d.objid = {} AND d.deptype = 'n' AND d.refclassid <> 'pg_class'::regclass "
    "AND 'e' NOT IN (COALESCE(t.typtype, 'x'), COALESCE(i.typtype, 'x')))"
)
_FORMULAS = (
    f"SELECT a.attname, pg_get_expr(f.adbin, f.adrelid), {_NEEDED.format('pg_attrdef', 'f.oid')}, q.* "
    "FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum "
    "LEFT JOIN LATERAL (SELECT s.seqrelid::regclass::text, EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass "
    "AND o.objid = s.seqrelid AND o.refobjid = c.oid AND o.refobjsubid = a.attnum AND o.deptype = 'a'), "
    "s.seqstart, s.seqincrement, s.seqcache, s.seqcycle FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.refobjid "
    "WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass LIMIT 1) q ON true "
    "WHERE n.nspname = :schema AND c.relname = :table"
)
_DECLARED = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped"
)
_DOMAINS = "SELECT oid, typname, typbasetype, format_type(typbasetype, typtypmod) FROM pg_type WHERE typtype = 'd'"
_DOMAIN_CHECKS = (
    "SELECT contypid, CASE WHEN NOT starts_with(conname, typname || '_check') THEN conname END, pg_get_expr(conbin, 0), "
    f"{_NEEDED.format('pg_constraint', 'x.oid')} FROM pg_constraint x JOIN pg_type t ON t.oid = contypid "
    "WHERE contype = 'c' ORDER BY conname"
)
_PARTITIONS = (
    "SELECT c.relname, p.relname, s.nspname, pg_get_partkeydef(i.inhparent) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class p ON p.oid = pg_partition_root(i.inhrelid) "
    "JOIN pg_namespace s ON s.oid = p.relnamespace WHERE n.nspname = :schema AND c.relispartition ORDER BY c.relname"
)
_CHECKS = (
    "SELECT x.conname, pg_get_expr(x.conbin, x.conrelid, true), to_jsonb(x) ->> 'conenforced' IS DISTINCT FROM 'false', "
    f"{_NEEDED.format('pg_constraint', 'x.oid')} FROM pg_constraint x "
    "JOIN pg_class c ON c.oid = x.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :schema AND c.relname = :table AND x.contype = 'c' ORDER BY x.conname"
)


@dataclass(frozen=True)
class NamedType:
    """An enum or domain that a column, or the items of its array, are of."""

    oid: int
    schema: str
    name: str
    is_enum: bool
    of_items: bool


@dataclass(frozen=True)
class Condition:
    """A check as PostgreSQL writes it; `needs` is what only this database has, such as a function.

    `name` is that of a table's check, and of a domain's where it was given one.
    """

    sql: str
    name: str | None = None
    needs: str | None = None
    enforced: bool = True


@dataclass(frozen=True)
class Sequence:
    """A sequence that a default takes numbers of: whether it is the column's own, as those of serials are, and how it counts."""

    name: str
    is_own: bool
    counting: Mapping[str, Any]


@dataclass(frozen=True)
class Formula:
    """A column's default or formula as PostgreSQL writes it; `needs` is what only this database has."""

    sql: str
    needs: str | None
    sequence: Sequence | None

    @property
    def numbers(self) -> bool:
        """Whether it is nothing but the next number of a sequence."""
        return _NEXT_NUMBER.fullmatch(self.sql) is not None


@dataclass(frozen=True)
class Domain:
    """A domain's type, where it is known here, what that does not say, and its checks over VALUE, those of the domains below first."""

    name: str
    type: SqlType | None
    details: str | None
    checks: tuple[Condition, ...]


class PostgresqlCatalog:
    """Reads PostgreSQL's catalogues."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def named_types(self, schema: str | None, table: str) -> dict[str, NamedType]:
        """The columns of a table that are of enums or domains, told apart by more than their names."""
        rows = self._rows(_NAMED, schema=schema, table=table)
        return {row[0]: NamedType(row[1], row[2], row[3], row[4] == "e", bool(row[5])) for row in rows}

    def dimensions(self, schema: str | None, table: str) -> dict[str, int]:
        """The columns of a table that are declared as arrays of several dimensions, and of how many."""
        return {row[0]: row[1] for row in self._rows(_DIMENSIONS, schema=schema, table=table)}

    def partitions(self, schema: str | None) -> list[tuple[str, str, str, str]]:
        """The partitions in a schema: name, the table that they are parts of in the end and its schema, and by what they are parted."""
        return [(row[0], row[1], row[2], row[3]) for row in self._rows(_PARTITIONS, schema=schema)]

    def checks(self, schema: str | None, table: str) -> list[Condition]:
        """A table's checks."""
        return [Condition(row[1], row[0], row[3], row[2]) for row in self._rows(_CHECKS, schema=schema, table=table)]

    def formulas(self, schema: str | None, table: str) -> dict[str, Formula]:
        """The defaults and formulas of a table's columns, whole: SQLAlchemy cuts off what stands before a `nextval`."""
        found = {}
        for column, sql, needs, name, is_own, *counting in self._rows(_FORMULAS, schema=schema, table=table):
            sequence = None if name is None else Sequence(name, is_own, dict(zip(_COUNTING, counting, strict=True)))
            found[column] = Formula(sql, needs or (None if sequence is None else f"sequence {name}"), sequence)
        return found

    def declared(self, schema: str | None, table: str) -> dict[str, str]:
        """The types of a table's columns, by the names that PostgreSQL has for them."""
        return {row[0]: row[1] for row in self._rows(_DECLARED, schema=schema, table=table)}

    def left_out(self) -> Iterator[str]:
        """What the database has besides tables, in words: a line for each kind."""
        for kind, names in self._rows(BESIDES_TABLES):
            yield f"{kind} {names[0]} is left out" if len(names) == 1 else f"{kind}s {', '.join(names)} are left out"

    @cached_property
    def domains(self) -> dict[int, Domain]:
        """All domains by their oids."""
        rows = {row[0]: row for row in self._rows(_DOMAINS)}
        checks: dict[int, list[Condition]] = {}
        for oid, name, sql, needs in self._rows(_DOMAIN_CHECKS):
            checks.setdefault(oid, []).append(Condition(sql, name, needs))
        found = {}
        for oid, row in rows.items():
            lowest, said = oid, list[Condition]()
            while lowest in rows:  # a domain may be over another
                said = checks.get(lowest, []) + said
                base, lowest = rows[lowest][3], rows[lowest][2]
            found[oid] = Domain(row[1], *_known(base), tuple(said))
        return found

    def _rows(self, query: str, **values: Any) -> list[Any]:
        return list(self._connection.execute(sa.text(query), values))


def of_column(sql: str, column: str) -> str:
    """Return a domain's check over VALUE as one over a column."""
    return _VALUE.sub(lambda found: found[1] or '"' + column.replace('"', '""') + '"', sql)


def _known(type: str) -> tuple[SqlType | None, str | None]:
    """Read what `format_type` says of a type, and what the schema language does not."""
    time = _TIME.fullmatch(type)
    if time is not None:
        kind, fields, precision, zone = time.groups()
        details = time_details(None if precision is None else int(precision), fields.strip(), zoned=kind == "time" and zone is not None)
        return SqlType("timestamptz" if kind == "timestamp" and zone else kind), details
    try:
        return type_of(type, {}), None
    except ValueError:
        return None, None
