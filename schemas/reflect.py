"""Makes a schema from a live database: its structure and row counts, and none of its values.

Only catalogues and `count(*)` are read. What the schema language cannot say is returned as notes at its place.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine import URL, Connection, Inspector

from schemas.computed_uniques import tell_of_inputs
from schemas.connecting import database_url, engine_of, reflection_failures
from schemas.ddl_names import literal, quoted
from schemas.errors import InputError
from schemas.expressible import fitting_name, make_expressible
from schemas.fitted_types import fit_types
from schemas.model import Check, Column, ForeignKey, Index, Unique
from schemas.postgresql_left_out import WITH_TABLES
from schemas.reflected_details import identity_details, index_details, unique_details
from schemas.reflected_postgresql import Condition, Formula, NamedType, PostgresqlCatalog, Sequence, of_column
from schemas.reflected_sqlite import SqliteCatalog
from schemas.reflected_types import column_type, long_labels, meaning, named_enum
from schemas.reflection import Place, RawSchema, Reflection, keep_sound_references, leave_out_unheld, reflection_of
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.sqlite_types import declared_type
from schemas.sqlite_words import in_quotes, portable
from schemas.table_proposals import RawTable
from schemas.types import INTEGERS, SqlType

_SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "mysql", "performance_schema", "sys", "INFORMATION_SCHEMA", "guest")
_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "mssql": "tsql", "oracle": "oracle"}
_NEXTVAL = re.compile(r"^nextval\(", re.IGNORECASE)
_TEXTS = ("text", "character varying", "text[]", "character varying[]")
_LIKE_TEXTS = ("name", '"char"', "bpchar", "citext")
_TAKEN = ("taken as text", "taken as numeric(19,2)")
_NULLS = 0.1


def reflect(url: str) -> Reflection:
    """Reflect the database at `url` (as SQLAlchemy writes it) as a schema that a file can say.

    Raises InputError for a URL that cannot be used or whose driver is not installed, SystemFailure where the database
    cannot be reached or read; passwords are in no message.
    """
    target = database_url(url)
    with reflection_failures(target):
        engine = engine_of(target)
        try:
            with engine.connect() as connection:
                raw = _Reflector(connection, target, None).run()
        finally:
            engine.dispose()
    if target.get_backend_name() == "sqlite":
        keep_sound_references(raw)
        fit_types(raw.tables, raw.note)
    make_expressible(raw)
    tell_of_inputs(raw.tables, raw.note)
    leave_out_unheld(raw)
    if not raw.tables:
        raise InputError("the database has no tables with columns to reflect")
    return reflection_of(raw)


def reflect_connection(connection: Connection, target: URL, *, unconstrained: SqlType | None = None) -> Reflection:
    """Reflect what `connection`, in the transaction that it is in, sees of the database at `target`, by the names that it has there.

    `unconstrained` is given where it is to tell how rows are read: a numeric without a precision is taken as that, and what only
    makes a schema build is left. Raises SQLAlchemy's errors.
    """
    return reflection_of(_Reflector(connection, target, unconstrained).run())


def _current_time(node: Any) -> Any:
    """CURRENT_TIME without the brackets that sqlglot writes and PostgreSQL refuses."""
    from sqlglot import exp

    return exp.Var(this="CURRENT_TIME") if isinstance(node, exp.CurrentTime) and node.this is None else node


def _read_of_postgresql(sql: str) -> Any:
    """PostgreSQL's own text of an expression, its columns in quotes where the first has a name that sqlglot takes for a statement."""
    from sqlglot import exp, parse_one
    from sqlglot.dialects import Postgres

    tree = parse_one(f"({sql})", read="postgres").this
    first = Postgres().tokenize(f"({sql})")[1].token_type
    if first in Postgres.tokenizer_class.COMMANDS or first in Postgres.parser_class.STATEMENT_PARSERS:
        for name in (column.this for column in tree.find_all(exp.Column) if isinstance(column.this, exp.Identifier)):
            name.set("quoted", True)
    return tree


def _without_cast(sql: str) -> str:
    """A text as it is written, which a cast to a type that the column does not have would change: `CAST('101' AS BIT)` is 1."""
    from sqlglot import exp

    tree = parse_expression(sql)
    return tree.this.sql("postgres") if isinstance(tree, exp.Cast) and tree.this.is_string else sql


def _own_name(name: str | None, table: str, columns: tuple[str, ...], suffix: str) -> str | None:
    """The name of a constraint, unless it is the one that PostgreSQL gives by itself."""
    return None if name == f"{table}_{'_'.join(columns)}_{suffix}" else name


def _says_too_little(found: Any, type: SqlType, note: str | None) -> bool:
    """Whether SQLAlchemy's type of a column, taken as text, does not say what PostgreSQL has it as."""
    return isinstance(found, (sa.types.NullType, BIT)) or (note is None and type == SqlType("text"))


class _Reflector:
    def __init__(self, connection: Connection, target: URL, unconstrained: SqlType | None) -> None:
        self._connection = connection
        self._inspector: Inspector = sa.inspect(connection)
        self._backend = target.get_backend_name()
        self._postgresql = PostgresqlCatalog(connection) if self._backend == "postgresql" else None
        self._sqlite = SqliteCatalog(connection) if self._backend == "sqlite" else None
        self._default = self._inspector.default_schema_name if self._backend != "sqlite" else None
        file = str(target.database or "").replace("\\", "/").rpartition("/")[2]
        self._raw = RawSchema(fitting_name(re.sub(r"\.[A-Za-z0-9]+$", "", file) or "database"))
        self._unconstrained = unconstrained
        self._other_types: dict[Place, str] = {}
        self._for_rows = unconstrained is not None

    def run(self) -> RawSchema:
        self._raw.note((), "Reflected from a live database: its structure and row counts, and none of its values.")
        self._raw.tables = [self._table(schema, name) for schema in self._schemas() for name in self._table_names(schema)]
        if not self._raw.tables:
            raise InputError("the database has no tables to reflect")
        for said in [] if self._postgresql is None or self._for_rows else self._postgresql.left_out():
            self._raw.note((), said)
        return self._raw

    # Names

    def _schemas(self) -> list[str | None]:
        if self._backend == "sqlite":
            return [None]
        names = [n for n in self._inspector.get_schema_names() if n not in _SYSTEM_SCHEMAS and not n.startswith("pg_")]
        if self._backend != "postgresql":
            names = [n for n in names if n == self._default] or [str(self._default)]
        return sorted(names, key=lambda n: (n != self._default, n))

    def _table_names(self, schema: str | None) -> list[str]:
        views = [*self._inspector.get_view_names(schema)]
        if isinstance(self._inspector, PGInspector):
            views += self._inspector.get_materialized_view_names(schema)
            for foreign in sorted(self._inspector.get_foreign_table_names(schema)):
                self._raw.note((), f"foreign table {self._qualified(schema, foreign)} is left out")
        for view in sorted(views):
            self._raw.note((), f"view {self._qualified(schema, view)} is left out")
            for trigger in [] if self._sqlite is None else self._sqlite.triggers(view):
                self._raw.note((), f"trigger {trigger} of the view {view} is left out")
        left_out = self._partitions(schema) | self._virtual_tables()
        return [n for n in sorted(self._inspector.get_table_names(schema)) if n not in left_out and not n.startswith("sqlite_")]

    def _qualified(self, schema: str | None, name: str) -> str:
        return name if schema is None or schema == self._default else f"{schema}.{name}"

    def _partitions(self, schema: str | None) -> set[str]:
        if self._postgresql is None:
            return set()
        found = self._postgresql.partitions(schema)
        for partition, parent, space, by in found:
            self._raw.note((self._qualified(space, parent),), f"partitioned by {by} (one part is {partition}); taken as one table")
        return {row[0] for row in found}

    def _virtual_tables(self) -> set[str]:
        """SQLite's virtual tables and those that they are kept in, which are left out of what is to be built."""
        if self._sqlite is None or self._for_rows:
            return set()
        found = self._sqlite.virtual_tables()
        for name, kept_in in found.items():
            tables = f", with {', '.join(kept_in)}, which it is kept in" if kept_in else ""
            self._raw.note((), f"virtual table {name} of {self._sqlite.module(name)} is left out{tables}")
        return {*found, *(table for kept_in in found.values() for table in kept_in)}

    # One table as the catalogue has it

    def _table(self, schema: str | None, name: str) -> RawTable:
        inspector = self._inspector
        raw = RawTable(self._qualified(schema, name), schema, name)
        key = inspector.get_pk_constraint(name, schema) if self._sqlite is None else {"constrained_columns": self._sqlite.key(name)}
        raw.key = tuple(key["constrained_columns"] or ())
        raw.rows = self._count(schema, name)
        named = {} if self._postgresql is None else self._postgresql.named_types(schema, name)
        formulas = {} if self._postgresql is None else self._postgresql.formulas(schema, name)
        declared = {} if self._postgresql is None else self._postgresql.declared(schema, name)
        for found in self._columns(schema, name):
            column = str(found["name"])
            self._column(raw, dict(found), named.get(column), formulas.get(column), declared.get(column))
        for column, dimensions in ({} if self._postgresql is None else self._postgresql.dimensions(schema, name)).items():
            self._raw.note((raw.name, column), f"an array of {dimensions} dimensions, taken as one of one dimension")
        self._leave_out_formulas(raw)
        if not raw.key:
            self._raw.note((raw.name,), "it has no primary key")
        self._note_details(raw, f"key ({', '.join(raw.key)})", unique_details(key))
        self._foreign_keys(raw)
        self._unique(raw)
        for check in self._checks(raw):
            self._check(raw, check)
        self._comment(raw)
        self._extras(raw)
        return raw

    def _columns(self, schema: str | None, table: str) -> Iterable[Mapping[str, Any]]:
        if self._sqlite is not None:
            return self._sqlite.columns(table)
        with warnings.catch_warnings():  # of types that SQLAlchemy does not know, which notes tell
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            return self._inspector.get_columns(table, schema)

    def _count(self, schema: str | None, name: str) -> int:
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(sa.table(name, schema=schema))).scalar_one())

    def _comment(self, raw: RawTable) -> None:
        try:
            raw.comment = self._inspector.get_table_comment(raw.table, raw.schema).get("text")
        except NotImplementedError:
            raw.comment = None

    def _column(self, raw: RawTable, found: dict[str, Any], named: NamedType | None, formula: Formula | None, declared: str | None) -> None:
        name, place = str(found["name"]), (raw.name, str(found["name"]))
        type, note = (column_type if self._sqlite is None else declared_type)(found["type"], self._unconstrained)
        if declared is not None and named is None and _says_too_little(found["type"], type, note):
            note = None if declared in _TEXTS else f"{declared}, taken as text"
        if note:
            self._raw.note(place, note)
        if declared is not None and note is not None and note.endswith(_TAKEN) and declared not in _LIKE_TEXTS:
            self._other_types[place] = note
        if named is not None:
            type = self._named(raw, place, type, named)
        if (labels := long_labels(found["type"])) and not self._for_rows:
            raw.checks.append(Check(f"{quoted(name)} IN ({', '.join(map(literal, labels))})"))
        enum = type.item or type
        if enum.kind == "enum" and enum.name:
            self._raw.enums[enum.name] = enum.values
        computed = found.get("computed")
        identity = bool(found.get("identity")) or (formula is None and bool(_NEXTVAL.match(str(found.get("default") or ""))))
        nullable = bool(found["nullable"]) and name not in raw.key and not identity
        if numbering := identity_details(found.get("identity") or {}):
            self._raw.note(place, f"its identity says {numbering}, which is left out")
        if formula is not None and formula.sequence is not None and formula.numbers and type.kind in INTEGERS and not nullable:
            identity = True
            self._note_sequence(place, formula.sequence)
        needs = None if formula is None else formula.needs
        formed = None if computed is None else self._expression(str(computed["sqltext"]), place, "computed", needs)
        if computed is not None and formed is not None and computed.get("persisted") is False:
            self._raw.note(place, "it is VIRTUAL, taken as STORED")
        collation = found.get("collation") or getattr(getattr(found["type"], "item_type", found["type"]), "collation", None)
        if collation not in (None, "default"):
            self._raw.note(place, f"its collation {collation} is left out")
        said = found.get("default") if formula is None or computed else formula.sql
        default = None if identity or computed else self._default_of(said, type, place, needs)
        raw.columns.append(
            Column(
                name, type, null=_NULLS if nullable else None, identity=identity and type.kind in INTEGERS,
                computed=formed,
                default=default, comment=found.get("comment"), semantic=meaning(found["type"]),
            )
        )  # fmt: skip

    def _note_sequence(self, place: Place, sequence: Sequence) -> None:
        if not sequence.is_own:
            self._raw.note(place, f"numbered by the sequence {sequence.name}, which is not its own; taken as an identity")
        if numbering := identity_details(sequence.counting):
            self._raw.note(place, f"its sequence says {numbering}, which is left out")

    def _named(self, raw: RawTable, place: Place, type: SqlType, named: NamedType) -> SqlType:
        """The type of a column of an enum or domain of PostgreSQL, whose checks become the table's."""
        if named.is_enum:
            return named_enum(type, self._qualified(named.schema, named.name), self._raw.enums)
        assert self._postgresql is not None
        domain = self._postgresql.domains[named.oid]
        if domain.details:
            self._raw.note(place, domain.details)
        for check in domain.checks:
            if named.of_items:
                self._raw.note(place, f"check {check.sql} of the domain {domain.name} is left out")
            else:
                if check.name is not None:
                    self._raw.note(place, f"the name of the domain's check, {check.name}, is left out")
                self._check(raw, replace(check, name=None, sql=of_column(check.sql, place[1])))
        found = domain.type or type.item or type
        return replace(type, item=found) if named.of_items else found

    def _default_of(self, default: Any, type: SqlType, place: Place, needs: str | None) -> str | None:
        if type.kind == "boolean" and str(default).strip("()'") in ("0", "1"):
            return "TRUE" if "1" in str(default) else "FALSE"
        if default is None:
            return None
        sql = self._expression(str(default) if self._sqlite is None else in_quotes(str(default)), place, "default", needs)
        return _without_cast(sql) if sql is not None and type.kind == "text" and place in self._other_types else sql

    def _expression(self, sql: str, place: Place, what: str, needs: str | None) -> str | None:
        """SQL in PostgreSQL's dialect, or None and a note; `needs` is what it calls that only this database has."""
        if needs is not None:
            self._raw.note(place, f"{what} {sql} is left out: it needs {needs}")
            return None
        translated = self._translated(sql)
        if translated is None:
            self._raw.note(place, f"{what} {sql or 'by a formula'} is not understood and left out")
        return translated

    def _translated(self, sql: str) -> str | None:
        import sqlglot

        try:
            dialect = _DIALECTS.get(self._backend, "")
            tree = _read_of_postgresql(sql) if self._postgresql is not None else sqlglot.parse_one(sql, read=dialect)
            said = tree if self._sqlite is None else portable(tree)
            if said is None:
                return None
            text: str = said.transform(_current_time).sql(dialect="postgres")
            parse_expression(text)
        except (sqlglot.errors.SqlglotError, NotAnExpression, IndexError, RecursionError):
            return None
        return text

    def _of_another_type(self, table: str, sql: str) -> str | None:
        """Which column that an expression asks more of than whether it is null is of a type of PostgreSQL's own, None where none is."""
        from sqlglot import exp

        for column in parse_expression(sql).find_all(exp.Column):
            note = self._other_types.get((table, column.name))
            if note is not None and not isinstance(column.parent, exp.Is):
                return f"{column.name} is {note}"
        return None

    def _leave_out_formulas(self, raw: RawTable) -> None:
        for place, column in enumerate(raw.columns):
            other = None if column.computed is None else self._of_another_type(raw.name, column.computed)
            if other is not None:
                self._raw.note((raw.name, column.name), f"computed {column.computed} is left out: {other}")
                raw.columns[place] = replace(column, computed=None)

    def _checks(self, raw: RawTable) -> list[Condition]:
        if self._sqlite is not None:
            return [Condition(sql, name) for name, sql in self._sqlite.definition(raw.table).checks]
        if self._postgresql is not None:
            return self._postgresql.checks(raw.schema, raw.table)
        return [Condition(str(c["sqltext"]), c.get("name")) for c in self._inspector.get_check_constraints(raw.table, raw.schema)]

    def _check(self, raw: RawTable, check: Condition) -> None:
        if not check.enforced:
            self._raw.note((raw.name,), f"check {check.name} is not enforced and left out")
        elif check.needs is not None:
            self._raw.note((raw.name,), f"check {check.sql} is left out: it needs {check.needs}")
        elif (translated := self._translated(check.sql)) is None:
            self._raw.note((raw.name,), f"check {check.sql} is not understood and left out")
        elif (other := self._of_another_type(raw.name, translated)) is not None:
            self._raw.note((raw.name,), f"check {check.sql} is left out: {other}")
        elif not any(c.sql == translated for c in raw.checks):
            raw.checks.append(Check(translated, check.name))
        elif check.name is not None:
            self._raw.note((raw.name,), f"check {check.name} is left out: another says the same")

    def _foreign_keys(self, raw: RawTable) -> None:
        sqlite = self._sqlite
        listed = self._inspector.get_foreign_keys(raw.table, raw.schema) if sqlite is None else sqlite.foreign_keys(raw.table)
        for found in listed:
            columns = tuple(found["constrained_columns"])
            schema = found.get("referred_schema") or (raw.schema if raw.schema == self._default else None) or self._default
            parent = self._qualified(schema, found["referred_table"])
            target = tuple(found["referred_columns"]) or self._key_of(schema, found["referred_table"])
            name = _own_name(found.get("name"), raw.table, columns, "fkey")
            raw.foreign_keys.append(ForeignKey(columns, parent, target, name))
            said = [
                f"{word} {value}" for word, value in (found.get("options") or {}).items() if value and str(value).upper() != "NO ACTION"
            ]
            if said:
                self._raw.note((raw.name,), f"the reference ({', '.join(columns)}) to {parent} says {', '.join(said)}, which is left out")

    def _key_of(self, schema: str | None, table: str) -> tuple[str, ...]:
        if self._sqlite is not None:
            return self._sqlite.key(table)
        return tuple(self._inspector.get_pk_constraint(table, schema)["constrained_columns"] or ())

    def _unique(self, raw: RawTable) -> None:
        seen, sqlite, inspector = {raw.key}, self._sqlite, self._inspector
        uniques = inspector.get_unique_constraints(raw.table, raw.schema) if sqlite is None else sqlite.unique_constraints(raw.table)
        for found in uniques:
            columns = tuple(found["column_names"])
            if columns not in seen:
                seen.add(columns)
                raw.unique.append(Unique(columns, _own_name(found.get("name"), raw.table, columns, "key")))
            else:
                name = found.get("name") or f"({', '.join(columns)})"
                self._raw.note((raw.name,), f"unique {name} is left out: ({', '.join(columns)}) is unique already")
            self._note_details(raw, f"unique ({', '.join(columns)})", unique_details(found))
        for index in inspector.get_indexes(raw.table, raw.schema) if sqlite is None else sqlite.indexes(raw.table):
            columns = tuple(c for c in index["column_names"] if c is not None)
            if index.get("duplicates_constraint"):
                continue  # a unique constraint stands above, and an exclusion constraint is left out
            partial = any(str(option).endswith("_where") for option in index.get("dialect_options") or {})
            if index.get("expressions") or len(columns) < len(index["column_names"]) or partial:
                what = "partial" if partial else "on an expression"
                unique = "unique " if index.get("unique") else ""
                self._raw.note((raw.name,), f"{unique}index {index.get('name')} is {what} and left out")
            elif index.get("unique") and columns in seen:
                self._raw.note((raw.name,), f"unique index {index.get('name')} is left out: ({', '.join(columns)}) is unique already")
                self._note_details(raw, f"index {index.get('name')}", index_details(index))
            else:
                seen.add(columns if index.get("unique") else ())
                raw.indexes.append(Index(columns, index.get("name"), bool(index.get("unique"))))
                self._note_details(raw, f"index {index.get('name')}", index_details(index))

    def _note_details(self, raw: RawTable, what: str, details: str) -> None:
        if details:
            self._raw.note((raw.name,), f"{what} says {details}, which is left out")

    def _extras(self, raw: RawTable) -> None:
        """What PostgreSQL and SQLite keep with a table that the schema language does not say."""
        if self._sqlite is not None:
            for column, said in self._sqlite.extras(raw.table):
                self._raw.note((raw.name, column) if column else (raw.name,), f"{said} is left out")
        if self._backend != "postgresql":
            return
        for query in WITH_TABLES:
            for (what,) in self._connection.execute(sa.text(query), {"schema": raw.schema, "table": raw.table}):
                self._raw.note((raw.name,), f"{what} is left out")
