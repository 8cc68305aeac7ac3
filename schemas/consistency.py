"""What a schema must satisfy beyond its grammar: keys that can be referenced, references that fit, SQL that can be read.

Each rule is one function from a schema to problems; they run in the order of `RULES`, those about recipes after them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from schemas.correlation import correlation_problems
from schemas.errors import Mark, Problem, nearest
from schemas.impossible_conditions import why_impossible
from schemas.model import Column, ForeignKey, Present, Recipe, Schema, Table
from schemas.paths import NoSuchPath, follow, may_be_unread, references_are_read
from schemas.postgresql_functions import known_functions, unknown_functions
from schemas.ready_scenarios import no_such_scenario, ready_names
from schemas.recipe_rules import recipe_problems, states_of
from schemas.recipes import MOMENTS
from schemas.rules import child_key, in_order_of_choice, read_rule
from schemas.scenario_rules import scenario_problems
from schemas.scenarios import Scenario
from schemas.sql_expressions import NotAnExpression, columns_in, names_anchor, parse_expression
from schemas.types import INTEGERS, TEXTS, SqlType

_WORDS_OF_DEFAULTS = frozenset({"user", "current_role", "system_user"})  # which the parser takes for columns


@dataclass(frozen=True)
class Subject:
    """A schema under examination, without the parts whose problems are known already."""

    schema: Schema
    broken: Collection[tuple[str, ...]] = ()

    def sound(self, table: str, *columns: str) -> bool:
        """Whether a table, and columns of it, were read without problems."""
        return (table,) not in self.broken and not any((table, column) in self.broken for column in columns)

    @property
    def tables(self) -> Iterator[Table]:
        return (table for table in self.schema.tables if self.sound(table.name))


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
    name = key.other_than or ""
    refused = {"depth": key.depth, "weight": key.weight, "present": key.present}
    for option in (option for option, value in refused.items() if value):
        yield Problem(f"{option} and other_than cannot stand together", key.at)
    if key.acyclic and not all(table.column(c).nullable for c in key.columns if table.has(c)):
        yield Problem(
            f"other_than: '{', '.join(key.columns)}' is acyclic, and the first rows find none before them; give it `null: 0`", key.at
        )
    if not table.has(name):
        yield Problem(f"other_than: table '{table.name}' has no column '{name}'{nearest(name, [c.name for c in table.columns])}", key.at)
    elif table.other_reference(key) is None and subject.sound(table.name, "*references"):
        listed = f"{key.table}({', '.join(key.target)})"
        yield Problem(f"other_than: '{name}' must be part of another reference of '{table.name}' to {listed}", key.at)


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
    constraint_names_differ,
    expressions_are_sql,
    correlations_are_possible,
    rules_can_be_held,
    conditions_are_possible,
    locales_follow_references,
    privacy_unit_identifies,
)
