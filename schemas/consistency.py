"""What a schema must satisfy beyond its grammar: keys that can be referenced, references that fit, SQL that can be read.

Each rule is one function from a schema to problems; they run in the order of `RULES`, those about recipes after them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from schemas.correlation import correlation_problems
from schemas.errors import Mark, Problem, nearest
from schemas.impossible_conditions import why_impossible
from schemas.model import Column, Recipe, Schema, Table
from schemas.paths import NoSuchPath, follow, may_be_unread, references_are_read
from schemas.postgresql_functions import known_functions, unknown_functions
from schemas.ready_scenarios import no_such_scenario, ready_names
from schemas.recipe_rules import recipe_problems, states_of
from schemas.reference_rules import nulls_of_references_fit, reference_options_fit, references_fit
from schemas.rules import read_rule
from schemas.scenario_rules import scenario_problems
from schemas.scenarios import Scenario
from schemas.sql_expressions import NotAnExpression, columns_in, names_anchor, parse_expression
from schemas.subject import Subject
from schemas.types import INTEGERS, MOMENTS

_WORDS_OF_DEFAULTS = frozenset({"user", "current_role", "system_user"})  # which the parser takes for columns


Rule = Callable[[Subject], Iterator[Problem]]


def problems_of(schema: Schema, broken: Collection[tuple[str, ...]] = ()) -> Iterator[Problem]:
    """Yield every problem of a schema whose grammar is right.

    `broken` names parts that are known to be wrong, about which nothing more is said: (table,) and (table, column) tuples.
    """
    subject = Subject(schema, broken)
    for rule in RULES:
        yield from rule(subject)
    yield from recipe_problems(schema, broken)
    for scenario in schema.scenarios.values():
        if isinstance(scenario, Scenario):
            yield from scenario_problems(schema, scenario, broken)


def warnings_of(schema: Schema) -> Iterator[Problem]:
    """Yield what is allowed and yet may not be meant."""
    ready = ready_names(schema.name)
    for name, scenario in schema.scenarios.items():
        if not isinstance(scenario, Scenario) and name not in ready:
            yield Problem(f"{no_such_scenario(schema, name)}; it is kept, and no data can be made", schema.scenario_places.get(name))
    for table in schema.tables:
        per = table.rows.per
        if per is not None and not any(f.table == per for f in table.foreign_keys):
            key = schema.table(per).key
            example = f"; add a column such as {{references: {per}.{key[0]}}}" if len(key) == 1 else ""
            yield Problem(
                f"rows of '{table.name}' are counted per row of '{per}', and no column of '{table.name}' references '{per}',"
                f" so no row says to which it belongs{example}",
                table.rows.at,
            )
        for column in table.columns:
            if column.generate is not None and column.generate.name == "states":
                yield from _states_without_a_way(column.generate)
        for what, sql, at in _given_to_databases(table):
            for name in unknown_functions(sql):
                hint = nearest(name.lower(), sorted(known_functions()))
                yield Problem(f"{what}: PostgreSQL has no function '{name}' without an extension, and would refuse the load{hint}", at)
        for column in table.columns:
            if column.computed is not None:
                yield from _refused_by_postgresql(table, column)


def _refused_by_postgresql(table: Table, column: Column) -> Iterator[Problem]:
    from schemas.computed_columns import refusals

    for reason in refusals(table, column):
        yield Problem(f"computed: PostgreSQL would refuse the load: {reason}", column.place_of("computed"))


def _given_to_databases(table: Table) -> Iterator[tuple[str, str, Mark | None]]:
    """The SQL of a table that databases are given, and what and where it is."""
    yield from (("check", check.sql, check.at) for check in table.checks)
    for column in table.columns:
        for what, sql in (("computed", column.computed), ("default", column.default)):
            if sql is not None:
                yield what, sql, column.place_of(what)


def _states_without_a_way(recipe: Recipe) -> Iterator[Problem]:
    """A state that no chain of moves reaches from the first is most often a name with a slip in it."""
    machine = recipe.args["machine"]
    names = states_of(recipe)
    reached, found = [], [names[0]]
    while found:
        state = found.pop()
        reached.append(state)
        found += [s for s, chance in machine.get(state, {}).items() if chance and s not in (*reached, *found)]
    ends = [state for state in reached if state not in machine]
    for state in names:
        if state not in reached:
            yield Problem(
                f"no way leads from '{names[0]}' to '{state}', so no row gets there{nearest(state, ends)}", recipe.places.get("machine")
            )


def key_columns_fit(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for name in table.key:
            column = table.column(name)
            if column.nullable:
                yield Problem(f"column '{name}' is part of the key of '{table.name}', so it cannot have `null:`", column.place_of("null"))
            if column.type.kind == "json":
                yield Problem(f"column '{name}' is json, which cannot be part of a key", column.at)
            if column.computed is not None:
                yield Problem(f"column '{name}' is computed by the database and cannot be part of the key", column.place_of("computed"))


def columns_are_made_one_way(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for column in table.columns:
            if column.identity and column.type.kind not in INTEGERS and subject.sound(table.name, column.name):
                yield Problem(f"identity needs an integer column, and '{column.name}' is {column.type}", column.place_of("identity"))
            if column.identity and column.computed is None:
                yield from _numbered_alone(table, column)
            if column.computed is None:
                continue
            if column.generate is not None:
                yield Problem(
                    f"column '{column.name}' is computed by the database, so it takes no `generate:`", column.place_of("generate")
                )
            if column.default is not None or column.identity:
                at = column.place_of("identity" if column.default is None else "default")
                yield Problem(f"column '{column.name}' is computed by the database, so it takes no default or identity", at)
            if any(column.name in key.columns for key in table.foreign_keys):
                yield Problem(f"column '{column.name}' is computed by the database and cannot be a reference", column.place_of("computed"))


def _numbered_alone(table: Table, column: Column) -> Iterator[Problem]:
    """The database has a number for every row, and no other default beside it."""
    name = column.name
    if column.null is not None and name not in table.key:
        yield Problem(f"column '{name}' is numbered by the database, so it cannot have `null:`", column.place_of("null"))
    if column.default is not None:
        yield Problem(f"column '{name}' is numbered by the database, so it takes no default", column.place_of("default"))


def hidden_columns_serve_others(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        hidden = {c.name: c for c in table.columns if c.hidden}
        uses = [("the key", table.key), *(("a unique constraint", u.columns) for u in table.unique)]
        uses += [*(("an index", i.columns) for i in table.indexes), *(("a reference", f.columns) for f in table.foreign_keys)]
        for what, columns in uses:
            for name in columns:
                if name in hidden:
                    yield Problem(f"column '{name}' is hidden, so it cannot be part of {what}", hidden[name].at)
        for column in hidden.values():
            if column.computed is not None or column.default is not None or column.identity:
                first = "computed" if column.computed is not None else "default" if column.default is not None else "identity"
                yield Problem(f"column '{column.name}' is hidden, so it takes no computed, default or identity", column.place_of(first))
        if table.columns and not table.database_columns:
            yield Problem(f"table '{table.name}' has only hidden columns", table.at)


def lives_are_told_by_times(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for name in () if table.lives is None else (table.lives.begins, table.lives.ends):
            if name is None or not subject.sound(table.name, name):
                continue
            column = table.column(name)
            if column.type.kind not in MOMENTS or column.computed is not None:
                yield Problem(f"lives needs a date or time stamp that is generated, and '{name}' is {column.type}", table.lives.at)  # type: ignore[union-attr]
        for column in table.columns:
            if column.ever and (column.computed is not None or table.foreign_key_of(column.name) is not None):
                what = "a reference" if column.computed is None else "computed by the database"
                yield Problem(f"column '{column.name}' is {what}, so it cannot be `ever`", column.at)


def rows_have_parents(subject: Subject) -> Iterator[Problem]:
    graph = {t.name: {t.rows.per} if t.rows.per else set() for t in subject.schema.tables}
    for table in subject.tables:
        per = table.rows.per
        if per is not None and not subject.schema.has(per) and subject.sound(per):
            known = [t.name for t in subject.schema.tables if t is not table]
            yield Problem(f"rows per '{per[:60]}': there is no such table{nearest(per, known)}", table.rows.at)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        at = subject.schema.table(circle[0]).rows.at
        yield Problem(f"rows go in a circle, and no table of it begins: {' per '.join(reversed(circle))}", at)


def computed_columns_begin(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        if all(column.computed is None for column in table.columns):
            continue
        from schemas.computed_columns import circle_of

        circle = circle_of(table)
        if circle:
            at = table.column(circle[0]).place_of("computed")
            yield Problem(f"columns are computed in a circle, and none of it is known first: {' over '.join(circle)}", at)


def constraint_names_differ(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        named: list[tuple[str | None, Mark | None]] = [
            *((f.name, f.at) for f in table.foreign_keys), *((u.name, u.at) for u in table.unique),
            *((c.name, c.at) for c in table.checks), *((i.name, i.at) for i in table.indexes),
        ]  # fmt: skip
        seen: set[str] = set()
        for name, at in named:
            if name is not None and name.casefold() in seen:
                yield Problem(f"two constraints or indexes of '{table.name}' are named '{name}'", at)
            seen.add((name or "").casefold())


def expressions_are_sql(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        names = [c.name for c in table.database_columns]
        for check in table.checks:
            sound = subject.sound(table.name, *(c.name for c in table.columns))
            for message in check_problems(check.sql, table.database_columns) if sound else sql_problems(check.sql, names):
                yield Problem(f"check: {message}", check.at)
        for column in table.columns:
            if column.computed is not None:
                others = [name for name in names if name != column.name]
                for message in sql_problems(column.computed, others):
                    yield Problem(f"computed: {message}", column.place_of("computed"))
            if column.default is not None:
                for message in default_problems(column.default):
                    yield Problem(f"default: {message}", column.place_of("default"))


def check_problems(sql: str, columns: Sequence[Column]) -> Iterator[str]:
    """Yield what is wrong with a SQL expression (PostgreSQL's dialect) as a condition on a row of `columns`."""
    from schemas.conditions import why_no_condition

    found = list(sql_problems(sql, [c.name for c in columns]))
    fault = why_no_condition(sql, columns) if not found else None
    yield from found if fault is None else [fault]


def sql_problems(sql: str, columns: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with a SQL expression (PostgreSQL's dialect) over `columns`."""
    known = list(columns)
    exact, folded = set(known), {name.casefold() for name in known}

    def fault_of(dotted: str, quoted: bool) -> str | None:
        name = dotted.rpartition(".")[2]
        if {dotted, name} & exact or (not quoted and name.casefold() in folded):
            return None
        return f"there is no column '{name[:60]}'{nearest(name, known)}"

    return _faults(sql, fault_of)


def default_problems(sql: str) -> Iterator[str]:
    """Yield what is wrong with a SQL expression (PostgreSQL's dialect) as a default, which sees no column."""

    def fault_of(name: str, quoted: bool) -> str | None:
        if not quoted and name.casefold() in _WORDS_OF_DEFAULTS:
            return None
        return f"a default sees no column such as {name[:60]}; a text stands in quotes inside of those of YAML, such as \"'new'\""

    return _faults(sql, fault_of)


def _faults(sql: str, fault_of: Callable[[str, bool], str | None]) -> Iterator[str]:
    """What is wrong with a SQL expression, and what `fault_of` says of the columns in it (each as written, and whether in quotes)."""
    try:
        tree = parse_expression(sql)
    except NotAnExpression as error:
        yield str(error)
        return
    if names_anchor(tree):
        yield "anchor() is for rules and the recipes of columns; a database does not know the data's now"
    for name, quoted in columns_in(tree):
        if (fault := fault_of(name, quoted)) is not None:
            yield fault


def correlations_are_possible(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for correlation in table.correlate:
            if not _ends_are_sound(subject, table, correlation.columns):
                continue
            for message in correlation_problems(subject.schema, table, correlation):
                yield Problem(message, correlation.at)


def _ends_are_sound(subject: Subject, table: Table, paths: Iterable[str]) -> bool:
    """Whether all that can be said of the columns at the ends of paths is theirs, and comes of no other problem."""
    if not subject.broken:
        return True
    for path in paths:
        if not table.has(path) and not references_are_read(subject.schema, table, subject.broken):
            return False
        try:
            found = follow(subject.schema, table, path)
        except NoSuchPath:
            continue
        if not subject.sound(found.table.name, found.column.name, "*correlate"):
            return False
    return True


def rules_can_be_held(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        for rule in table.rules:
            try:
                read_rule(subject.schema, table, rule.sql)
            except NotAnExpression as error:
                if _paths_are_read(subject, table, rule.sql):
                    yield Problem(f"rule: {error}", rule.at)


def _paths_are_read(subject: Subject, table: Table, sql: str) -> bool:
    """Whether the references by which the paths of a rule lead were read without problems, both there and back."""
    if not subject.broken:
        return True
    try:
        paths = [path for path, _ in columns_in(parse_expression(sql))]
    except NotAnExpression:
        return True
    read = references_are_read(subject.schema, table, subject.broken)
    return all(table.has(path) or (read and not may_be_unread(path, subject.broken)) for path in paths)


def conditions_are_possible(subject: Subject) -> Iterator[Problem]:
    """A check or rule that all rows would break is told before any is made."""
    for table in subject.tables:
        if table.rows.count == 0 or not subject.sound(table.name, *(c.name for c in table.columns)):
            continue
        for what, conditions in (("check", table.checks), ("rule", table.rules)):
            for condition in conditions:
                why = why_impossible(subject.schema, table, condition.sql)
                if why is not None:
                    yield Problem(f"{what}: {why}", condition.at)


def locales_follow_references(subject: Subject) -> Iterator[Problem]:
    for table in subject.tables:
        if isinstance(table.locale, str) and table.foreign_key_of(table.locale) is None and subject.sound(table.name, table.locale):
            yield Problem(f"locale: column '{table.locale}' is no reference, so there is no row whose locale could be followed", table.at)


def privacy_unit_identifies(subject: Subject) -> Iterator[Problem]:
    unit = subject.schema.privacy_unit
    if unit is None:
        return
    named = [(t, unit[len(t.name) + 1 :]) for t in subject.tables if unit.startswith(t.name + ".") and t.has(unit[len(t.name) + 1 :])]
    if named and not any(table.is_unique(column) for table, column in named):
        at = named[0][0].column(named[0][1]).at
        yield Problem(f"the privacy unit '{unit}' must be a key or unique, so that it tells one person from another", at)


RULES: tuple[Rule, ...] = (
    key_columns_fit,
    columns_are_made_one_way,
    hidden_columns_serve_others,
    lives_are_told_by_times,
    references_fit,
    reference_options_fit,
    nulls_of_references_fit,
    rows_have_parents,
    computed_columns_begin,
    constraint_names_differ,
    expressions_are_sql,
    correlations_are_possible,
    rules_can_be_held,
    conditions_are_possible,
    locales_follow_references,
    privacy_unit_identifies,
)
