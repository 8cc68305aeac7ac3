"""Hypothesis strategies: valid schemas with odd names, all kinds of columns, constraints and recipes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from schemas.data_classes import stated_classes, with_inherited_classes
from schemas.lives import beginning_of
from schemas.model import DATA_CLASSES, Check, Column, ForeignKey, Index, Lives, Recipe, Rows, Schema, Table, Unique
from schemas.privacy import Budget, ColumnPrivacy, Privacy
from schemas.privacy_values import BOUNDED, CLOSED, declared_value
from schemas.recipes import BY_NAME, DISTRIBUTIONS, GENERATORS, Generator
from schemas.scenarios import Change, Scenario
from schemas.types import FLOATS, MOMENTS, SqlType

ODD = ["null", "true", "no", "users", "id", "a.b", "b.c", "a", "x y", '"', "'", "{", "}", "[a]", "a(b)", "#", "a: b", "- a", "🎉", "ü", "<<", "1", "1.0",
       "now", "2026-01-01", "*a", "&a", "!t", "|", ">", "%", "@", "`", "a,b", " a", "a ", "\\", "select", "$x", "$number", "~", "?", "=", "key", "\u00a0x", "\ufeff"]  # fmt: skip
_letters = st.characters(exclude_categories=["Cs", "Cc"])
names = (st.sampled_from(ODD) | st.text(_letters, min_size=1, max_size=12)).filter(lambda n: bool(n.strip()) and len(n.encode()) <= 63)
table_names = names.filter(lambda n: all(part.strip() for part in n.split(".", 1)))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(ODD)
whole = st.integers(-(2**62), 2**62)
measures = st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: int(x) if x.is_integer() else x)
shares = st.floats(0, 1)
weights = st.integers(1, 1000) | st.floats(0.001, 1e6)
moments = st.sampled_from(["now", "-3y", "2w", "2020-02-29", "2024-05-06T07:08:09Z", "-1d12h", "2024-05-06 07:08"])
locales = st.sampled_from(["en_US", "de_DE", "ja_JP", "fr"])
mixes = st.dictionaries(locales, weights, min_size=1)
plain = st.recursive(
    st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(texts, inner | st.none(), max_size=3),
    max_leaves=5,
)


def unique_by_case(strategy: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(strategy, min_size=least, max_size=most, unique_by=str.casefold)


@st.composite
def types(draw: Any, enums: dict[str, tuple[str, ...]], arrays: bool = True) -> SqlType:
    kind = draw(st.sampled_from(["smallint", "integer", "bigint", "numeric", "real", "double", "text", "varchar", "char", "boolean", "date", "time",
                                 "timestamp", "timestamptz", "interval", "uuid", "json", "bytes", "enum", "named", "array"]))  # fmt: skip
    if kind == "numeric" and draw(st.booleans()):
        precision = draw(st.integers(1, 38))
        return SqlType("numeric", precision, draw(st.integers(0, precision)))
    if kind in ("varchar", "char"):
        return SqlType(kind, length=draw(st.integers(20, 50)))
    if kind == "enum" or (kind == "named" and not enums):
        return SqlType("enum", values=tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True))))
    if kind == "named":
        name = draw(st.sampled_from(sorted(enums)))
        return SqlType("enum", values=enums[name], name=name)
    if kind == "array":
        return SqlType("array", item=draw(types(enums, False))) if arrays else SqlType("bigint")
    return SqlType(kind)


def scalars(type: SqlType) -> st.SearchStrategy[Any]:
    match type.kind:
        case "smallint":
            return st.integers(-(2**15), 2**15 - 1)
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "bigint":
            return st.integers(-(2**63), 2**63 - 1)
        case "real" | "double":
            return measures
        case "numeric":
            return st.just("0.00")
        case "boolean":
            return st.booleans()
        case "date" | "timestamp" | "timestamptz":
            return st.sampled_from(["2020-02-29", "1999-12-31T23:59:59.5Z"])
        case "time":
            return st.sampled_from(["08:30", "23:59:59.25"])
        case "interval":
            return st.integers(-(10**15), 10**15)
        case "uuid":
            return st.uuids().map(str)
        case "enum":
            return st.sampled_from(type.values)
        case "json":
            return plain
        case "array":
            assert type.item is not None
            return st.lists(scalars(type.item), max_size=3)
        case "char" | "varchar":
            return st.sampled_from([o for o in ODD if len(o) <= 20])
    return texts


def keys_of_weights(type: SqlType) -> st.SearchStrategy[Any]:
    return texts if type.kind == "json" else scalars(type)


@st.composite
def arguments(draw: Any, kind: str, type: SqlType, columns: list[str]) -> Any:
    measure = st.integers(-(10**12), 10**12) if type.kind == "interval" else measures
    match kind:
        case "number" | "integer":
            return draw(st.integers(1, 10**6))
        case "text":
            return draw(texts)
        case "boolean":
            return draw(st.booleans())
        case "share":
            return draw(shares)
        case "duration":
            return draw(st.integers(1, 10**16))
        case "moment":
            return draw(moments)
        case "measure":
            return draw(st.integers(1, 10**6) if type.kind == "interval" else st.integers(1, 10**6) | st.floats(0.001, 1e3))
        case "range":
            return tuple(sorted([draw(measure), draw(measure)]))
        case "period":
            return ("08:30", "17:00") if type.kind == "time" else (draw(st.sampled_from(["-3y", "1900-02-03", "-90d"])), "now")
        case "path":
            return draw(st.sampled_from(columns))
        case "distribution":
            return draw(
                st.integers(0, 99) | st.just(Recipe("uniform", {"range": (1, 5)})) | st.just(Recipe("zipf", {"exponent": 1.5, "max": 9}))
            )
        case "span":
            return draw(st.integers(0, 10**12) | st.just(Recipe("exponential", {"mean": 3_600_000_000, "max": 86_400_000_000})))
        case "case":
            return Recipe("constant", {"value": draw(scalars(type))})
        case "cases":
            return draw(
                st.dictionaries(texts, scalars(type).map(lambda value: Recipe("constant", {"value": value})), min_size=1, max_size=3)
            )
        case "recipe":
            item = type.item or SqlType("json")
            return Recipe("choice", {"values": tuple((v, 1) for v in draw(st.lists(scalars(item), min_size=1, max_size=3)))})
        case "recipes":
            inner = st.sampled_from(
                [Recipe("internet.ipv4"), Recipe("uniform", {"range": (1, 5)}), Recipe("constant", {"value": {"a": [1, None]}})]
            )
            return draw(st.dictionaries(texts, inner, min_size=1, max_size=3))
        case "weights":
            if draw(st.booleans()):
                return tuple((v, 1) for v in draw(st.lists(scalars(type), min_size=1, max_size=4)))
            if type.kind == "array":
                return ((draw(scalars(type)), 1),)
            values = draw(st.lists(keys_of_weights(type), min_size=1, max_size=4, unique=True))
            return tuple((v, draw(weights)) for v in values)
        case "scalars":
            return tuple(draw(st.lists(scalars(type), min_size=1, max_size=3)))
        case "scalar":
            return draw(scalars(type))
        case "states":
            known = list(type.values) if type.kind == "enum" else ["draft", "open", "no", "a: b", "12"]
            first = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
            return {s: draw(st.dictionaries(st.sampled_from(known), st.floats(0, 0.2), max_size=3)) for s in first}
        case "dwell":
            return draw(st.integers(1, 10**13))
        case "rhythm":
            hours = st.tuples(*[st.integers(1, 9)] * 24)
            return draw(
                st.sampled_from(["office", "evening", "always"])
                | st.fixed_dictionaries({"hours": hours}, optional={"days": st.tuples(*[weights] * 7)})
            )
        case "season":
            return draw(st.sampled_from(["none", "office"]) | st.tuples(*[st.integers(1, 9) | st.floats(0.5, 9)] * 12))
        case "zone":
            return "Europe/Berlin"
        case "grammar":
            phrases = st.lists(texts, min_size=1, max_size=3).map(tuple)
            return {"start": draw(phrases), **draw(st.dictionaries(texts, phrases, max_size=2))}
        case "locale":
            return draw(locales | mixes)
        case "arguments":
            return draw(st.dictionaries(texts, plain, max_size=2))
    raise AssertionError(kind)


_SKIPPED = (
    "sum",
    "count",
    "earliest",
    "latest",
    "after",
    "before",
    "uuid7",
    "entered",
    "expression",
    "histogram",
    "slot",
    "slot_end",
    "cases",
)


def fitting(type: SqlType, unique: bool) -> list[Generator]:
    return [g for g in GENERATORS if type.kind in g.fits and g.name not in _SKIPPED and (g.unique or not unique)]


def _going_together(args: dict[str, Any], type: SqlType) -> dict[str, Any]:
    """The shapes of time among arguments of `between`, without those that exclude others."""
    left_out = {"yearly_growth", "season"} if "growth" in args or type.kind == "time" else set()
    if args.get("rhythm", "always") == "always" or type.kind not in ("timestamp", "timestamptz"):
        left_out.add("zone")
    if "yearly_growth" in args:
        args["yearly_growth"] = args["yearly_growth"] % 100 + 1
    return {name: value for name, value in args.items() if name not in left_out}


def _steps_that_fit(args: dict[str, Any], type: SqlType) -> dict[str, Any]:
    """Arguments of a distribution with a step that the type can count, of which a multiple lies in the range."""
    if "step" not in args:
        return args
    step = args["step"] if type.kind in FLOATS else int(args["step"]) + 1
    low, high = args.get("range", (None, None))
    return {**args, "step": step, **({} if low is None else {"range": (low, high + 2 * step)})}


@st.composite
def recipes(draw: Any, type: SqlType, columns: list[str], unique: bool = False) -> Recipe:
    spec = draw(st.sampled_from(fitting(type, unique)))
    args: dict[str, Any] = {}
    for parameter in spec.parameters:
        if parameter.name in ("start", "min", "max", "min_age", "max_age", "format") or spec.name in ("bytes",):
            continue
        if parameter.required or draw(st.integers(0, 2)) == 0:
            scalar_text = SqlType("text") if parameter.name == "domains" else type
            args[parameter.name] = draw(arguments(parameter.kind, scalar_text, columns))
    if spec.name == "between":
        args = _going_together(args, type)
    if "run" not in args and spec.name == "sequence":
        args.pop("skip", None)
    if spec in DISTRIBUTIONS:
        args = _steps_that_fit(args, type)
    if spec in DISTRIBUTIONS and spec.main != "range" and spec.name != "histogram" and type.kind != "interval" and draw(st.booleans()):
        args |= {"min": 0 if spec.name != "zipf" else 1, "max": 10**7}
    return Recipe(spec.name, args)


@st.composite
def columns(draw: Any, name: str, all_names: list[str], enums: dict[str, tuple[str, ...]], role: str) -> Column:
    """A column that is plain, part of a key (`key`), or unique (`unique`)."""
    if role == "plain":
        type = draw(types(enums))
        recipe = draw(recipes(type, all_names))
        null = draw(st.none() | shares)
    else:
        kind = draw(st.sampled_from(["bigint", "uuid", "text", "integer"]))
        type, null = SqlType(kind), None
        recipe = Recipe("sequence" if kind in ("bigint", "integer", "text") else "uuid4")
    semantic = recipe.name if BY_NAME[recipe.name].semantic else draw(st.none() | st.just("person.email"))
    identity = null is None and type.kind in ("bigint", "integer") and draw(st.booleans())
    default = None if identity else draw(st.none() | texts.map(_as_sql))
    return Column(
        name, type, null, identity, None, default, recipe,
        draw(st.sampled_from([BY_NAME[recipe.name].data_class, *DATA_CLASSES])), semantic, draw(st.none() | texts),
        ever=draw(st.integers(0, 4)) == 0,
    )  # fmt: skip


def _as_sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@st.composite
def tables(draw: Any, name: str, before: list[Table], enums: dict[str, tuple[str, ...]]) -> Table:
    column_names = draw(unique_by_case(names, 1, 6))
    keys = column_names[: draw(st.integers(0, 2))]
    unique = [c for c in column_names if c not in keys and draw(st.integers(0, 3)) == 0]
    made = {c: draw(columns(c, column_names, enums, "key" if c in keys else "unique" if c in unique else "plain")) for c in column_names}
    plain_names = [c for c in column_names if c not in keys and c not in unique]
    foreign_keys = []

    def is_chosen(columns: Any) -> bool:
        """Whether no generator of its own sets a column, so that options can say which row is referenced."""
        return all(made[c].generate is None for c in columns)

    own = Table(name, tuple(made.values()), Rows(1), tuple(keys), tuple(Unique((u,)) for u in unique))
    for parent in [*before, own]:
        for target in parent.unique_sets():
            free = [c for c in plain_names if not any(c in f.columns for f in foreign_keys)]
            if len(free) < len(target) or draw(st.booleans()):
                continue
            chosen = tuple(draw(st.permutations(free))[: len(target)])
            for column, other in zip(chosen, target, strict=True):
                type = parent.column(other).type
                made[column] = replace(made[column], type=type, generate=None, identity=False, semantic=None, ever=False)
                if draw(st.integers(0, 4)) == 0:
                    made[column] = replace(made[column], generate=draw(recipes(type, column_names)), semantic=None)
                    if BY_NAME[made[column].generate.name].semantic:
                        made[column] = replace(made[column], semantic=made[column].generate.name)
            acyclic = parent is own and is_chosen(chosen) and draw(st.booleans())
            foreign_keys.append(ForeignKey(chosen, parent.name, target, draw(st.none() | names), None, acyclic, None))
    if foreign_keys and is_chosen(foreign_keys[0].columns) and not foreign_keys[0].acyclic:
        foreign_keys[0] = replace(foreign_keys[0], skew=draw(st.none() | st.floats(0.1, 5)))
    if (
        len(foreign_keys) > 1
        and is_chosen(foreign_keys[1].columns)
        and foreign_keys[1].table == foreign_keys[0].table
        and foreign_keys[0].table != name
    ):
        parents = {t.name: t for t in before}
        if any(f.table == foreign_keys[0].table for f in parents[foreign_keys[0].table].foreign_keys):
            foreign_keys[1] = replace(foreign_keys[1], within=foreign_keys[0].columns[0])
    constraint_names = draw(
        unique_by_case(names.filter(lambda n: not any(n.casefold() == (f.name or "").casefold() for f in foreign_keys)), 4, 4)
    )
    some = draw(st.permutations(column_names))
    uniques = [Unique((u,)) for u in unique]
    if len(some) > 1 and draw(st.booleans()):
        uniques.insert(draw(st.integers(0, len(uniques))), Unique(tuple(some[:2]), draw(st.none() | st.just(constraint_names[0]))))
    quoted = '"' + some[0].replace('"', '""') + '"'
    checks = [Check(f"{quoted} IS NOT NULL", draw(st.none() | st.just(constraint_names[1]))), Check("1 > 0", constraint_names[2])]
    indexes = [Index(tuple(some[-2:]), draw(st.none() | st.just(constraint_names[3])), False)]
    if draw(st.booleans()) or len({(f.name or str(i)).casefold() for i, f in enumerate(foreign_keys)}) < len(foreign_keys):
        foreign_keys = [replace(f, name=None) for f in foreign_keys]
    parents_of = sorted({f.table for f in foreign_keys if f.table != name})
    count = Recipe("poisson", {"mean": 2.5, "max": 9})
    rows = draw(st.builds(Rows, st.integers(0, 10**12), st.booleans()))
    if parents_of and draw(st.booleans()):
        sums = draw(st.sampled_from([{}, {"total": draw(st.integers(0, 10**6))}, {"mean": draw(st.integers(0, 99) | st.floats(0.01, 50))}]))
        rows = Rows(per=parents_of[0], each=draw(st.sampled_from([3, 2.0, count, Recipe("expression", {"sql": "1 + 1"})])), **sums)
        foreign_keys = [replace(f, within=None, skew=None) if f.table == rows.per else f for f in foreign_keys]
    for foreign_key in foreign_keys:
        share = 0.0 if foreign_key.table == rows.per else next((made[c].null for c in foreign_key.columns if made[c].null), 0.0)
        if is_chosen(foreign_key.columns) and (share or any(made[c].null for c in foreign_key.columns)):
            made |= {c: replace(made[c], null=share) for c in foreign_key.columns}
    for column in [c for c in made.values() if c.null is None and c.generate is not None]:
        source = column.generate.args.get({"from": "path", "person.email": "domain"}.get(column.generate.name, ""))
        if source in made and made[source].null:
            made[column.name] = replace(column, null=0.0, identity=False)
    references = [c for f in foreign_keys for c in f.columns]
    locale = draw(st.none() | mixes | (st.sampled_from(references) if references else st.none()))
    times = [c for c, column in made.items() if column.type.kind in MOMENTS]
    lives = draw(st.none() | st.just(Lives()))
    if times and draw(st.booleans()):
        begins, ends = draw(st.none() | st.sampled_from(times)), draw(st.none() | st.sampled_from(times))
        lives = Lives(begins or beginning_of(made.values()), ends) if begins or ends else lives
    return Table(
        name, tuple(made.values()), rows, tuple(keys), tuple(uniques), tuple(foreign_keys),
        tuple(draw(st.permutations(checks))[: draw(st.integers(0, 2))]), tuple(indexes[: draw(st.integers(0, 1))]), draw(st.none() | texts), locale,
        rules=draw(st.sampled_from([(), (Check(f"{quoted} IS NOT NULL"),), (Check(f"{quoted} IS NOT NULL", constraint_names[1]),)])),
        lives=lives,
    )  # fmt: skip


@st.composite
def scenarios(draw: Any, made: list[Table]) -> dict[str, Scenario]:
    """None or one scenario, which sets a plain column of a table with a key anew."""
    able = [
        (t, c) for t in made for c in t.columns
        if t.key and c.generate is not None and not any(c.name in s for s in (*t.unique_sets(), *(f.columns for f in t.foreign_keys)))
    ]  # fmt: skip
    if not able or draw(st.booleans()):
        return {}
    table, column = draw(st.sampled_from(able))
    name = draw(names.filter(lambda n: len(n.encode()) < 57 and not any(t.name.casefold() == f"{n}_labels".casefold() for t in made)))
    change = Change(table.name, {column.name: column.generate}, None, draw(st.none() | st.integers(1, 9)), draw(st.none() | texts))
    share, near_miss = draw(st.none() | st.floats(0, 0.5)), draw(st.floats(0, 0.5))
    moment = Recipe("between", {"period": ("-9d", "now")})
    near = (change,) if near_miss or draw(st.booleans()) else ()
    return {name: Scenario(name, table.name, moment, (change,), near, share, near_miss, None, draw(st.none() | texts))}


@st.composite
def privacies(draw: Any, unit: str, made: list[Table]) -> Privacy:
    """What a schema may say of the privacy of its tables; whether its ways to the unit make sense is not asked."""
    some = draw(st.lists(st.sampled_from([t.name for t in made]), max_size=3, unique=True))
    through = {t.name: draw(st.sampled_from(t.columns)).name for t in made if t.name in some}
    declared: dict[str, ColumnPrivacy] = {}
    for path, kind in ((f"{t.name}.{c.name}", c.type) for t in made for c in t.columns):
        declared.pop(path, None)
        values = [x for x in _declarable(kind) if draw(st.booleans())]
        if kind.kind in BOUNDED and draw(st.booleans()):
            low, high = draw(st.sampled_from(_declarable(kind))), draw(st.sampled_from(_declarable(kind)))
            declared[path] = ColumnPrivacy((low, high) if declared_value(low, kind) <= declared_value(high, kind) else (high, low))
        elif kind.kind in CLOSED and values:
            declared[path] = ColumnPrivacy(values=tuple(values))
    epsilons, deltas = st.floats(1e-6, 1e6), st.sampled_from([0.0, 1e-9, 1e-6])
    own = draw(st.none() | epsilons)
    budget = Budget(draw(epsilons), draw(deltas), own, None if own is None else draw(deltas))
    contributions = {name: draw(st.integers(1, 10**12)) for name in some}
    return Privacy(unit, tuple(draw(st.permutations(some))), through, declared, contributions, draw(st.none() | st.integers(1, 99)),
                   draw(st.none() | st.just(budget)))  # fmt: skip


def _declarable(kind: SqlType) -> list[str]:
    """Texts for different values of a type, as far as it can be declared."""
    match kind.kind:
        case "smallint" | "integer" | "bigint":
            return ["-7", "0", "12_000"]
        case "numeric":
            return ["0"] if kind.decimals == (kind.precision or 38) else ["-1", "0", "7"]
        case "real" | "double":
            return ["-1e9", "0.125", "3"]
        case "boolean":
            return ["true", "false"]
        case "date":
            return ["0001-01-01", "2020-02-29", "9999-12-31"]
        case "timestamp":
            return ["2020-02-29", "2021-01-01 07:08", "2024-05-06T07:08:09.5"]
        case "timestamptz":
            return ["2020-02-29", "2021-01-01T07:08Z", "2024-05-06T07:08:09+02:00"]
        case "enum":
            return list(kind.values)
        case "text" | "varchar" | "char":
            return [t for t in ODD if t.strip()]
    return []


@st.composite
def schemas(draw: Any) -> Schema:
    """A valid schema of one to four tables."""
    known = ("text", "integer", "json", "char", "date", "time", "real")
    enum_names = draw(unique_by_case(names.filter(lambda n: n.casefold() not in known and not n.strip().endswith("]")), 0, 2))
    enums = {n: tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True))) for n in enum_names}
    made: list[Table] = []
    for name in draw(unique_by_case(table_names, 1, 4)):
        made.append(draw(tables(name, made, enums)))
    unit = draw(st.none() | st.sampled_from([f"{t.name}.{u[0]}" for t in made for u in t.unique_sets() if len(u) == 1] or [None]))
    privacy = None if unit is None else draw(st.just(Privacy(unit)) | privacies(unit, made))
    planted = draw(st.dictionaries(texts, shares, max_size=2)) | draw(scenarios(made))
    schema = Schema(
        draw(names), tuple(made), draw(st.integers(0, 2**63 - 1)), draw(st.integers(-(10**15), 10**15) | st.just(1_767_225_600_000_000)),
        draw(mixes), enums, privacy, planted, draw(st.none() | texts),
    )  # fmt: skip
    return with_inherited_classes(schema, stated_classes(schema))
