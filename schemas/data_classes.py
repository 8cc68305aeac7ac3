"""The data class of a column that states none: that of its generator, or of the column whose values it repeats.

A column of paths to files that are drawn (`media.*`) has the class of what is drawn in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from schemas.model import DATA_CLASSES, Column, Recipe, Schema, Table
from schemas.paths import NoSuchPath, follow
from schemas.recipes import BY_NAME

Place = tuple[str, str]


def stated_classes(schema: Schema) -> set[Place]:
    """Return the columns that must state their class, since they would inherit another."""
    actual = {(t.name, c.name): c.data_class for t in schema.tables for c in t.columns}
    origins = {place for place in actual if _source(schema, place) is None and not _case_sources(schema, place)}
    stated = {p for p in origins if _own_class(schema.table(p[0]).column(p[1])) != actual[p]}
    while True:
        inherited = with_inherited_classes(schema, stated)
        wrong = {(t.name, c.name) for t in inherited.tables for c in t.columns if c.data_class != actual[t.name, c.name]}
        if not wrong:
            return stated
        stated |= wrong


def with_inherited_classes(schema: Schema, stated: Collection[Place]) -> Schema:
    """Return `schema` with the data class of every column that is not among `stated`."""
    found: dict[Place, str] = {}

    def find(place: Place, above: tuple[Place, ...]) -> str:
        if place in found:
            return found[place]
        column = schema.table(place[0]).column(place[1])
        source = _source(schema, place)
        if place in stated:
            result = column.data_class
        elif source is None:
            others = [find(other, (*above, place)) for other in _case_sources(schema, place) if other not in (*above, place)]
            result = max((_own_class(column), *others), key=DATA_CLASSES.index)
        elif source in (*above, place):
            return "internal"
        else:
            result = find(source, (*above, place))
        found[place] = result
        return result

    return replace(
        schema,
        tables=tuple(
            replace(t, columns=tuple(replace(c, data_class=find((t.name, c.name), ())) for c in t.columns)) for t in schema.tables
        ),
    )


def _own_class(column: Column) -> str:
    return "internal" if column.generate is None else _class_of(column.generate)


def _class_of(recipe: Recipe) -> str:
    """The class of a generator; of `cases` the strictest among them."""
    if recipe.name != "cases":
        return BY_NAME[recipe.name].data_class
    inner = [*recipe.args["cases"].values(), recipe.args.get("else")]
    return max(("internal", *(_class_of(r) for r in inner if isinstance(r, Recipe))), key=DATA_CLASSES.index)


def _case_sources(schema: Schema, place: Place) -> list[Place]:
    """The columns whose values a column of `cases` repeats in some of them."""
    table = schema.table(place[0])
    waiting, found = [table.column(place[1]).generate], []
    while waiting:
        recipe = waiting.pop()
        if recipe is not None and recipe.name.startswith("media."):
            found += [end for path in _drawn(recipe) if (end := _end(schema, table, path)) is not None]
        if recipe is not None and recipe.name == "cases":
            waiting += [r for r in (*recipe.args["cases"].values(), recipe.args.get("else")) if isinstance(r, Recipe)]
        elif recipe is not None and recipe.name == "from" and recipe is not table.column(place[1]).generate:
            end = _end(schema, table, str(recipe.args["path"]))
            found += [] if end is None else [end]
    return found


def _drawn(recipe: Recipe) -> Iterator[str]:
    """What may be paths in a recipe of `media.*`: `of`, and the names in the braces of templates."""
    for name, value in recipe.args.items():
        for text in value if isinstance(value, tuple) else (value,):
            yield from (str(text),) if name == "of" else re.findall(r"\{([^{}:]+)", str(text))


def _end(schema: Schema, table: Table, path: str) -> Place | None:
    try:
        found = follow(schema, table, path.strip())
    except NoSuchPath:
        return None
    return found.table.name, found.column.name


def _source(schema: Schema, place: Place) -> Place | None:
    """The column whose values a column repeats: by `from`, or by a reference."""
    table = schema.table(place[0])
    column = table.column(place[1])
    if column.generate is not None:
        if column.generate.name != "from":
            return None
        return _end(schema, table, str(column.generate.args["path"]))
    key = table.foreign_key_of(place[1])
    return None if key is None else (key.table, key.target[key.columns.index(place[1])])
