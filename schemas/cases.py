"""The cases of `cases`: which values the deciding column can have, as far as its recipe and type tell."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.errors import nearest
from schemas.model import Recipe, Schema, Table
from schemas.paths import Found, follow
from schemas.types import INTEGERS, TEXTS, SqlType

DECIDING = (*TEXTS, "enum", *INTEGERS, "boolean")

_TRUTHS = {"true": True, "false": False}
_MOST_HOPS = 20


def case_value(text: str, type: SqlType) -> str | int | bool:
    """Return the value of a deciding column that a case writes; raises ValueError where the type has no such value."""
    if type.kind in INTEGERS:
        return int(text)
    if type.kind == "boolean":
        if text not in _TRUTHS:
            raise ValueError(text)
        return _TRUTHS[text]
    return text


def case_problems(schema: Schema, table: Table, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the cases of a recipe whose path leads somewhere, and the name of the place where it stands."""
    path = str(recipe.args["by"])
    found = follow(schema, table, path)
    type = found.column.type
    if type.kind not in DECIDING:
        yield f"cases: '{path}' is {type}, and only texts, enums, whole numbers and booleans tell cases apart", "by"
        return
    known = known_values(schema, found)
    values = set()
    for text in recipe.args["cases"]:
        try:
            value = case_value(text, type)
        except ValueError:
            yield f"cases: '{text[:60]}' is no value of '{path}', which is {type}", f"cases {text}"
            continue
        if value in values:
            yield f"cases: the value {value} has a case already", f"cases {text}"
        values.add(value)
        if known is not None and value not in known:
            hint = nearest(text, [str(v) for v in known]) or f"; it has {', '.join(_shown(v) for v in known[:12])}"
            yield f"cases: '{path}' never has the value '{text[:60]}'{hint}", f"cases {text}"
    if "else" in recipe.args:
        return
    missing = None if known is None else [_shown(v) for v in known if v not in values]
    if missing is None:
        yield f"cases: nobody can tell all values of '{path}', so `else:` is needed", ""
    elif missing:
        yield f"cases: no case for {', '.join(missing[:12])} of '{path}', so `else:` is needed", ""
    elif found.column.nullable or any(_nullable(schema, table, found, i) for i in range(len(found.hops))):
        yield f"cases: '{path}' can be null, so `else:` is needed", ""


def known_values(schema: Schema, found: Found) -> list[str | int | bool] | None:
    """Return the only values that a column can have, where its recipe or its type tells; None where they do not."""
    for _ in range(_MOST_HOPS):
        column, recipe = found.column, found.column.generate
        if recipe is None:
            key = found.table.foreign_key_of(column.name)
            if key is None:
                break
            target = schema.table(key.table)
            found = Found((), target, target.column(key.target[key.columns.index(column.name)]))
            continue
        listed = _listed(recipe)
        if listed is not None:
            return list(dict.fromkeys(listed))
        if recipe.name != "from":
            break
        found = follow(schema, found.table, str(recipe.args["path"]))
    kind = found.column.type.kind
    if kind == "enum":
        return list(found.column.type.values)
    return [True, False] if kind == "boolean" else None


def _listed(recipe: Recipe) -> list[str | int | bool] | None:
    match recipe.name:
        case "choice":
            return [value for value, weight in recipe.args["values"] if weight]
        case "list":
            return list(recipe.args["values"])
        case "constant":
            return [] if recipe.args["value"] is None else [recipe.args["value"]]
        case "states":
            machine = recipe.args["machine"]
            return [*machine, *(target for following in machine.values() for target in following)]
        case "cases":
            inner = [*recipe.args["cases"].values(), *([recipe.args["else"]] if "else" in recipe.args else [])]
            listed = [_listed(r) if isinstance(r, Recipe) else None for r in inner]
            return None if any(one is None for one in listed) else [value for one in listed for value in one or ()]
    return None


def _shown(value: str | int | bool) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)[:60]


def _nullable(schema: Schema, table: Table, found: Found, hop: int) -> bool:
    """Whether the reference at a place of the path can be null."""
    at = table if hop == 0 else schema.table(found.hops[hop - 1].table)
    return any(at.column(name).nullable for name in found.hops[hop].columns)
