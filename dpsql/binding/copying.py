"""A relation once more, with names of its own: what stands in a query twice is not to be read as one another."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from dpsql.binding.sources import Names
from dpsql.tree import Column, Field, Relation, all_fields

Part = TypeVar("Part")


def new_names(relation: Relation, names: Names) -> dict[str, str]:
    """Return a new name for each field of `relation` and of all below it."""
    return {f.name: names.field(f.name.partition("_")[2], f.facts).name for f in all_fields(relation)}


def copied(part: Part, renamed: dict[str, str]) -> Part:
    """Return a relation or an expression with the names that `renamed` gives its fields."""
    made: Any = part
    if isinstance(part, Field | Column):
        made = replace(part, name=renamed.get(part.name, part.name))
    elif isinstance(part, tuple):
        made = tuple(copied(one, renamed) for one in part)
    elif is_dataclass(part) and not isinstance(part, type):
        found = {f.name: getattr(part, f.name) for f in fields(part) if f.init}
        made = replace(part, **{n: renamed.get(v, v) if n == "unit" else copied(v, renamed) for n, v in found.items()})
    return made  # type: ignore[no-any-return]
