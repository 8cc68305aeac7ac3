"""What references must satisfy: keys at their other end, types that compare, and options that leave a row to choose."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.errors import Problem, nearest
from schemas.model import ForeignKey, Present, Table
from schemas.paths import NoSuchPath, references_are_read, way_to_other
from schemas.rules import child_key, in_order_of_choice
from schemas.subject import Subject
from schemas.types import INTEGERS, MOMENTS, TEXTS, SqlType


def references_fit(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for key in table.foreign_keys:
            if not subject.sound(key.table):
                continue
            target = subject.schema.table(key.table)
            listed = f"{key.table}({', '.join(key.target)})"
            known = subject.sound(key.table, *key.target)
            if known and not any(set(key.target) == set(columns) for columns in target.unique_sets()):
                yield Problem(f"{listed} is neither a key nor unique, so it cannot be referenced; add it to `unique:` there", key.at)
            for own, other in zip(key.columns, key.target, strict=True):
                here, there = table.column(own).type, target.column(other).type
                sound = subject.sound(table.name, own) and subject.sound(key.table, other)
                if sound and not comparable(here, there):
                    yield Problem(f"column '{own}' is {here} and cannot reference '{key.table}.{other}', which is {there}", key.at)
                if target.column(other).computed is not None:
                    yield Problem(f"'{key.table}.{other}' is computed by the database and cannot be referenced", key.at)


def comparable(first: SqlType, second: SqlType) -> bool:
    """Whether databases let a foreign key go from one type to the other."""
    for family in ((*INTEGERS, "numeric"), TEXTS, ("real", "double"), ("timestamp", "timestamptz")):
        if first.kind in family and second.kind in family:
            return True
    if first.kind == "enum" and second.kind == "enum":
        return first.values == second.values and first.name == second.name
    return first.kind == second.kind


def reference_options_fit(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for key in table.foreign_keys:
            own = ", ".join(key.columns)
            yield from _choice(table, key)
            if key.acyclic and key.table != table.name:
                yield Problem(f"acyclic is for references of a table to itself, and '{own}' references '{key.table}'", key.at)
            if key.depth is not None and not key.acyclic:
                yield Problem(f"depth is for acyclic references; write acyclic: true beside it for '{own}'", key.at)
            if key.acyclic and key.skew is not None:
                yield Problem("acyclic and skew cannot stand together", key.at)
            if key.within is not None:
                yield from _within(subject, table, key)
            if key.weight is not None:
                yield from _weight(subject, table, key)
            if key.present is not None:
                yield from _present(subject, table, key, key.present)
            if key.other_than is not None:
                yield from _other_than(subject, table, key)
            if key.greater_than is not None:
                yield from _greater_than(subject, table, key)


def _choice(table: Table, key: ForeignKey) -> Iterator[Problem]:
    """Options say which row is chosen, and nothing is chosen where something else sets the columns."""
    if not key.options:
        return
    own = ", ".join(key.columns)
    if _is_per(table, key):
        yield Problem(f"{key.options[0]}: the rows of '{table.name}' come per row of '{key.table}', so '{own}' has no choice", key.at)
    elif any(table.has(c) and table.column(c).generate is not None for c in key.columns):
        yield Problem(f"{key.options[0]}: '{own}' has a generator of its own, so there is no choice", key.at)


def nulls_of_references_fit(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for key in _choosing_keys(table):
            names = [c for c in key.columns if c not in _set_before(table, key)]
            if not subject.sound(table.name, *names):
                continue
            shares = {name: table.column(name).null or 0 for name in names}
            nulls = next((name for name in names if shares[name] > 0), None)
            if nulls is None:
                continue
            if _is_per(table, key):
                per = f"each row of '{table.name}' comes per row of '{key.table}', which '{nulls}' names"
                what = f"null: {per}; leave it out, or give it `null: 0`"
                yield Problem(what, table.column(nulls).at)
            elif len(set(shares.values())) > 1:
                told = ", ".join(f"'{n}' {'is NOT NULL' if table.column(n).null is None else f'has {shares[n]:g}'}" for n in names)
                what = f"null: the columns of a reference are null together, so they need the same share; {told}"
                yield Problem(what, table.column(nulls).at)


def _choosing_keys(table: Table) -> list[ForeignKey]:
    """The references whose rows are chosen, in the order in which they are: no column has a generator of its own."""
    able = [f for f in table.foreign_keys if all(table.has(c) and table.column(c).generate is None for c in f.columns)]
    return sorted(in_order_of_choice(table, able), key=lambda f: not _is_per(table, f))


def _is_per(table: Table, key: ForeignKey) -> bool:
    return table.rows.per == key.table and child_key(table, key.table) == key


def _set_before(table: Table, key: ForeignKey) -> set[str]:
    """The columns that other references set before `key` is chosen."""
    keys = _choosing_keys(table)
    return {column for other in keys[: keys.index(key)] for column in other.columns}


def _present(subject: Subject, table: Table, key: ForeignKey, present: Present) -> Iterator[Problem]:
    own, parent = ", ".join(key.columns), next((t for t in subject.tables if t.name == key.table), None)
    other = "acyclic" if key.acyclic else "weight" if key.weight is not None else None
    if other is not None:
        yield Problem(f"present and {other} cannot stand together", key.at)
    for what, where, name in (("at", table, present.at), ("from", parent, present.begins), ("until", parent, present.ends)):
        if name is None or where is None or not subject.sound(where.name, name):
            continue
        if not where.has(name):
            yield Problem(
                f"{what} of present: table '{where.name}' has no column '{name}'{nearest(name, [c.name for c in where.columns])}", key.at
            )
            continue
        column = where.column(name)
        if column.type.kind not in MOMENTS or column.computed is not None:
            yield Problem(f"{what} of present: '{where.name}.{name}' must be a date or time stamp that is generated", key.at)
        elif what == "at" and column.nullable and not all(table.column(c).nullable for c in key.columns if table.has(c)):
            yield Problem(f"at of present: '{name}' may be null, and where it is so is '{own}'; give it `null: 0`", key.at)


def _weight(subject: Subject, table: Table, key: ForeignKey) -> Iterator[Problem]:
    own, parent = ", ".join(key.columns), next((t for t in subject.tables if t.name == key.table), None)
    if key.acyclic or key.skew is not None:
        yield Problem(f"weight and {'acyclic' if key.acyclic else 'skew'} cannot stand together", key.at)
    if key.table == table.name:
        yield Problem(f"weight is for references to another table, and '{own}' references its own", key.at)
    elif parent is not None and subject.sound(parent.name, key.weight or ""):
        if not parent.has(key.weight or ""):
            hint = nearest(key.weight or "", [c.name for c in parent.columns])
            yield Problem(f"weight: table '{parent.name}' has no column '{key.weight}'{hint}", key.at)
            return
        column = parent.column(key.weight or "")
        if column.type.kind not in (*INTEGERS, "numeric") or column.computed is not None:
            yield Problem(f"weight: '{parent.name}.{column.name}' must be a whole number or numeric that is generated", key.at)


def _within(subject: Subject, table: Table, key: ForeignKey) -> Iterator[Problem]:
    assert key.within is not None
    if not table.has(key.within):
        hint = nearest(key.within, [c.name for c in table.columns])
        yield Problem(f"within: table '{table.name}' has no column '{key.within}'{hint}", key.at)
        return
    others = [f for f in table.foreign_keys if key.within in f.columns and f.columns != key.columns]
    if not others:
        if subject.sound(table.name, "*references"):
            known = sorted({c for f in table.foreign_keys if f is not key for c in f.columns})
            hint = f"; references are {', '.join(known)}" if known else ""
            yield Problem(f"within: '{key.within}' must be part of another reference of '{table.name}'{hint}", key.at)
    elif subject.sound(key.table, "*references") and not any(_share_parent(subject, key, other) for other in others):
        parents = " or ".join(f"'{other.table}'" for other in others)
        yield Problem(f"within: '{key.table}' has no reference to {parents}, so its rows share none with those of '{table.name}'", key.at)


def _other_than(subject: Subject, table: Table, key: ForeignKey) -> Iterator[Problem]:
    for option in (option for option, value in (("depth", key.depth), ("weight", key.weight)) if value):
        yield Problem(f"{option} and other_than cannot stand together", key.at)
    if key.acyclic and not all(table.column(c).nullable for c in key.columns if table.has(c)):
        yield Problem(
            f"other_than: '{', '.join(key.columns)}' is acyclic, and the first rows find none before them; give it `null: 0`", key.at
        )
    if references_are_read(subject.schema, table, subject.broken):
        try:
            way_to_other(subject.schema, table, key)
        except NoSuchPath as error:
            yield Problem(f"other_than: {error}", key.at)


def _greater_than(subject: Subject, table: Table, key: ForeignKey) -> Iterator[Problem]:
    """The two are made together, so that nothing else may have a say in either."""
    name, lower = key.greater_than or "", table.other_reference(key)
    if not table.has(name):
        yield Problem(f"greater_than: table '{table.name}' has no column '{name}'{nearest(name, [c.name for c in table.columns])}", key.at)
        return
    if lower is None:
        if subject.sound(table.name, "*references"):
            listed = f"{key.table}({', '.join(key.target)})"
            yield Problem(f"greater_than: '{name}' must be part of another reference of '{table.name}' to {listed}", key.at)
        return
    for end in (key, lower):
        own = ", ".join(end.columns)
        for option in (o for o in end.options if o != "greater_than" or end is lower):
            yield Problem(f"{option} of '{own}' and greater_than cannot stand together", key.at)
        if len(end.columns) > 1 or [f for f in table.foreign_keys if f is not end and set(f.columns) & set(end.columns)]:
            yield Problem(f"greater_than is for columns that are one reference each, and '{own}' is not", key.at)
        if _is_per(table, end):
            yield Problem(f"greater_than: the rows of '{table.name}' come per row of '{end.table}', so '{own}' has no choice", key.at)
        elif end is lower and any(table.has(c) and table.column(c).generate is not None for c in end.columns):
            yield Problem(f"greater_than: '{own}' has a generator of its own, so there is no choice", key.at)
    if any(f.greater_than == name for f in table.foreign_keys if f is not key):
        yield Problem(f"greater_than: two references cannot both be greater than '{name}'", key.at)


def _share_parent(subject: Subject, key: ForeignKey, other: ForeignKey) -> bool:
    """Whether rows of the referenced table lead to the other reference's table, over any number of references."""
    seen, waiting = set(), [key.table]
    while waiting:
        name = waiting.pop()
        if name in seen or not subject.schema.has(name):
            continue
        seen.add(name)
        following = [f.table for f in subject.schema.table(name).foreign_keys]
        if other.table in following or not subject.sound(name, "*references"):
            return True
        waiting += following
    return False
