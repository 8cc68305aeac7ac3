"""The ends of references as a policy writes them: `users.id`, `crm.users.(a, b)`, `events.payload$.user.id`, `"odd.table"."a (b)"`."""

from __future__ import annotations

import re

from schemas.ddl_names import quoted

_QUOTED = r'"(?:[^"]|"")+"'
_NAME = rf"{_QUOTED}|[^$().\"]+"
_END = re.compile(rf"(?P<place>(?:{_NAME})(?:\.(?:{_NAME}))*)(?:\.\((?P<list>(?:{_QUOTED}|[^()\"])+)\))?(?P<path>\$.*)?\Z", re.DOTALL)
_PART = re.compile(_NAME)
_LISTED = re.compile(rf"\s*({_QUOTED}|[^,\"]+?)\s*(?:,|\Z)")
_BARE = re.compile(r"[^$().,\"\s](?:[^$().,\"]*[^$().,\"\s])?")
_BARE_TABLE = re.compile(rf"{_BARE.pattern}(?:\.{_BARE.pattern})*")

End = tuple[str, tuple[str, ...], str | None]


def read_end(text: str) -> End | None:
    """Return the table, the columns and the path into JSON of an end; None where the text is none. A table may be missing, as ''."""
    found = _END.match(text)
    if found is None:
        return None
    names = [_plain(name) for name in _PART.findall(found["place"])]
    if found["list"]:
        return ".".join(names), tuple(_plain(name) for name in _LISTED.findall(found["list"])), found["path"]
    return ".".join(names[:-1]), (names[-1],), found["path"]


def end_text(table: str, columns: tuple[str, ...], path: str | None = None) -> str:
    """Return the text of an end, which `read_end` reads back: names are quoted where they would not be understood otherwise."""
    listed = [name if _BARE.fullmatch(name) else quoted(name) for name in columns]
    place = table if _BARE_TABLE.fullmatch(table) else quoted(table)
    return f"{place}.{listed[0] if len(listed) == 1 else '(' + ', '.join(listed) + ')'}{path or ''}"


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
