"""Proposes generators for the columns of a reflected table, and finds tables whose rows cannot be multiplied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal

from schemas.check_facts import ColumnFacts, TableFacts, facts_of
from schemas.ddl_names import FreeNames
from schemas.different_columns import choose_greater_rows, choose_other_rows
from schemas.either_or import either_or, one_of_two
from schemas.equal_columns import follow_leaders
from schemas.kept_checks import keeps
from schemas.model import Check, Column, ForeignKey, Index, Recipe, Unique
from schemas.null_checks import nulls_that_hold
from schemas.proposals import allows, propose
from schemas.text_forms import is_formed
from schemas.time_proposals import times_of_day
from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, SqlType
from schemas.wanted import SCALE, Wanted

Note = Callable[[tuple[str, ...], str], None]

_NOTHING = "nothing is proposed for the check ({}); if a build breaks it, change the generators of its columns"
_LATER = " + INTERVAL '30 minutes'"


@dataclass
class RawTable:
    """A table as the catalogue has it."""

    name: str
    schema: str | None
    table: str
    columns: list[Column] = field(default_factory=list)
    key: tuple[str, ...] = ()
    unique: list[Unique] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    comment: str | None = None
    rows: int = 0
    fixed: bool = False

    def unique_sets(self) -> list[tuple[str, ...]]:
        """Every set of columns whose values may not repeat."""
        found = [self.key, *(u.columns for u in self.unique), *(i.columns for i in self.indexes if i.unique)]
        return [s for s in dict.fromkeys(found) if s]


def has_counted_key(raw: RawTable) -> bool:
    """Whether the key of a table is proposed to count through its rows."""
    return len(raw.key) == 1 and _counts(raw, raw.key[0], facts_of([c.sql for c in raw.checks], [c.name for c in raw.columns]))


def propose_columns(raw: RawTable, note: Note, counted_keys: Collection[tuple[str, tuple[str, ...]]] = ()) -> dict[str, Recipe]:
    """Return a recipe for each column that no reference determines; what must be said goes to `note`.

    `counted_keys` are the tables, and their keys, that count through their rows.
    """
    raw.checks = [c for c in raw.checks if not _says_boolean(raw, c)]
    facts = facts_of([c.sql for c in raw.checks], [c.name for c in raw.columns])
    referenced = {c for key in raw.foreign_keys for c in key.columns}
    alone = {s[0] for s in raw.unique_sets() if len(s) == 1}
    leaders = follow_leaders(raw.columns, facts, referenced, {c for s in raw.unique_sets() for c in s} | alone)
    raw.columns = [replace(c, null=0.0) if c.null is not None and facts.of(c.name).present else c for c in raw.columns]
    choose_greater_rows(raw, facts, counted_keys)
    choose_other_rows(raw, facts)
    _follow_earlier_rows(raw, facts)
    held = _choose_nulls(raw, facts, note)
    sides, held_by_sides = _choose_sides(raw, facts, referenced | {c for s in raw.unique_sets() for c in s})
    for sql in (sql for sql in facts.unclear if sql not in held and sql not in held_by_sides):
        note((raw.name,), _NOTHING.format(sql))
    alone |= _made_alone_unique(raw, referenced, alone, facts)
    together = {c for s in raw.unique_sets() if len(s) > 1 for c in s}
    counted = _counted(raw, referenced, facts)
    recipes: dict[str, Recipe] = {}
    earlier: dict[str, SqlType] = {}
    for column in _in_order(raw, facts):
        wanted = Wanted(
            raw.name,
            column.name,
            column.type,
            raw.rows,
            column.name in alone,
            raw.key == (column.name,) or column.identity or column.name in counted,
            facts.of(column.name),
            earlier,
            column.name in together,
            column.semantic,
        )
        if column.name in referenced or column.computed is not None:
            made = Recipe("sequence", {}) if column.computed is None else Recipe("expression", {"sql": column.computed})
            for sql in () if keeps(wanted, made, facts) else wanted.facts.said:
                note((raw.name,), _NOTHING.format(sql))
            earlier[column.name] = column.type
            continue
        if column.name in leaders:
            recipes[column.name] = Recipe("from", {"path": leaders[column.name]})
            earlier[column.name] = column.type
            continue
        found = propose(wanted)
        recipe = _from_others(wanted, facts, recipes) or found.recipe
        for said in found.notes:
            note((raw.name, column.name), said)
        raw.fixed = raw.fixed or found.fixed
        for sql in () if keeps(wanted, recipe, facts) else wanted.facts.said:
            note((raw.name,), _NOTHING.format(sql))
        recipes[column.name] = one_of_two(*sides[column.name], recipe, column.type) if column.name in sides else recipe
        earlier[column.name] = column.type
    return recipes


def _choose_sides(raw: RawTable, facts: TableFacts, taken: set[str]) -> tuple[dict[str, tuple[str, str]], Collection[str]]:
    """For amounts of which checks let one be above 0, the hidden column that says which, and its value for each; and those checks."""
    able = {c.name.casefold(): c.name for c in raw.columns if _is_amount(c, facts) and c.name not in taken}
    pairs = either_or(facts.unclear, able)
    sides: dict[str, tuple[str, str]] = {}
    for one, other in pairs:
        which = FreeNames(c.name for c in raw.columns).take(f"is_{one}")
        sides |= {one: (which, "true"), other: (which, "false")}
        place = next(i for i, c in enumerate(raw.columns) if c.name in (one, other))
        raw.columns = [*raw.columns[:place], Column(which, SqlType("boolean"), hidden=True), *raw.columns[place:]]
        for name in (one, other):
            facts.of(name).low, facts.of(name).open_low = Decimal(0), True
    return sides, {sql for said in pairs.values() for sql in said}


def _is_amount(column: Column, facts: TableFacts) -> bool:
    """Whether a column can be 0, and anything above that its bounds leave."""
    found = facts.of(column.name)
    able = column.type.kind in (*INTEGERS, *FLOATS, "numeric") and column.computed is None and not column.identity
    above = found.high is None or found.high >= 1
    return able and above and found.values is None and found.equals is None and not found.after and allows(found, Decimal(0))


def _follow_earlier_rows(raw: RawTable, facts: TableFacts) -> None:
    """Of a key that counts, it is known to be above what acyclic references have of it: that of an earlier row."""
    for key in raw.foreign_keys:
        if key.acyclic and key.target == raw.key and _counts(raw, raw.key[0], facts):
            found = facts.of(raw.key[0])
            found.after = [(other, strict) for other, strict in found.after if other != key.columns[0]]


def _counts(raw: RawTable, name: str, facts: TableFacts) -> bool:
    column = next(c for c in raw.columns if c.name == name)
    referenced = any(name in key.columns for key in raw.foreign_keys)
    return column.type.kind in INTEGERS and column.computed is None and not referenced and facts.of(name).high is None


def _choose_nulls(raw: RawTable, facts: TableFacts, note: Note) -> Collection[str]:
    """Let columns be null in all rows or in none where checks ask which are null; return the checks that hold by that."""
    several = {c for key in raw.foreign_keys if len(key.columns) > 1 for c in key.columns}  # which are null together
    present = [c.name for c in raw.columns if not c.null]
    nulls = nulls_that_hold(facts.unclear, present, [c.name for c in raw.columns if c.null and c.name not in several])
    raw.columns = [replace(c, null=float(nulls.always[c.name])) if c.name in nulls.always else c for c in raw.columns]
    for name in (name for name, always in nulls.always.items() if always):
        note((raw.name, name), "null in all rows, by which a check holds that asks which columns are null")
    return nulls.held


def _in_order(raw: RawTable, facts: TableFacts) -> list[Column]:
    """Columns so that each comes after those it must follow."""
    waiting, ordered = list(raw.columns), list[Column]()
    names = {c.name for c in raw.columns}
    while waiting:
        placed = {c.name for c in ordered}
        ready = [c for c in waiting if all(o in placed or o not in names for o in _needed(facts.of(c.name)))] or waiting[:1]
        ordered += ready
        waiting = [c for c in waiting if c not in ready]
    return ordered


def _needed(facts: ColumnFacts) -> tuple[str, ...]:
    """The columns that must be made before one with these facts."""
    return (*facts.sources, *(other for other, _ in facts.after))


def _from_others(wanted: Wanted, facts: TableFacts, recipes: dict[str, Recipe]) -> Recipe | None:
    """A column that is the result of others, or a number or time of day that must be above another: that one and something on top."""
    if wanted.facts.equals is not None and not wanted.unique and set(wanted.facts.sources) <= set(wanted.others):
        return Recipe("expression", {"sql": wanted.facts.equals})
    after = wanted.facts.after
    is_time = wanted.type.kind == "time"
    able = is_time or wanted.type.kind in (*INTEGERS, *FLOATS, "numeric")
    if not after or not able or wanted.unique or wanted.facts.high is not None or not all(other in recipes for other, _ in after):
        return None
    if is_time and (is_formed(wanted.facts) or not all(_is_of_office_hours(recipes[other]) for other, _ in after)):
        return None
    others = ['"' + other.replace('"', '""') + '"' for other in dict.fromkeys(other for other, _ in after)]
    greatest = others[0] if len(others) == 1 else f"GREATEST({', '.join(others)})"
    if is_time:
        return Recipe("expression", {"sql": greatest + _LATER})
    return Recipe("expression", {"sql": f"{greatest} + {1 if any(strict for _, strict in after) else 0}"})


def _is_of_office_hours(recipe: Recipe) -> bool:
    """Whether a proposed time of day leaves room before midnight: one between the usual ones, or half an hour after such."""
    if recipe.name == "expression":
        return str(recipe.args["sql"]).endswith(_LATER)
    return recipe.name == "between" and recipe.args.get("period") == times_of_day(ColumnFacts())


def _made_alone_unique(raw: RawTable, referenced: set[str], alone: set[str], facts: TableFacts) -> set[str]:
    """For unique sets with no reference and nothing unique in them, the column that is made unique by itself, which is no computed one."""
    sets = raw.unique_sets()
    chosen: set[str] = set()
    types = {c.name: c.type for c in raw.columns if c.computed is None}
    for columns in (s for s in sets if len(s) > 1):
        free = [c for c in columns if c not in referenced]
        if not free or set(columns) & (alone | chosen):
            continue
        if set(columns) - set(free):
            continue
        able = [c for c in free if c in types and is_roomy(types[c], facts.of(c))]
        roomy = sorted(able, key=lambda c: (types[c].kind not in (*INTEGERS, "numeric", "uuid"), -(types[c].length or 10**6)))
        if roomy:
            chosen.add(roomy[0])
    return chosen


def _counted(raw: RawTable, referenced: set[str], facts: TableFacts) -> set[str]:
    """Whole numbers that make a unique set of theirs unique by counting, as its references are chosen for another set already."""
    sets = [set(s) for s in raw.unique_sets() if len(s) > 1]
    whole = [c for c in raw.columns if c.type.kind in INTEGERS and c.computed is None and c.name not in referenced]
    able = {c.name for c in whole if facts.of(c.name).high is None and raw.rows * SCALE <= INTEGER_RANGE[c.type.kind]}
    chosen: set[str] = set()
    for columns in sets:
        if not chosen & columns and any(other is not columns and other & columns & referenced for other in sets):
            chosen |= set(sorted(columns & able)[:1])
    return chosen


def is_roomy(type: SqlType, facts: ColumnFacts) -> bool:
    """Whether a column alone can hold many different values."""
    if facts.values is not None or type.kind in ("boolean", "enum", "real", "double", "date", "time", "json", "array"):
        return False
    return not (facts.low is not None and facts.high is not None and facts.high - facts.low < 10**6)


def fix_rows(tables: list[RawTable], recipes: dict[str, dict[str, Recipe]]) -> None:
    """Fix the rows of tables whose unique columns have too few values for ten times as many."""
    known, changed = {t.name: t for t in tables}, True
    while changed:
        changed = False
        for raw in tables:
            few = any(_combinations(s, raw, known, recipes[raw.name]) < raw.rows * SCALE for s in raw.unique_sets())
            if not raw.fixed and few:
                raw.fixed = changed = True


def _says_boolean(raw: RawTable, check: Check) -> bool:
    """Whether a check only says that a truth value is 0 or 1, as databases without a boolean type have it, and not which."""
    facts = facts_of([check.sql], [c.name for c in raw.columns])
    types = {c.name: c.type.kind for c in raw.columns}
    said = [types[name] == "boolean" and f.values is not None and set(f.values) == {0, 1} for name, f in facts.columns.items()]
    return bool(said) and all(said) and not facts.unclear and not facts.different


def _combinations(columns: tuple[str, ...], raw: RawTable, known: dict[str, RawTable], recipes: dict[str, Recipe]) -> float:
    """How many combinations a unique set of columns can have when other tables have grown as far as they may."""
    total, keys = 1.0, set()
    for column in columns:
        key = next((k for k in raw.foreign_keys if column in k.columns), None)
        if key is not None:
            if key.columns not in keys:
                keys.add(key.columns)
                total *= known[key.table].rows * (1 if known[key.table].fixed else SCALE) - (key.other_than is not None)
                total /= 1 if key.greater_than is None else 3  # of three rows on there are so many pairs
            continue
        recipe = recipes.get(column)
        if recipe is not None and recipe.name == "choice":
            total *= len(recipe.args["values"])
        elif recipe is not None and recipe.name == "uniform":
            total *= float(recipe.args["range"][1]) - float(recipe.args["range"][0]) + 1
        elif recipe is not None and recipe.name == "boolean":
            total *= 2
        else:
            return float("inf")
    return total
