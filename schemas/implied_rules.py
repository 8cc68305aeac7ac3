"""The rules that recipes imply, in the language of rules: what `sum`, `count`, `earliest`, `from`, `after` and their like promise,
and `within` of references."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.model import Check, Column, Schema, Table
from schemas.paths import NoSuchPath, follow
from schemas.recipes import argument
from schemas.rules import read_rule
from schemas.scenarios import Scenario
from schemas.sql_expressions import NotAnExpression
from schemas.times import is_moment
from schemas.types import INTEGERS, MOMENTS, TEXTS, SqlType

_EXACT = (*INTEGERS, "numeric")
_WORDS = (*TEXTS, "enum")


def implied_rules(schema: Schema, table: Table, of_state: bool = False) -> Iterator[Check]:
    """Yield a rule for every recipe of `table` whose promise can be read off a bundle, named after its column.

    Columns that no bundle holds or that scenarios set, and conversions that round single values, imply none. In a bundle `of_state` (of
    a moment before the anchor), a time that may be null is null while it lies ahead.
    """
    changes = [c for s in schema.scenarios.values() if isinstance(s, Scenario) for c in s.all_changes() if c.table == table.name]
    planted = {name for change in changes for name in change.columns}
    for column in (c for c in table.stored_columns if c.name not in planted and not c.ever):
        for sql in _promises(schema, table, column, of_state):
            try:
                read_rule(schema, table, sql)
            except NotAnExpression:
                continue
            yield Check(sql, column.name)


def _promises(schema: Schema, table: Table, column: Column, of_state: bool) -> Iterator[str]:
    yield from _of_one_parent(schema, table, column)
    recipe = column.generate
    if recipe is None:
        return
    own = _quoted(column.name)
    may_be_empty = bool(column.null) or (of_state and column.nullable and column.type.kind in MOMENTS)
    match recipe.name:
        case "sum" if _kept(_child_type(schema, recipe.args["child"]), column.type):
            yield f"{own} = sum({_quoted(recipe.args['child'])})"
        case "sum" if column.type.kind in _EXACT:
            yield f"{own} = CAST(sum({_quoted(recipe.args['child'])}) AS NUMERIC(38, {column.type.decimals}))"
        case "count":
            yield f"{own} = count({_quoted(recipe.args['table'])})"
        case "earliest" | "latest" if _kept(_child_type(schema, recipe.args["child"]), column.type):
            fold = "min" if recipe.name == "earliest" else "max"
            yield _same(own, may_be_empty, f"{fold}({_quoted(recipe.args['child'])})")
        case "from" if _kept(_path_type(schema, table, recipe.args["path"]), column.type):
            yield _same(own, may_be_empty, _quoted(recipe.args["path"]))
        case "after" | "before":
            yield from _distance(column, recipe.name, recipe.args["path"], argument(recipe, "at_least"), argument(recipe, "within"))
            if recipe.name == "after" and column.type.kind != "date" and not is_moment(recipe.args.get("until", "now")):
                yield from _limit(column, recipe.args["path"], argument(recipe, "at_least"), recipe.args["until"])
        case "slot" if argument(recipe, "after") is not None:
            yield f"CAST({own} AS TIMESTAMP) >= CAST({_quoted(recipe.args['after'])} AS TIMESTAMP)"
        case "slot_end":
            yield f"CAST({own} AS TIMESTAMP) >= CAST({_quoted(recipe.args['of'])} AS TIMESTAMP)"


def _of_one_parent(schema: Schema, table: Table, column: Column) -> Iterator[str]:
    """That a row and the one that it references `within` another reference have the same parent."""
    key = table.foreign_key_of(column.name)
    if key is None or key.within is None or key.columns[0] != column.name:
        return
    own = table.foreign_key_of(key.within)
    theirs = next((f for f in schema.table(key.table).foreign_keys if own is not None and f.table == own.table), None)
    if own is None or theirs is None:
        return
    target = dict(zip(theirs.target, theirs.columns, strict=True))
    if set(target) == set(own.target):
        for mine, shared in zip(own.columns, own.target, strict=True):
            yield f"{_quoted(f'{column.name}.{target[shared]}')} = {_quoted(mine)}"


def _distance(column: Column, name: str, path: str, least: int, most: int) -> Iterator[str]:
    """How far a time lies from another; dates are rounded to the next day away from it, so only the nearer bound is sure."""
    own, other = (f"CAST({_quoted(c)} AS TIMESTAMP)" for c in (column.name, path))
    first, second = (other, own) if name == "after" else (own, other)
    yield f"{first} + INTERVAL '{least} microseconds' <= {second}"
    if column.type.kind != "date":
        yield f"{second} <= {first} + INTERVAL '{most} microseconds'"


def _limit(column: Column, path: str, least: int, until: str) -> Iterator[str]:
    """A time is no later than `until`, but for the least wait."""
    own, other, limit = (f"CAST({_quoted(c)} AS TIMESTAMP)" for c in (column.name, path, until))
    yield f"{own} <= greatest({limit}, {other} + INTERVAL '{least} microseconds') OR {limit} IS NULL"


def _same(own: str, may_be_empty: bool, value: str) -> str:
    same = f"{own} IS NOT DISTINCT FROM {value}"
    return f"{own} IS NULL OR {same}" if may_be_empty else same


def _kept(source: SqlType | None, target: SqlType) -> bool:
    """Whether values of `source` are the same values in a column of type `target`."""
    if source is None:
        return False
    if source.kind in _EXACT and target.kind in _EXACT:
        return target.decimals >= source.decimals
    if source.kind in _WORDS and target.kind in _WORDS:
        return target.length is None or (source.length or 2**31) <= target.length
    if source.kind in MOMENTS and target.kind in MOMENTS:
        return target.kind != "date" or source.kind == "date"
    return source == target and target.kind != "interval"


def _child_type(schema: Schema, path: str) -> SqlType | None:
    able = [t for t in schema.tables if path.startswith(t.name + ".") and t.has(path[len(t.name) + 1 :])]
    return able[0].column(path[len(able[0].name) + 1 :]).type if able else None


def _path_type(schema: Schema, table: Table, path: str) -> SqlType | None:
    try:
        return follow(schema, table, path).column.type
    except NoSuchPath:
        return None


def _quoted(path: str) -> str:
    """A whole path as one SQL identifier, as rules read it whatever its names contain."""
    return '"' + path.replace('"', '""') + '"'
