"""The names in schema documents: what they lead to must be in the document too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from schemas.json_shapes import Misfit, different

_Columns = Mapping[str, Collection[str]]


def check_names(document: Mapping[str, Any]) -> None:
    """Raise Misfit at the first name in a document of the right shape that leads nowhere, or is there twice."""
    tables: Iterable[Mapping[str, Any]] = document["tables"]
    columns = {table["name"]: {c["name"] for c in table["columns"]} for table in tables}
    try:
        different((table["name"] for table in tables), "name")
        for place, table in enumerate(tables):
            try:
                _check_table(table, columns)
            except Misfit as misfit:
                raise misfit.within(place) from None
    except Misfit as misfit:
        raise misfit.within("tables") from None
    _check_privacy(document, columns)
    for place, (_, scenario) in enumerate(document.get("scenarios", ())):
        if isinstance(scenario, Mapping) and "subjects" in scenario:
            try:
                _check_scenario(scenario, columns)
            except Misfit as misfit:
                raise misfit.within("scenarios", place, 1) from None


def _check_table(table: Mapping[str, Any], columns: _Columns) -> None:
    own = columns[table["name"]]
    try:
        different((c["name"] for c in table["columns"]), "name")
    except Misfit as misfit:
        raise misfit.within("columns") from None
    _among(columns, "a table", table["rows"].get("per"), "rows", "per")
    _all_among(own, table.get("key", ()), "key")
    for part in ("unique", "indexes"):
        for place, constraint in enumerate(table.get(part, ())):
            _all_among(own, constraint["columns"], part, place, "columns")
    for end in ("from", "until"):
        _among(own, "a column of the table", table.get("lives", {}).get(end), "lives", end)
    for place, correlation in enumerate(table.get("correlate", ())):
        size = len(correlation["columns"])
        if any(len(row) != size for row in (correlation["matrix"], *correlation["matrix"])):
            raise Misfit(f"{size} rows of {size} numbers, as there are columns", "correlate", place, "matrix")
    for place, key in enumerate(table.get("foreign_keys", ())):
        try:
            _check_reference(key, own, columns)
        except Misfit as misfit:
            raise misfit.within("foreign_keys", place) from None


def _check_reference(key: Mapping[str, Any], own: Collection[str], columns: _Columns) -> None:
    _among(columns, "a table", key["table"], "table")
    theirs = columns[key["table"]]
    _all_among(own, key["columns"], "columns")
    _all_among(theirs, key["target"], "target")
    if len(key["columns"]) != len(key["target"]):
        raise Misfit("as many columns as reference them", "target")
    present = key.get("present", {})
    for name in ("within", "greater_than"):
        _among(own, "a column of the table", key.get(name), name)
    _among(theirs, "a column of the referenced table", key.get("weight"), "weight")
    _among(own, "a column of the table", present.get("at"), "present", "at")
    for end in ("from", "until"):
        _among(theirs, "a column of the referenced table", present.get(end), "present", end)


def _check_privacy(document: Mapping[str, Any], columns: _Columns) -> None:
    known = {f"{table}.{column}" for table, own in columns.items() for column in own}
    _among(known, "a column, as table.column", document.get("privacy_unit"), "privacy_unit")
    privacy = document.get("privacy", {})
    for place, table in enumerate(privacy.get("public", ())):
        _among(columns, "a table", table, "privacy", "public", place)
    for part in ("through", "contributions"):
        for place, (table, _) in enumerate(privacy.get(part, ())):
            _among(columns, "a table", table, "privacy", part, place, 0)
    for place, (table, column) in enumerate(privacy.get("through", ())):
        _among(columns[table], "a column of the table", column, "privacy", "through", place, 1)
    for place, (name, _) in enumerate(privacy.get("columns", ())):
        _among(known, "a column, as table.column", name, "privacy", "columns", place, 0)


def _check_scenario(scenario: Mapping[str, Any], columns: _Columns) -> None:
    _among(columns, "a table", scenario["subjects"], "subjects")
    for part in ("changes", "near"):
        for place, change in enumerate(scenario.get(part, ())):
            _among(columns, "a table", change["table"], part, place, "table")
            _among(columns, "a table", change.get("per"), part, place, "per")
            for step, (name, _) in enumerate(change.get("columns", ())):
                _among(columns[change["table"]], "a column of the table", name, part, place, "columns", step, 0)


def _all_among(known: Collection[str], names: Collection[str], *steps: str | int) -> None:
    for place, name in enumerate(names):
        _among(known, "a column of the table", name, *steps, place)
    try:
        different(names)
    except Misfit as misfit:
        raise misfit.within(*steps) from None


def _among(known: Collection[str], what: str, name: str | None, *steps: str | int) -> None:
    if name is not None and name not in known:
        raise Misfit(f"the name of {what}", *steps)
