"""What a schema must satisfy beyond its grammar: names that exist, keys that can be referenced, recipes that fit.

Each rule is one function from a schema to problems; they run in the order of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter

import sqlglot
from sqlglot import exp

from schemas.errors import Problem, nearest
from schemas.model import ForeignKey, Recipe, Schema, Table
from schemas.recipes import BY_NAME
from schemas.types import FLOATS, INTEGERS, SqlType

Rule = Callable[[Schema], Iterator[Problem]]

_TEXT_FAMILY = ("text", "varchar", "char", "enum")
_ZONED = ("timestamp", "timestamptz")


def problems_of(schema: Schema) -> Iterator[Problem]:
    """Yield every problem of a schema whose grammar is right."""
    for rule in RULES:
        yield from rule(schema)


def constraints_name_columns(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        sets = [("key", table.key, table.at)]
        sets += [("unique", u.columns, u.at) for u in table.unique]
        sets += [("index", i.columns, i.at) for i in table.indexes]
        sets += [("foreign key", f.columns, f.at) for f in table.foreign_keys]
        for what, columns, at in sets:
            for column in columns:
                if not table.has(column):
                    known = [c.name for c in table.columns]
                    yield Problem(f"{what} of {table.name} names the unknown column '{column}'{nearest(column, known)}", at)
            if len(set(columns)) < len(columns):
                yield Problem(f"{what} of {table.name} names a column twice", at)


def keys_are_sound(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        for name in table.key:
            if not table.has(name):
                continue
            column = table.column(name)
            if column.nullable:
                yield Problem(f"column {name} is part of the key of {table.name} and cannot be null", column.at)
            if column.type.kind in ("json", "array", *FLOATS):
                yield Problem(f"column {name} is {column.type} and cannot be part of a key", column.at)
        for column in table.columns:
            if column.identity and column.type.kind not in INTEGERS:
                yield Problem(f"identity needs an integer column, and {column.name} is {column.type}", column.at)
            if column.computed is not None and column.generate is not None:
                yield Problem(f"column {column.name} is computed by the database and takes no `generate:`", column.at)
            if column.computed is not None and any(column.name in s for s in table.unique_sets()):
                yield Problem(f"column {column.name} is computed by the database and cannot be part of a key here", column.at)


def references_are_sound(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        for key in table.foreign_keys:
            if not all(table.has(c) for c in key.columns):
                continue
            target = schema.table(key.table)
            if frozenset(key.target) not in {frozenset(s) for s in target.unique_sets()}:
                listed = ", ".join(key.target)
                yield Problem(f"{key.table}({listed}) is neither the key nor unique, so it cannot be referenced", key.at)
            for own, other in zip(key.columns, key.target, strict=True):
                if not _comparable(table.column(own).type, target.column(other).type):
                    types = f"{table.column(own).type} cannot reference {key.table}.{other}, which is {target.column(other).type}"
                    yield Problem(f"{own}: {types}", key.at)
            yield from _options_are_sound(schema, table, key)


def _comparable(first: SqlType, second: SqlType) -> bool:
    if first.kind in (*INTEGERS, "numeric") and second.kind in (*INTEGERS, "numeric"):
        return True
    if first.kind in _TEXT_FAMILY and second.kind in _TEXT_FAMILY:
        return True
    return first.kind == second.kind or (first.kind in _ZONED and second.kind in _ZONED)


def _options_are_sound(schema: Schema, table: Table, key: ForeignKey) -> Iterator[Problem]:
    if key.acyclic and key.table != table.name:
        yield Problem(f"acyclic is for references of a table to itself, and {', '.join(key.columns)} references {key.table}", key.at)
    if key.acyclic and key.skew is not None:
        yield Problem("acyclic and skew cannot stand together", key.at)
    if key.within is None:
        return
    if not table.has(key.within):
        yield Problem(f"within: {table.name} has no column '{key.within}'{nearest(key.within, [c.name for c in table.columns])}", key.at)
        return
    shared = table.foreign_key_of(key.within)
    if shared is None or shared.columns == key.columns:
        yield Problem(f"within: {key.within} must be another reference of {table.name}", key.at)
    elif not any(f.table == shared.table for f in schema.table(key.table).foreign_keys):
        yield Problem(f"within: {key.table} has no reference to {shared.table}, so its rows cannot share one", key.at)


def rows_do_not_circle(schema: Schema) -> Iterator[Problem]:
    graph = {t.name: {t.rows.per} if t.rows.per else set() for t in schema.tables}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
        yield Problem(f"rows per parent go in a circle: {' per '.join(circle)}", schema.table(circle[0]).rows.at)


def recipes_fit_types(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        for column in table.columns:
            recipe = column.generate
            if recipe is None:
                continue
            if column.type.kind not in BY_NAME[recipe.name].fits:
                able = [g.name for g in BY_NAME.values() if column.type.kind in g.fits and not g.semantic]
                yield Problem(f"{recipe.name} does not fit {column.type}; these do: {', '.join(able)}", recipe.at)
            if column.type.kind == "enum" and recipe.name == "choice":
                wrong = [v for v, _ in recipe.args["values"] if v not in column.type.values]
                if wrong:
                    yield Problem(f"'{wrong[0]}' is not a value of {column.type}", recipe.at)
            low, high = recipe.args.get("min"), recipe.args.get("max")
            if low is not None and high is not None and low > high:
                yield Problem(f"min {low} is greater than max {high}", recipe.at)


def checks_are_sql(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        expressions = [(c.sql, c.at) for c in table.checks] + [(c.computed, c.at) for c in table.columns if c.computed]
        for sql, at in expressions:
            try:
                tree = sqlglot.parse_one(sql, read="postgres")
            except sqlglot.errors.SqlglotError as error:
                yield Problem(f"this is not a SQL expression: {str(error).splitlines()[0]}", at)
                continue
            if isinstance(tree, (exp.Query, exp.DDL, exp.Command)) or tree.find(exp.Query):
                yield Problem("a check is an expression over the columns of one row, not a query", at)
                continue
            known = {c.name.casefold() for c in table.columns}
            for column in tree.find_all(exp.Column):
                if column.name.casefold() not in known and isinstance(column.this, exp.Identifier):
                    names = [c.name for c in table.columns]
                    yield Problem(f"the expression names the unknown column '{column.name}'{nearest(column.name, names)}", at)


def locales_follow_references(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        if isinstance(table.locale, str) and table.foreign_key_of(table.locale) is None:
            yield Problem(f"locale: {table.locale} is no reference, so there is no row whose locale could be followed", table.at)


def privacy_unit_is_a_key(schema: Schema) -> Iterator[Problem]:
    if schema.privacy_unit is None:
        return
    name, _, column = schema.privacy_unit.rpartition(".")
    if schema.has(name) and not schema.table(name).is_unique(column):
        yield Problem(f"the privacy unit {schema.privacy_unit} must be a key or unique", schema.table(name).at)


def names_are_known_to_recipes(schema: Schema) -> Iterator[Problem]:
    for table in schema.tables:
        for column in table.columns:
            for recipe in _recipes(column.generate):
                for parameter in BY_NAME[recipe.name].parameters:
                    value = recipe.args.get(parameter.name)
                    if parameter.kind == "table" and isinstance(value, str) and not schema.has(value):
                        known = [t.name for t in schema.tables]
                        yield Problem(f"{recipe.name}: unknown table '{value}'{nearest(value, known)}", recipe.at)


def _recipes(recipe: Recipe | None) -> Iterator[Recipe]:
    if recipe is None:
        return
    yield recipe
    for value in recipe.args.values():
        if isinstance(value, Recipe):
            yield from _recipes(value)
        elif isinstance(value, dict):
            for inner in value.values():
                if isinstance(inner, Recipe):
                    yield from _recipes(inner)


RULES: tuple[Rule, ...] = (
    constraints_name_columns,
    keys_are_sound,
    references_are_sound,
    rows_do_not_circle,
    recipes_fit_types,
    checks_are_sql,
    locales_follow_references,
    privacy_unit_is_a_key,
    names_are_known_to_recipes,
)
