"""What scenarios must satisfy beyond their grammar: rows that lead to subjects, columns that may change, no sign that tells.

Each rule is one function from a scenario in its schema to problems; they run in the order of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from schemas.errors import Mark, Problem
from schemas.impossible_conditions import why_impossible
from schemas.model import Column, Recipe, Schema, Table
from schemas.recipe_rules import Placed, placed_problems
from schemas.scenarios import Change, Scenario, leading_to, with_episode
from schemas.types import SqlType
from schemas.yaml_nodes import MAX_NAME

_TRUTH = SqlType("boolean")
_MOMENT = SqlType("timestamptz")

_TOLD_FROM = {"entered": "was entered", "slot_end": "ends"}
_WIDE = ("sequence", "uuid4", "uuid7")
_DRAWN = ("internet.token", "internet.hash", "pattern", "uniform", "choice", "between", "template")

Rule = Callable[[Schema, Scenario], Iterator[Problem]]


def scenario_problems(schema: Schema, scenario: Scenario, broken: Collection[tuple[str, ...]] = ()) -> Iterator[Problem]:
    """Yield every problem of a scenario whose grammar is right."""
    for rule in RULES:
        yield from rule(schema, scenario)
    yield from _recipes(schema, scenario, broken)


def shares_leave_room(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    if scenario.near_miss and not scenario.near:
        yield Problem(f"scenario '{scenario.name}' has a near_miss, and no `near:` that says what near misses look like", scenario.at)
    if (scenario.share or 0) + scenario.near_miss > 1:
        yield Problem(f"scenario '{scenario.name}': share and near_miss sum to more than 1", scenario.at)


def labelled_rows_have_keys(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    for name in dict.fromkeys([scenario.subjects, *(c.table for c in scenario.all_changes())]):
        table = schema.table(name)
        if not table.key:
            yield Problem(f"scenario '{scenario.name}': table '{name}' has no key, so no label could point at its rows", scenario.at)
    label = label_table_name(scenario)
    if len(label.encode()) > MAX_NAME:
        yield Problem(
            f"the name of scenario '{scenario.name}' is too long: its labels stand in '{label}', and databases keep {MAX_NAME} bytes",
            scenario.at,
        )
    if schema.has(label):
        yield Problem(f"scenario '{scenario.name}' is labelled in a table '{label}', and the schema has one of that name", scenario.at)


def label_table_name(scenario: Scenario) -> str:
    """The name of the side table that holds the labels of a scenario."""
    return f"{scenario.name}_labels"


def rows_lead_to_subjects(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    for change in scenario.all_changes():
        start = change.table if not change.adds else change.per or scenario.subjects
        if not change.fresh and leading_to(schema, start, scenario.subjects) is None:
            yield Problem(
                f"rows of '{start}' do not lead to '{scenario.subjects}' along references, so they belong to no subject", change.at
            )
            continue
        if not change.adds:
            continue
        parent = schema.table(change.table).rows.per
        if parent is not None and leading_to(schema, start, parent) is None:
            yield Problem(
                f"rows of '{change.table}' need a row of '{parent}', and '{start}' does not lead to one; say `per: {parent}`", change.at
            )
        if change.fresh and (change.where is not None or change.pick is not None):
            yield Problem("where and pick choose among rows that are there; `per: new` means all rows that were added", change.at)


def fresh_parents_are_added(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    for _, changes in scenario.parts():
        added: set[str] = set()
        for change in changes:
            if change.fresh and change.per not in added:
                yield Problem(f"`per: new {change.per}` needs an `add:` of '{change.per}' above it in the same part", change.at)
            if change.adds:
                added.add(change.table)


def set_columns_may_change(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    for change in scenario.all_changes():
        table = schema.table(change.table)
        for name, recipe in change.columns.items():
            column = table.column(name)
            reason = _fixed(table, column)
            if reason is not None:
                yield Problem(f"column '{name}' of '{table.name}' {reason}, so a scenario cannot set it", _place(change, name))
            if change.adds and recipe.name == "slot":
                yield Problem(f"an added row has no slot among those of its parent; give '{name}' another time", _place(change, name))
            for generator, says in _TOLD_FROM.items():
                for other in _made_of(table, generator, name):
                    if other not in change.columns:
                        yield Problem(
                            f"column '{other}' of '{table.name}' says when '{name}' {says}; set it together with '{name}'",
                            _place(change, name),
                        )


def _fixed(table: Table, column: Column) -> str | None:
    if column.computed is not None:
        return "is computed by the database"
    if any(column.name in f.columns for f in table.foreign_keys):
        return "is a reference"
    if any(column.name in columns for columns in table.unique_sets()):
        return "is part of a key or unique"
    return None


def _made_of(table: Table, generator: str, column: str) -> list[str]:
    """The stored columns that a generator makes of what `column` tells beyond its values."""
    recipes = {c.name: c.generate for c in table.stored_columns}
    return [n for n, recipe in recipes.items() if recipe is not None and recipe.name == generator and recipe.args.get("of") == column]


def added_rows_cannot_be_told(schema: Schema, scenario: Scenario) -> Iterator[Problem]:
    """No value of an added row may give away that it was added, or clash with that of another row."""
    for change in scenario.all_changes():
        if not change.adds:
            continue
        table = schema.table(change.table)
        for column in table.columns:
            if column.name in change.columns or column.generate is None:
                continue
            reason = telling(column.generate) or _taking_room(column.generate)
            if reason is not None:
                yield Problem(f"rows cannot be added to '{table.name}': its column '{column.name}' {reason}", change.at)
        for key in table.foreign_keys:
            if key.acyclic:
                yield Problem(
                    f"rows cannot be added to '{table.name}': its reference {', '.join(key.columns)} is acyclic, by the order of rows",
                    change.at,
                )
            beside = key.other_than or key.greater_than
            if beside is not None and key.table == (change.per or scenario.subjects) != table.name:
                own = ", ".join(key.columns)
                alike = (
                    f"its references {beside} and {own} would both name that row, and are to differ"
                    if table.has(beside)
                    else f"its reference {own} would name that row, which nothing keeps from being the one that '{beside}' leads to"
                )
                yield Problem(f"rows cannot be added to '{table.name}' per row of '{key.table}': {alike}", change.at)
        for columns in table.unique_sets():
            if not any(_never_repeats(table, c, columns) for c in columns):
                yield Problem(
                    f"rows cannot be added to '{table.name}': nothing keeps ({', '.join(columns)}) unique without telling the added rows; "
                    "a sequence with gaps, an ordinal, a uuid, a token or a pattern would",
                    change.at,
                )


def telling(recipe: Recipe) -> str | None:
    """Why values of a recipe would give an added row away; None where they do not."""
    if recipe.name == "sequence" and recipe.args.get("gaps", 1) == 1:
        return (
            "counts without gaps, so added rows would be known by their numbers; give its sequence `gaps:`, such as {sequence: {gaps: 8}}"
        )
    if recipe.name == "uuid7" and recipe.args.get("at") is None:
        return "tells the row number by its time; give its uuid7 a time column"
    if "{row" in repr(recipe.args) and recipe.name in ("template", "grammar", "json"):
        return "holds {row}, the row number, by which added rows would be known; use a sequence with `gaps:` instead"
    return None


def _taking_room(recipe: Recipe) -> str | None:
    """Why an added row would be in the way of others; None where it is not."""
    if recipe.name == "slot":
        return "takes up slots of its parent one after the other, and an added row has none among them; set it"
    return None


def _never_repeats(table: Table, name: str, columns: tuple[str, ...]) -> bool:
    recipe = table.column(name).generate
    if recipe is None or any(name in f.columns for f in table.foreign_keys):
        return False
    if columns == (name,):
        return recipe.name in (*_WIDE, *_DRAWN)
    if recipe.name in _WIDE:
        return True
    family = [f for f in table.foreign_keys if f.table == table.rows.per]
    return recipe.name == "ordinal" and any(set(f.columns) <= set(columns) for f in family)


def _place(change: Change, column: str) -> Mark | None:
    return change.columns[column].at or change.at


def _recipes(schema: Schema, scenario: Scenario, broken: Collection[tuple[str, ...]]) -> Iterator[Problem]:
    subjects = schema.table(scenario.subjects)
    yield from placed_problems(Placed(schema, subjects, None, scenario.moment, _MOMENT, broken))
    if scenario.where is not None:
        yield from _condition(schema, subjects, scenario.where, scenario.at, broken)
    for change in scenario.all_changes():
        table = schema.table(change.table)
        if change.where is not None:
            asked = table if not change.adds else schema.table(change.per or scenario.subjects)
            yield from _condition(schema, with_episode(asked, was=False), change.where, change.at, broken)
        if isinstance(change.count, Recipe):
            yield from placed_problems(Placed(schema, table, None, change.count, SqlType("bigint"), broken))
        seen = with_episode(table, was=not change.adds)
        for name, recipe in change.columns.items():
            yield from placed_problems(Placed(schema, seen, table.column(name), recipe, table.column(name).type, broken))


def _condition(schema: Schema, table: Table, sql: str, at: Mark | None, broken: Collection[tuple[str, ...]]) -> Iterator[Problem]:
    yield from placed_problems(Placed(schema, table, None, Recipe("expression", {"sql": sql}, at), _TRUTH, broken))
    why = None if broken else why_impossible(schema, table, sql, planted=False)
    if why is not None:
        yield Problem(f"where: {why}", at)


RULES: tuple[Rule, ...] = (
    shares_leave_room,
    labelled_rows_have_keys,
    rows_lead_to_subjects,
    fresh_parents_are_added,
    set_columns_may_change,
    added_rows_cannot_be_told,
)
