"""References as the schema language writes them: `users.id`, `order_lines(order_id, line)`, `{table: ..., columns: [...]}`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import yaml

from schemas import grammar
from schemas.errors import Mark, nearest
from schemas.model import ForeignKey, Present
from schemas.yaml_nodes import Node, Parts, Reading, kind_of

Tables = Mapping[str, Collection[str]]
Target = tuple[str, tuple[str, ...]]

_MAX_SKEW = 10


@dataclass(frozen=True)
class Reference:
    """A foreign key as written, before the names in it are resolved."""

    columns: tuple[str, ...]
    node: Node
    at: Mark
    name: str | None = None
    within: str | None = None
    acyclic: bool = False
    skew: float | None = None
    depth: int | None = None
    weight: str | None = None
    present: Present | None = None
    other_than: str | None = None
    greater_than: str | None = None

    def to(self, target: Target) -> ForeignKey:
        """The foreign key to `target`."""
        return ForeignKey(
            self.columns, *target, self.name, self.within, self.acyclic, self.skew, self.depth, self.weight, self.present, self.other_than,
            self.greater_than, self.at,
        )  # fmt: skip


def read_reference(reading: Reading, columns: tuple[str, ...], parts: Parts, at: Mark) -> Reference:
    """Return the reference that the keys `references`, `name`, `within`, `acyclic`, `depth`, `skew`, `weight`, `present`,
    `other_than` and `greater_than` of a mapping write."""
    return Reference(
        columns,
        parts["references"][1],
        at,
        reading.name(parts["name"][1], "the name of a foreign key") if "name" in parts and len(columns) else None,
        reading.text(parts["within"][1], "within") if "within" in parts else None,
        bool(reading.boolean(parts["acyclic"][1], "acyclic")) if "acyclic" in parts else False,
        _read_skew(reading, parts["skew"][1]) if "skew" in parts else None,
        reading.integer(parts["depth"][1], "depth", 1) if "depth" in parts else None,
        reading.text(parts["weight"][1], "weight") if "weight" in parts else None,
        _read_present(reading, parts["present"][1]) if "present" in parts else None,
        reading.text(parts["other_than"][1], "other_than") if "other_than" in parts else None,
        reading.text(parts["greater_than"][1], "greater_than") if "greater_than" in parts else None,
    )


def _read_present(reading: Reading, node: Node) -> Present | None:
    if not isinstance(node, yaml.MappingNode):
        reading.say(node, f"present must be a mapping such as {{at: created_at, from: joined_at, until: left_at}}, not {kind_of(node)}")
        return None
    before = len(reading.problems)
    parts = reading.mapping(node, "present", grammar.names(grammar.PRESENT))
    at, begins, ends = (reading.text(parts[key][1], f"{key} of present") if key in parts else None for key in ("at", "from", "until"))
    if at is None or (begins is None and ends is None):
        if len(reading.problems) == before:
            reading.say(node, "present needs `at:` (a time of this row), and `from:` or `until:` (times of the referenced row)")
        return None
    return Present(at, begins, ends)


def _read_skew(reading: Reading, node: Node) -> float | None:
    skew = reading.number(node, "skew")
    if skew is not None and not 0 < skew <= _MAX_SKEW:
        reading.say(node, f"skew must be above 0 and at most {_MAX_SKEW}, not {skew}")
        return None
    return None if skew is None else float(skew)


def read_target(reading: Reading, node: Node, tables: Tables, count: int, unreadable: Collection[str]) -> Target | None:
    """Return the table and the `count` columns that a node names, or None and a problem.

    No problem is told about tables that are `unreadable`, for theirs is told already.
    """
    if isinstance(node, yaml.MappingNode):
        found = _read_mapping(reading, node, tables, unreadable)
    else:
        found = _read_text(reading, node, tables, unreadable)
    if found is not None and len(found[1]) != count:
        columns = "column" if count == 1 else "columns"
        reading.say(node, f"{count} {columns} cannot reference {len(found[1])}; name as many of '{found[0]}'")
        return None
    return found


def targets(text: str, tables: Tables) -> list[Target]:
    """Return everything that a reference's text can mean: none, one, or more where names contain dots or brackets."""
    return list(dict.fromkeys(_targets(text, tables)))


def _targets(text: str, tables: Tables) -> Iterator[Target]:
    for table, columns in tables.items():
        if not text.startswith(table):
            continue
        rest = text[len(table) :]
        if rest[:1] == "." and rest[1:] in columns:
            yield table, (rest[1:],)
        rest = rest.strip()
        if rest[:1] == "(" and rest[-1:] == ")":
            listed = tuple(column.strip() for column in rest[1:-1].split(","))
            if all(column in columns for column in listed):
                yield table, listed


def _read_text(reading: Reading, node: Node, tables: Tables, unreadable: Collection[str]) -> Target | None:
    text = reading.text(node, "references")
    if text is None:
        return None
    found = targets(text, tables)
    if len(found) == 1:
        return found[0]
    if found:
        ways = " or ".join(f"{{table: {table}, columns: [{', '.join(columns)}]}}" for table, columns in found)
        reading.say(node, f"'{text}' can mean more than one column; write {ways}")
        return None
    begun = [t for t in tables if text.startswith(t) and text[len(t) :].strip()[:1] in ("", ".", "(")]
    if any(table in unreadable for table in begun):
        return None
    if not begun:
        word = text.partition("(")[0].strip()
        known = [*tables, *(f"{table}.{column}" for table, columns in tables.items() for column in columns)]
        reading.say(node, f"references: there is no table of '{text[:80]}'; write table.column{nearest(word, known)}")
        return None
    table = max(begun, key=len)
    rest = text[len(table) :].strip().strip(".()")
    if not rest:
        reading.say(node, f"references names a column too, such as '{table}.{next(iter(tables[table]), 'id')}'")
    for column in (part.strip() for part in rest.split(",") if rest):
        if column not in tables[table]:
            reading.say(node, f"references: table '{table}' has no column '{column[:60]}'{nearest(column, tables[table])}")
    return None


def _read_mapping(reading: Reading, node: Node, tables: Tables, unreadable: Collection[str]) -> Target | None:
    parts = reading.mapping(node, "references", grammar.names(grammar.TARGET))
    if not {"table", "columns"} <= set(parts):
        reading.say(node, "references written as a mapping needs `table:` and `columns:`")
        return None
    table = reading.text(parts["table"][1], "table")
    columns = reading.names(parts["columns"][1], "columns")
    if table is None or columns is None or table in unreadable:
        return None
    if table not in tables:
        reading.say(parts["table"][1], f"there is no table '{table[:60]}'{nearest(table, tables)}")
        return None
    unknown = [column for column in columns if column not in tables[table]]
    for column in unknown:
        reading.say(parts["columns"][1], f"table '{table}' has no column '{column[:60]}'{nearest(column, tables[table])}")
    return None if unknown else (table, columns)
