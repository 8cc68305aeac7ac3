"""The `subset:` of a policy: where to start, and which rows come along beside those that are referenced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masking.errors import PolicyInvalid
from masking.source.conditions import condition_problem
from masking.subset.graph import Graph, unknown_table
from schemas.errors import Mark, Problem, followed, nearest

ALL = "all"
_WORDS = ("root", "where", "percent", "children", "whole")


@dataclass(frozen=True)
class Children:
    """Rows that come along because they reference kept ones: `path` leads from the root, each table referencing the one before.

    At most `limit` of the last table for each row of the one before it (by each reference between the two); None for all.
    """

    path: tuple[str, ...]
    limit: int | None


@dataclass(frozen=True)
class SubsetSpec:
    """Where a subset starts: the rows of `root` that the SQL condition `where` accepts, and `percent` of those, rounded up.

    `children` stand in the order of the lengths of their paths. The tables in `whole` come whole. What rows at the start and
    children reference comes along, whatever it is, and brings no children.
    """

    root: str
    where: str | None = None
    percent: float | None = None
    children: tuple[Children, ...] = ()
    whole: tuple[str, ...] = ()


def read_subset(said: Mapping[str, Any], graph: Graph, dialect: str, file: str = "policy", at: Mark | None = None) -> SubsetSpec:
    """Return what the plain values of `subset:` mean; PolicyInvalid with everything that is wrong in them.

    `dialect` is the source's, in sqlglot's words; conditions are in it.
    """
    reader = _Reader(graph, at)
    spec = reader.read(said, dialect)
    if reader.problems:
        raise PolicyInvalid(file, reader.problems)
    return spec


class _Reader:
    def __init__(self, graph: Graph, at: Mark | None) -> None:
        self._graph, self._at = graph, at
        self.problems: list[Problem] = []

    def _say(self, message: str) -> None:
        self.problems.append(Problem(f"subset: {message}", self._at))

    def read(self, said: Mapping[str, Any], dialect: str) -> SubsetSpec:
        for word in said:
            if word not in _WORDS:
                hint = followed(nearest(str(word), _WORDS), f"known are {', '.join(_WORDS)}")
                self._say(f"'{word}' is not known here{hint}")
        root = said.get("root")
        if not isinstance(root, str):
            self._say("`root:` must name the table to start from")
            return SubsetSpec("")
        if not self._is_table(root):
            return SubsetSpec(root)
        where = said.get("where")
        if where is not None:
            self._condition(root, where, dialect)
        return SubsetSpec(root, where, self._percent(said.get("percent")), self._children(root, said.get("children")), self._whole(said))

    def _is_table(self, name: str) -> bool:
        if name in self._graph.tables:
            return True
        if self._graph.schema.has(name):
            self._say(f"the table '{name}' is dropped by the policy")
        else:
            self._say(unknown_table(self._graph.schema, name, None).message)
        return False

    def _condition(self, root: str, where: Any, dialect: str) -> None:
        if not isinstance(where, str):
            self._say("`where:` must be a SQL condition over the columns of the root")
        elif (reason := condition_problem(self._graph.schema.table(root), where, dialect)) is not None:
            self._say(f"`where:` of '{root}': {reason}")

    def _percent(self, said: Any) -> float | None:
        if said is None:
            return None
        if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 < said <= 100:
            self._say("`percent:` must be a number above 0 and at most 100")
            return None
        return float(said)

    def _whole(self, said: Mapping[str, Any]) -> tuple[str, ...]:
        names = said.get("whole", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._say("`whole:` must be a list of tables")
            return ()
        return tuple(name for name in names if self._is_table(name))

    def _children(self, root: str, said: Any) -> tuple[Children, ...]:
        if said is None:
            return ()
        if not isinstance(said, Mapping):
            self._say("`children:` must say how many of each table, as in {orders: 100, orders.order_lines: all}")
            return ()
        found: dict[tuple[str, ...], Children] = {}
        for text, limit in said.items():
            path = self._path(root, str(text))
            if limit != ALL and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
                self._say(f"children '{text}': how many for each parent must be a whole number from 1 on, or `{ALL}`")
            elif path is not None:
                found[path] = Children(path, None if limit == ALL else limit)
        for path in found:
            if path[:-1] and path[:-1] not in found:
                self._say(f"children '{'.'.join(path)}' need '{'.'.join(path[:-1])}' before them, which says how many of those come")
        return tuple(sorted(found.values(), key=lambda c: len(c.path)))

    def _path(self, root: str, text: str) -> tuple[str, ...] | None:
        paths = list(self._cut(text.split(".")))
        if not paths:
            names = [part for part in text.split(".") if not any(part in name.split(".") for name in self._graph.tables)]
            hint = nearest(names[0], self._graph.tables) if names else ""
            self._say(f"children '{text}': there is no table '{names[0] if names else text}'{hint}")
            return None
        for path in paths:
            if all(self._graph.between(child, parent) for parent, child in zip((root, *path), path)):
                return path
        parent, child = next((p, c) for p, c in zip((root, *paths[0]), paths[0]) if not self._graph.between(c, p))
        known = self._graph.referencing(parent)
        self._say(f"children '{text}': '{child}' has no reference to '{parent}'; those that have are {', '.join(known) or 'none'}")
        return None

    def _cut(self, parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """All ways to read names of tables, which may hold dots, off dotted text."""
        if not parts:
            yield ()
        for length in range(1, len(parts) + 1):
            if (name := ".".join(parts[:length])) in self._graph.tables:
                yield from ((name, *rest) for rest in self._cut(parts[length:]))
