"""A reflected schema: made of what the catalogues tell, and made again without what turns out to be impossible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from schemas.computed_uniques import unheld
from schemas.model import Check, Column, ForeignKey, Index, Recipe, Rows, Schema, Table, Unique
from schemas.recipes import BY_NAME
from schemas.table_proposals import RawTable, fix_rows, has_counted_key, propose_columns

Place = tuple[str, ...]
Part = ForeignKey | Unique | Index | Check | Column

_SEED = 42


@dataclass
class RawSchema:
    """A database as its catalogues have it, and notes for its places: () is the file, (table,) a table, (table, column) a column."""

    name: str
    tables: list[RawTable] = field(default_factory=list)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: dict[Place, list[str]] = field(default_factory=dict)

    def note(self, place: Place, text: str) -> None:
        """Say something at a place, once."""
        found, said = self.notes.setdefault(place, []), " ".join(text.split())
        if said not in found:
            found.append(said)

    def copy(self) -> RawSchema:
        """Another one whose tables and notes can be changed."""
        notes = {place: list(said) for place, said in self.notes.items()}
        return RawSchema(self.name, [replace(table) for table in self.tables], dict(self.enums), notes)


@dataclass(frozen=True)
class Loss:
    """A part of a table that is left out, and why."""

    table: str
    part: Part
    why: str


@dataclass(frozen=True)
class Reflection:
    """A schema with generators for its columns, notes for its places, and the `raw` schema of which it is made."""

    schema: Schema
    notes: Mapping[Place, list[str]]
    raw: RawSchema = field(repr=False, compare=False)

    def without(self, losses: Iterable[Loss]) -> Reflection:
        """Return the reflection of the database as if it did not have some parts, and notes that say why.

        A unique constraint over the columns of the key stands for the key; a unique index stays as a plain one; a column loses
        nothing but its nulls.
        """
        raw = self.raw.copy()
        for loss in losses:
            owner = next(t for t in raw.tables if t.name == loss.table)
            place, what = _drop(owner, loss.part)
            raw.note(place, f"{what}: {loss.why}")
        leave_out_unheld(raw)
        return reflection_of(raw)


def reflection_of(found: RawSchema) -> Reflection:
    """Keep the references that lead to keys, and propose a generator for every column."""
    raw = found.copy()
    keep_sound_references(raw)
    _make_referenced_values(raw)
    counted = [(t.name, t.key) for t in raw.tables if has_counted_key(t)]
    recipes = {t.name: propose_columns(t, raw.note, counted) for t in raw.tables}
    fix_rows(raw.tables, recipes)
    tables = tuple(_finished(t, recipes[t.name], raw) for t in raw.tables)
    return Reflection(Schema(raw.name, tables, seed=_SEED, enums=raw.enums, file=f"{raw.name}.yaml"), raw.notes, found)


def _make_referenced_values(raw: RawSchema) -> None:
    """Make no nulls in unique columns that columns which are NOT NULL reference: any row of theirs may be chosen."""
    known = {t.name: t for t in raw.tables}
    for table in raw.tables:
        needed = {c.name for c in table.columns if not c.nullable}
        for key in table.foreign_keys:
            targets = {there for here, there in zip(key.columns, key.target, strict=True) if here in needed}
            parent = known[key.table]
            parent.columns = [replace(c, null=0.0) if c.name in targets and c.nullable else c for c in parent.columns]


def leave_out_unheld(raw: RawSchema) -> None:
    """Leave out, with a note, that a computed column is unique where nothing makes it so."""
    for owner in raw.tables:
        for part in unheld(owner):
            place, what = _drop(owner, part)
            raw.note(place, f"{what}: {part.columns[0]} is computed, and nothing that it is computed of makes it unique")


def _drop(owner: RawTable, part: Part) -> tuple[Place, str]:
    """Take `part` out of its table; return where that is said, and the words for it."""
    place: Place = (owner.name,)
    match part:
        case ForeignKey():
            owner.foreign_keys = [
                k for k in owner.foreign_keys if (k.columns, k.table, k.target) != (part.columns, part.table, part.target)
            ]
            return place, f"the reference {ends_of(part)} is left out"
        case Unique():
            is_key = part.columns == owner.key
            owner.key = () if is_key else owner.key
            owner.unique = [u for u in owner.unique if u.columns != part.columns]
            return place, f"{'key' if is_key else 'unique'} ({', '.join(part.columns)}) is left out"
        case Index():
            owner.indexes = [replace(i, unique=False) if (i.columns, i.name) == (part.columns, part.name) else i for i in owner.indexes]
            return place, f"index {part.name or ''} ({', '.join(part.columns)}) is not taken as unique"
        case Check():
            owner.checks = [c for c in owner.checks if c.sql != part.sql]
            return place, f"check {part.sql} is left out"
        case Column():
            owner.columns = [replace(c, null=0.0) if c.name == part.name else c for c in owner.columns]
            return (owner.name, part.name), "no nulls are made"


def ends_of(key: ForeignKey) -> str:
    """The columns of a reference and where it leads."""
    return f"({', '.join(key.columns)}) to {key.table}" + (f"({', '.join(key.target)})" if key.target else "")


def keep_sound_references(raw: RawSchema) -> None:
    """Leave out, with a note, references that lead to no key; those of several columns come after those of one."""
    known = {t.name: t for t in raw.tables}
    for table in raw.tables:
        _keep_sound(table, known, raw)


def _keep_sound(table: RawTable, known: dict[str, RawTable], raw: RawSchema) -> None:
    kept: list[ForeignKey] = []
    for key in table.foreign_keys:
        fault = _fault_of(key, known.get(key.table), kept)
        if fault is not None:
            raw.note((table.name,), f"the reference {ends_of(key)} is left out: {fault}")
        elif any((k.columns, k.table, k.target) == (key.columns, key.table, key.target) for k in kept):
            raw.note((table.name,), f"a second reference {ends_of(key)} is left out")
        else:
            nullable = all(c.nullable for c in table.columns if c.name in key.columns)
            kept.append(replace(key, acyclic=key.table == table.name and nullable and len(key.columns) == 1))
    position = {c.name: i for i, c in enumerate(table.columns)}
    table.foreign_keys = sorted(kept, key=lambda k: (len(k.columns) > 1, position[k.columns[0]]))


def _fault_of(key: ForeignKey, parent: RawTable | None, kept: list[ForeignKey]) -> str | None:
    if parent is None:
        return "there is no such table"
    if frozenset(key.target) not in {frozenset(s) for s in parent.unique_sets()}:
        return "its target is no key"
    if len(key.columns) != len(key.target):
        return "it does not have as many columns as it references"
    another = next((k for k in kept if (k.columns, k.table) == (key.columns, key.table) and k.target != key.target), None)
    return None if another is None else f"the same columns reference {key.table}({', '.join(another.target)})"


def _finished(raw: RawTable, recipes: dict[str, Recipe], schema: RawSchema) -> Table:
    if raw.fixed:
        schema.note((raw.name,), "its rows do not scale: some unique column has too few values")
    columns = tuple(_finished_column(column, recipes.get(column.name)) for column in raw.columns)
    return Table(
        raw.name, columns, Rows(raw.rows, fixed=raw.fixed), raw.key, tuple(raw.unique), tuple(raw.foreign_keys), tuple(raw.checks),
        tuple(raw.indexes), raw.comment,
    )  # fmt: skip


def _finished_column(column: Column, recipe: Recipe | None) -> Column:
    if recipe is None:
        return column
    spec = BY_NAME[recipe.name]
    null = column.null
    if null is not None and null < 1 and recipe.name in ("after", "expression", "from"):
        null = 0.0
    semantic = recipe.name if spec.semantic else None
    return replace(column, generate=recipe, null=null, data_class=spec.data_class, semantic=semantic)
