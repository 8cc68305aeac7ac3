"""What schema documents look like, member by member; `schemas.document` writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from schemas.grammar import MOST_ROWS
from schemas.json_shapes import FLAG, TEXT, Misfit, Shape, anything, either, items, mapping, members, number, one_of, pairs, row
from schemas.model import DATA_CLASSES
from schemas.recipes import BY_NAME, SEASON_NAMES
from schemas.times import canonical_moment, is_moment, resolve_time_of_day
from schemas.types import KINDS

NUMBER = "$number"


def to_number(value: Any) -> Any:
    """Return the number that JSON data holds as a text, so that no reader rounds it; ValueError where it is none; all else as it is."""
    if not isinstance(value, Mapping) or value.keys() != {NUMBER}:
        return value
    text = value[NUMBER]
    if not isinstance(text, str):
        raise ValueError("no text")
    found = int(text) if text.lstrip("-").isdigit() else float(text)
    if not math.isfinite(found):
        raise ValueError("no number")
    return found


def _read(value: Any) -> Any:
    try:
        return to_number(value)
    except (ValueError, OverflowError):
        return None


def _plain(value: Any) -> None:
    """Whatever JSON holds, numbers among it."""
    if isinstance(value, list):
        items(_plain)(value)
    elif isinstance(value, Mapping):
        if value.keys() == {NUMBER}:
            _NUMBER(value)
        else:
            mapping(_plain)(value)


def _written(value: Any) -> None:
    """A number of 0 or more, as a text with all its digits."""
    try:
        if isinstance(value, str) and 0 <= float(value) < math.inf:
            return
    except ValueError:
        pass
    raise Misfit("the text of a number of 0 or more")


def _type(value: Any) -> None:
    _TYPE(value)
    if value["kind"] == "array" and "item" not in value:
        raise Misfit("there", "item")
    if value["kind"] == "enum" and "values" not in value:
        raise Misfit("there", "values")
    if value.get("scale", 0) > value.get("precision", value.get("scale", 0)):
        raise Misfit("no more than the precision", "scale")


def _recipe(value: Any) -> None:
    _check_recipe(value, counts=False)


def _count(value: Any) -> None:
    """How many rows a parent has: there, a case may be a number."""
    _made(value, counts=True)


def _made(value: Any, *, counts: bool = False) -> None:
    """A number, or a recipe that makes it."""
    if isinstance(value, Mapping) and "generator" in value:
        _check_recipe(value, counts=counts)
    elif type(_read(value)) not in (int, float):
        raise Misfit("a number or a generator")


def _check_recipe(value: Any, *, counts: bool) -> None:
    _RECIPE(value)
    try:
        _arguments_of(value["generator"], counts)(value.get("args", {}))
    except Misfit as misfit:
        raise misfit.within("args") from None


@cache
def _arguments_of(generator: str, counts: bool) -> Shape:
    kinds = {**_ARGUMENTS, "case": _count, "cases": pairs(_count, 1)} if counts else _ARGUMENTS
    parameters = BY_NAME[generator].parameters
    return members({p.name: kinds[p.kind] for p in parameters if p.required}, **{p.name: kinds[p.kind] for p in parameters})


def _moment(value: Any) -> None:
    """A moment, or a time of day, as `schemas.times` reads them."""
    TEXT(value)
    for read in (canonical_moment, resolve_time_of_day):
        with suppress(ValueError, OverflowError):
            read(value)
            return
    raise Misfit("a moment")


def _limit(value: Any) -> None:
    """A moment, or a path to a column."""
    TEXT(value)
    if is_moment(value):
        _moment(value)


def _scenario(value: Any) -> None:
    if isinstance(value, Mapping) and NUMBER not in value:
        _SCENARIO(value)
    else:
        _SHARE(value)


_NUMBER = number(read=_read)
_WHOLE = number(whole=True, read=_read)
_COUNT = number(0, MOST_ROWS, whole=True, read=_read)
_WEIGHT = number(0, read=_read)
_SHARE = number(0, 1)
_MIX = pairs(_WEIGHT, 1)
_NAMES, _SOME = items(TEXT), items(TEXT, 1)
_LENGTHS = pairs(_WHOLE, 1)

_TYPE = members(
    {"kind": one_of(KINDS)},
    precision=number(1, 38, whole=True), scale=number(0, 38, whole=True), length=number(1, whole=True), values=_SOME, name=TEXT, item=_type,
)  # fmt: skip
_RECIPE = members({"generator": one_of(BY_NAME, "a generator that this version knows")}, args=mapping(anything))
_ARGUMENTS: Mapping[str, Shape] = {
    "number": _NUMBER, "measure": _NUMBER, "integer": _WHOLE, "duration": _WHOLE, "share": _SHARE, "boolean": FLAG,
    "text": TEXT, "path": TEXT, "child": TEXT, "table": TEXT, "zone": TEXT, "moment": _moment, "limit": _limit,
    "range": row(_NUMBER, _NUMBER), "period": row(_moment, _moment), "numbers": items(_NUMBER, 1), "measures": items(_NUMBER, 1),
    "distribution": _made, "span": _made, "case": _recipe, "recipe": _recipe, "cases": pairs(_recipe, 1), "recipes": pairs(_recipe, 1),
    "weights": items(row(_plain, _WEIGHT), 1), "scalars": items(_plain, 1), "scalar": _plain, "arguments": mapping(_plain),
    "states": pairs(pairs(_SHARE), 1), "grammar": pairs(_SOME, 1),
    "dwell": either("a length of time, or a list of pairs of a state and one", (int, _WHOLE), (Mapping, _WHOLE), (list, _LENGTHS)),
    "locale": either("a locale, or a list of pairs of a locale and a weight", (str, TEXT), (list, _MIX)),
    "rhythm": either("a rhythm", (str, TEXT), (Mapping, members({}, days=items(_WEIGHT, 7, 7), hours=items(_WEIGHT, 24, 24)))),
    "season": either("a season, or a list of 12 weights", (str, one_of(SEASON_NAMES)), (list, items(_WEIGHT, 12, 12))),
}  # fmt: skip

_COLUMN = members(
    {"name": TEXT, "type": _type, "class": one_of(DATA_CLASSES)},
    null=_SHARE, identity=FLAG, computed=TEXT, default=TEXT, generate=_recipe, semantic=TEXT, comment=TEXT, hidden=FLAG, ever=FLAG,
)  # fmt: skip
_REFERENCE = members(
    {"columns": _SOME, "table": TEXT, "target": _SOME},
    name=TEXT, within=TEXT, acyclic=FLAG, skew=number(0), depth=_COUNT, weight=TEXT, other_than=TEXT, greater_than=TEXT,
    present=members({"at": TEXT}, **{"from": TEXT, "until": TEXT}),
)  # fmt: skip
_SQL = items(members({"sql": TEXT}, name=TEXT))
_TABLE = members(
    {
        "name": TEXT,
        "rows": members({}, count=_COUNT, fixed=FLAG, per=TEXT, each=_count, total=_COUNT, mean=_WEIGHT),
        "columns": items(_COLUMN),
    },
    key=_NAMES, comment=TEXT, checks=_SQL, rules=_SQL, foreign_keys=items(_REFERENCE), locale=_ARGUMENTS["locale"],
    unique=items(members({"columns": _SOME}, name=TEXT)), indexes=items(members({"columns": _SOME}, name=TEXT, unique=FLAG)),
    correlate=items(members({"columns": _SOME, "matrix": items(items(number(-1, 1), 1), 1)})),
    lives=members({}, **{"from": TEXT, "until": TEXT}),
)  # fmt: skip
_CHANGES = items(
    members(
        {"table": TEXT},
        columns=pairs(_recipe), where=TEXT, pick=number(1, whole=True), phase=TEXT, count=_made, per=TEXT, fresh=FLAG,
    )
)  # fmt: skip
_SCENARIO = members(
    {"subjects": TEXT, "at": _recipe, "changes": _CHANGES}, near=_CHANGES, share=_SHARE, near_miss=_SHARE, where=TEXT, comment=TEXT
)
_SPENT = either("the text of a number of 0 or more, or null", (str, _written), (type(None), anything))
_PRIVACY = members(
    {},
    public=_NAMES, through=pairs(TEXT), contributions=pairs(number(1, whole=True)), groups=number(1, whole=True),
    columns=pairs(members({}, bounds=row(TEXT, TEXT), values=_NAMES)), budget=row(_written, _written, _SPENT, _SPENT),
)  # fmt: skip
_SCHEMA = members(
    {"format": number(whole=True), "name": TEXT, "tables": items(_TABLE)},
    seed=number(0, whole=True, read=_read), anchor=_WHOLE, locale=_MIX, enums=pairs(_SOME), privacy_unit=TEXT, privacy=_PRIVACY,
    scenarios=pairs(_scenario), comment=TEXT,
)  # fmt: skip


def check_shape(document: Any) -> None:
    """Raise Misfit at the first place where a document is not what `to_document` writes."""
    _SCHEMA(document)
