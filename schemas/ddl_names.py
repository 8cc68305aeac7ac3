"""Names in DDL: quoting, namespaces, and names for constraints and indexes that clash with nothing."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.errors import InputError
from schemas.model import ForeignKey


def quoted(name: str) -> str:
    """Return `name` as a delimited identifier."""
    if "\0" in name:
        raise InputError(f"the name {name!r} holds a NUL character, which no database takes")
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Return `names` as delimited identifiers, with commas between them."""
    return ", ".join(map(quoted, names))


def literal(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def split(table: str) -> tuple[str | None, str]:
    """Return the namespace of a table's name, None where it has none, and the name in it: `sales.orders`."""
    namespace, dot, name = table.partition(".")
    return (namespace, name) if dot and namespace and name else (None, table)


def qualified(table: str) -> str:
    """Return a table's name for a target that has namespaces."""
    namespace, name = split(table)
    return quoted(name) if namespace is None else f"{quoted(namespace)}.{quoted(name)}"


def reference(key: ForeignKey) -> str:
    """Return a foreign key in words."""
    return f"foreign key ({', '.join(key.columns)}) references {key.table} ({', '.join(key.target)})"


class FreeNames:
    """Gives out names that are not taken yet; `fold` compares them without regard to case."""

    def __init__(self, taken: Iterable[str] = (), *, limit: int | None = None, fold: bool = True) -> None:
        self._limit, self._fold = limit, fold
        self._taken = {self._key(name) for name in taken}

    def take(self, wanted: str) -> str:
        """Return `wanted`, shortened or numbered where it must be, and keep it from being given again."""
        name, number = self._cut(wanted, ""), 1
        while self._key(name) in self._taken:
            number += 1
            name = self._cut(wanted, f"_{number}")
        self._taken.add(self._key(name))
        return name

    def claim(self, wanted: str) -> bool:
        """Take exactly `wanted`; False where that cannot be."""
        if self._key(wanted) in self._taken or self._cut(wanted, "") != wanted:
            return False
        self._taken.add(self._key(wanted))
        return True

    def _key(self, name: str) -> str:
        return name.lower() if self._fold else name

    def _cut(self, name: str, suffix: str) -> str:
        if self._limit is None:
            return name + suffix
        kept = name.encode()[: self._limit - len(suffix)].decode(errors="ignore")
        return kept + suffix
