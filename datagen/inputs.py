"""What the cells of a table depend on, input by input, so that a build can tell which tables it has already.

The things that a plan makes are nodes: a column, a reference, a composite unique key, the rows of a table. Each has facts of its
own (its recipe, the kind of link that was chosen for it, a value pool) and reads other nodes. The inputs of a table are the facts
of all nodes of its own that its stored columns lead to, and for each node of another table that those read, one digest over all
that leads there. Whoever lets cells depend on something new says so here, by `note` or `reads`, while the plan is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any

from blake3 import blake3

from datagen.version import GENERATOR_VERSION
from schemas.model import Table

Node = tuple[str, ...]

COUNTS_OF = "~rows of "

_LENGTH = 16
_SHARED = ("value pool", "locale")
# What a document says of a column, a reference or a table that no cell depends on. Whatever is not named here counts.
_IDLE_IN_COLUMNS = ("name", "identity", "default", "semantic", "comment", "hidden", "class", "ever")
_IDLE_IN_REFERENCES = ("name",)


def rows_of(table: str) -> Node:
    """The node that stands for how many rows `table` has, and which parent each belongs to."""
    return ("rows", table, "")  # of three parts: two are a column


def counts_of(parent: str, table: str) -> Node:
    """The node of how many rows of `table` each row of `parent` has: a column that no bundle holds."""
    return (parent, f"{COUNTS_OF}{table}")


def link_of(table: str, columns: tuple[str, ...]) -> Node:
    """The node of the reference that `columns` of `table` make."""
    return ("link", table, *columns)


def key_of(table: str, columns: tuple[str, ...]) -> Node:
    """The node of a unique key over several columns."""
    return ("key", table, *columns)


class Inputs:
    """The facts and the readings of all nodes of one plan."""

    def __init__(self, seed: int, anchor: int) -> None:
        self._everywhere = {"generator version": str(GENERATOR_VERSION), "seed": str(seed), "anchor": str(anchor)}
        self._facts: dict[Node, dict[str, Any]] = {}
        self._reads: dict[Node, set[Node]] = {}
        self._alone: dict[Node, str] = {}  # digests, made when the plan is finished
        self._whole: dict[Node, str] = {}

    def copy(self) -> Inputs:
        """The same, to be gone on with by itself."""
        other = copy(self)
        other._facts = {node: dict(facts) for node, facts in self._facts.items()}
        other._reads = {node: set(read) for node, read in self._reads.items()}
        other._alone, other._whole = {}, {}
        return other

    def note(self, node: Node, what: str, value: Any) -> None:
        """Note that the cells of `node` depend on `value`: JSON data, or None for nothing.

        An input whose name begins with `value pool` or `locale` is listed by that name, whichever node it belongs to.
        """
        self._facts.setdefault(node, {})[what] = value

    def reads(self, node: Node, other: Node) -> None:
        """Note that `node` is made from `other`; circles are fine."""
        self._reads.setdefault(node, set()).add(other)

    def of_table(self, table: Table) -> Mapping[str, str]:
        """All inputs of the stored columns of `table`: their names, and of each its value or a digest of it."""
        found: dict[str, set[str]] = {what: {value} for what, value in self._everywhere.items()}
        roots = {(table.name, column.name) for column in table.stored_columns} | {rows_of(table.name)}
        near = self._reached(roots, lambda node: _table_of(node) == table.name)
        rows = {node for node in self._reached(roots, lambda _: True) if _kind(node) == "rows"}
        for node in near | rows:
            if _kind(node) == "rows":
                said = self._rows(node, "" if node[1] == table.name else f" of {node[1]}")
                for counts in self._reads.get(node, ()):
                    said = {**said, **self._others(counts)}
            else:
                said = self._own(node) if _table_of(node) == table.name else self._others(node)
            for what, value in said.items():
                found.setdefault(what, set()).add(value)
        return {what: values.pop() if len(values) == 1 else _digest(sorted(values)) for what, values in sorted(found.items())}

    def of_everything(self) -> str:
        """One digest over all inputs of all that is planned, hidden columns included, whoever reads them."""
        return _digest([self._everywhere, [self._local(node) for node in sorted(self._facts.keys() | self._reads.keys())]])

    def _reached(self, roots: set[Node], onward: Callable[[Node], bool]) -> set[Node]:
        """All nodes that `roots` lead to, by way of nodes for which `onward` is true."""
        reached, waiting = set(roots), list(roots)
        while waiting:
            node = waiting.pop()
            if onward(node):
                new = self._reads.get(node, set()) - reached
                reached |= new
                waiting += new
        return reached

    def _others(self, node: Node) -> Mapping[str, str]:
        """The input that a node of another table is: all that it is made from as one, but for rows, which are listed."""
        if node not in self._whole:
            made_from = [n for n in self._reached({node}, lambda _: True) if _kind(n) != "rows"]
            self._whole[node] = _digest([self._local(n) for n in sorted(made_from)])
        return {_title(node, own=False): self._whole[node]}

    def _own(self, node: Node) -> Mapping[str, str]:
        """The inputs that a node of the table itself gives."""
        facts = self._facts.get(node, {})
        shared = {what: value for what, value in facts.items() if what.startswith(_SHARED)}
        own = {what: value for what, value in facts.items() if what not in shared}
        said = {what: value if isinstance(value, str) else _digest(value) for what, value in shared.items()}
        return {**said, _title(node, own=True): _digest([own, sorted(self._reads.get(node, ()))])}

    def _rows(self, node: Node, of: str) -> Mapping[str, str]:
        """The inputs that the rows of a table are: their number, and how they are spread over the rows of a parent."""
        facts = dict(self._facts.get(node, {}))
        said = {f"number of rows{of}": str(facts.pop("count"))}
        return {**said, f"rows{of} by parent": _digest(facts)} if facts else said

    def _local(self, node: Node) -> str:
        if node not in self._alone:
            self._alone[node] = _digest([node, self._facts.get(node, {}), sorted(self._reads.get(node, ()))])
        return self._alone[node]


def documented(schema: Mapping[str, Any]) -> Iterator[tuple[Node, str, Any]]:
    """What the document of a schema says of columns, references and rows per parent, as far as cells depend on it."""
    for table in schema["tables"]:
        if "per" in table["rows"]:
            yield rows_of(table["name"]), "rows", table["rows"]
        for column in table["columns"]:
            yield (table["name"], column["name"]), "column", {k: v for k, v in column.items() if k not in _IDLE_IN_COLUMNS}
        for key in table.get("foreign_keys", ()):
            said = {k: v for k, v in key.items() if k not in _IDLE_IN_REFERENCES}
            yield link_of(table["name"], tuple(key["columns"])), f"reference to {key['table']}", said


def plain_fields(value: object) -> Mapping[str, Any]:
    """The class of a frozen dataclass and those of its fields that are plain values, those of a link within it included."""
    said: dict[str, Any] = {"class": type(value).__name__}
    if is_dataclass(value):
        for field in fields(value):
            member = getattr(value, field.name)
            if member is None or isinstance(member, (bool, int, float, str, tuple)):
                said[field.name] = member
            elif field.name == "link":
                said[field.name] = plain_fields(member)
    return said


def _table_of(node: Node) -> str:
    return node[0] if _kind(node) == "column" else node[1]


def _kind(node: Node) -> str:
    return "column" if len(node) == 2 else node[0]


def _title(node: Node, *, own: bool) -> str:
    """The name of a node's input as somebody reads it; nodes of other tables come with their table's."""
    if _kind(node) == "column" and node[1].startswith(COUNTS_OF):
        return f"rows of {node[1].removeprefix(COUNTS_OF)} for each of {node[0]}"
    if _kind(node) == "column":
        return f"column {node[1]}" if own else f"column {node[0]}.{node[1]}"
    what = {"link": "reference", "key": "unique key"}[node[0]]
    return f"{what} ({', '.join(node[2:])}){'' if own else f' of {node[1]}'}"


def _digest(value: Any) -> str:
    text = json.dumps(_as_meant(value), sort_keys=True, separators=(",", ":"))
    return blake3(text.encode()).hexdigest(length=_LENGTH)


def _as_meant(value: Any) -> Any:
    """JSON data in which 1.0 is 1, as it is to whoever wrote it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: _as_meant(inner) for key, inner in value.items()}
    return [_as_meant(inner) for inner in value] if isinstance(value, (list, tuple)) else value
