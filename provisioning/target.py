"""Where a bundle is loaded to: a URL, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import TargetInvalid
from schemas.errors import followed, mistyped_url, nearest

SUPPORTED = "postgresql://user@host/database, duckdb:///file.db and sqlite:///file.db"
_DIALECTS = {"postgresql": "postgresql", "postgres": "postgresql", "duckdb": "duckdb", "sqlite": "sqlite"}
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)(?:\+[a-zA-Z0-9_]+)?:")


@dataclass(frozen=True, slots=True)
class Target:
    """A database: its dialect, and its file or (PostgreSQL) the URL that libpq understands."""

    dialect: str
    path: Path | None = None
    url: str | None = None


def parse_target(url: str) -> Target:
    """Return the database that `url` names; TargetInvalid says what is supported.

    Three slashes begin a path from the current folder (`duckdb:///shop.db`), four one from the root (`duckdb:////tmp/shop.db`).
    A driver after the scheme (`postgresql+psycopg://`) is ignored.
    """
    found = _SCHEME.match(url)
    dialect = _DIALECTS.get(found[1].lower()) if found else None
    if ":" not in url:
        raise TargetInvalid(f"'{url}' is no database URL; supported are {SUPPORTED}")
    if found is None or dialect is None:
        scheme = found[1] if found else mistyped_url(url).partition(":")[0]
        raise TargetInvalid(f"cannot load into '{scheme}:'{followed(nearest(scheme, _DIALECTS), f'supported are {SUPPORTED}')}")
    rest = url[found.end() :]
    if not rest.startswith("//"):
        raise TargetInvalid(f"'{mistyped_url(url)}' is no database URL; supported are {SUPPORTED}")
    if dialect == "postgresql":
        _require_plain_host(rest.removeprefix("//"))
        return Target(dialect, url=f"postgresql:{rest}")
    if not rest.startswith("///"):
        raise TargetInvalid(f"'{mistyped_url(url)}' names a host; a file is written with three slashes: {dialect}:///file.db")
    path = rest.removeprefix("///")
    if not path or path == ":memory:":
        raise TargetInvalid(f"'{mistyped_url(url)}' names no file; an in-memory database would be gone as soon as it is loaded")
    if "\0" in path or "?" in path:
        raise TargetInvalid(f"'{mistyped_url(url)}' has options or a character that no file name has; write {dialect}:///file.db alone")
    return Target(dialect, path=Path(path))


def _require_plain_host(rest: str) -> None:
    """Refuse what libpq would take for a host or a port, and name in its message, but is part of a password."""
    authority = rest.partition("/")[0]
    hosts = (authority.partition("@")[2] if "@" in authority else authority).partition("?")[0]
    ports = [host.rpartition("]")[2].partition(":")[2] for host in hosts.split(",")]
    if "@" in hosts or any(port and not port.isdecimal() for port in ports):
        raise TargetInvalid(
            "the URL's host or port cannot be read; in a password '@' is written %40, '/' %2F, ':' %3A, '%' %25 and a space %20"
        )
