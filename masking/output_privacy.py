"""What a schema's `privacy:` still says of the masked output."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from masking.policy.model import KEEP, REFERENCE, Policy
from schemas.errors import InputError, followed, nearest
from schemas.model import Column, Schema, Table
from schemas.privacy import ColumnPrivacy, Privacy
from schemas.privacy_values import declared_bounds, declared_values

_SAME_RANGE = (KEEP, "shuffle")  # what these give are values of the column


def require_named(schema: Schema, privacy: Privacy) -> None:
    """Raise InputError where `privacy`, which is from a file, names what is not in `schema`, that of the source."""
    tables = [t.name for t in schema.tables]
    columns = [f"{t.name}.{c.name}" for t in schema.tables for c in t.stored_columns]
    named = [("table", name, tables) for name in (*privacy.public, *privacy.through, *privacy.contributions)]
    named += [("column", path, columns) for path in (privacy.unit, *privacy.columns)]
    named += [("column", f"{table}.{column}", columns) for table, column in privacy.through.items() if table in tables]
    for what, name, known in named:
        if name not in known:
            mend = followed(nearest(name, known), "mend the schema's file")
            raise InputError(f"privacy: there is no {what} '{name}' in the source{mend}")


def output_privacy(
    said: Privacy,
    output: Schema,
    policy: Policy,
    *,
    recoded: Collection[str] = (),
    of_persons: Collection[str] = (),
    whole: Collection[str] | None = None,
) -> tuple[Privacy | None, tuple[str, ...]]:
    """Return what holds of `output`, the schema of the masked rows, of what is `said` of the source; and a line for all that does not.

    `policy` has the key's transformer in the place of references. `recoded` are the columns (table.column) that are made anonymous
    besides, `of_persons` those of which a value that is declared is a person's. `whole` are the tables of which a subset takes all
    rows, None where there is no subset: which rows of any other are there depends on what persons have, so that it is public no longer.

    The unit may be masked, since no transformer of a unique column makes one person of two, or two of one. Bounds and lists of values
    stay where the values of the output are those of the source, in whatever order.
    """
    unit = output.at(said.unit)
    if unit is None:
        return None, (f"privacy: all of it is left out with the unit {said.unit}",)
    if not unit[0].is_unique(unit[1].name):
        return None, (f"privacy: all of it is left out, since the unit {said.unit} is not unique there",)
    if "null" in _masks(policy, *unit):
        return None, (f"privacy: all of it is left out, since the unit {said.unit} becomes null",)
    lines: list[str] = []
    public = []
    for table in said.public:
        if not output.has(table):
            lines.append(f"privacy: the public table {table} is left out of the output")
        elif whole is not None and table not in whole:
            lines.append(f"privacy: {table} is public no longer, since which of its rows are in the subset depends on persons")
        else:
            public.append(table)
    belonging = _belonging(output, unit[0].name, public)
    through = {}
    for table, column in said.through.items():
        if table in belonging and any(column in k.columns and k.table in belonging for k in output.table(table).foreign_keys):
            through[table] = column
        else:
            lines.append(f"privacy: the way of {table} through {column} is left out, since it leads to {said.unit} no longer")
    contributions = {}
    for table, rows in said.contributions.items():
        if table in belonging:
            contributions[table] = rows
        else:
            lines.append(f"privacy: the contributions of {table} are left out, since its rows belong to no {said.unit} any longer")
    columns = {}
    for path, declared in said.columns.items():
        why = _why_not(path, declared, output, policy, recoded, of_persons)
        if why is None:
            columns[path] = declared
        else:
            lines.append(f"privacy: the {'bounds' if declared.bounds is not None else 'values'} of {path} are left out, since {why}")
    return replace(said, public=tuple(public), through=through, columns=columns, contributions=contributions), tuple(lines)


def _belonging(output: Schema, unit_table: str, public: Collection[str]) -> set[str]:
    """The tables whose rows may belong to a unit: those from which references lead to its table, public ones on no way."""
    found = {unit_table}
    others = [t for t in output.tables if t.name not in public]
    while more := {t.name for t in others if any(k.table in found for k in t.foreign_keys)} - found:
        found |= more
    return found


def _why_not(
    path: str, declared: ColumnPrivacy, output: Schema, policy: Policy, recoded: Collection[str], of_persons: Collection[str]
) -> str | None:
    at = output.at(path)
    if at is None:
        return "the column is"
    if path in of_persons:
        return "a value of a person stands in them"
    if path in recoded:
        return "anonymity recodes the column"
    other = [name for name in _masks(policy, *at) if name not in _SAME_RANGE]
    if other:
        return f"`{other[0]}` does not keep the column's range"
    return None if _fits(declared, at[1]) else f"they are none of its type in the source, {at[1].type}"


def _fits(declared: ColumnPrivacy, column: Column) -> bool:
    try:
        if declared.bounds is not None:
            declared_bounds(declared.bounds, column.type)
        if declared.values is not None:
            declared_values(declared.values, column.type)
    except ValueError:
        return False
    return True


def _masks(policy: Policy, table: Table, column: Column) -> Iterator[str]:
    treatment = policy.tables[table.name].columns[column.name]
    yield treatment.mask.name
    if treatment.otherwise is not None:
        yield treatment.otherwise.name
    if treatment.paths:
        yield "paths"
    if any(r.when is not None and r.table == table.name and column.name in r.columns for r in policy.references):
        yield REFERENCE
