"""Texts without the places of the server's files and databases, which are nobody's business but that of who runs it.

What begins like a path is taken for one, and so are the next words up to one with a slash: rather a word too many is hidden than a part of
a path shown.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator

FILE = "[path]"
SERVER = "[server]"

_WITH_QUOTES = r"'(?:file:)?/[^\n]*?'(?!\w)|\"(?:file:)?/[^\n]*?\"(?!\w)"  # of its own inside, such as an apostrophe
_IN_QUOTES = r"'(?:file:)?/[^'\n]*'|\"(?:file:)?/[^\"\n]*\""
_INSIDE = r"[^\s'\"`,;:()/]"
_SPACED = rf"(?: (?:{_INSIDE}*[^\s'\"`,;:()/.] ){{0,2}}(?!\S*:/){_INSIDE}+/[^\s'\"`,;:)]*[^\s'\"`,;:).])*"
_AS_URL = rf"\b[a-z]\w*:///[^\s'\"`,;)]+{_SPACED}"
_BARE = rf"(?<![\w:/.~>-])/[^\s'\"`,;:)]*[^\s'\"`,;:).]{_SPACED}"
_PATH = re.compile("|".join((_WITH_QUOTES, _IN_QUOTES, _AS_URL, _BARE)))

# as libpq and psycopg name a server on which they fail
_NAMED = r"(?<=\bserver at )\"[^\"\n]*\"|(?<=\bhost )\"[^\"\n]*\"|(?<=\bhost name )\"[^\"\n]*\"|(?<=\bcertificate for )\"[^\"\n]*\""
_RESOLVED = r"(?<=\bresolve host )'[^'\n]*'|(?<=\bhost: )'[^'\n]*'|(?<=\bhostaddr: )'[^'\n]*'"
_SERVER_URL = r"\bpostgres(?:ql)?(?:\+\w+)?://[^\s'\"`,;)]+"
_ADDRESS = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]"
_SERVER = re.compile(rf"(?:{_NAMED}|{_RESOLVED}|{_SERVER_URL}|{_ADDRESS})(?: \([^)\n]*\))?(?:, port:? \d+|:\d+\b)?")


def without_places(text: str) -> str:
    """Return `text` with `[path]` in the place of each absolute path, and `[server]` in that of each host name or address of a database."""
    return _PATH.sub(FILE, _SERVER.sub(SERVER, text))


def _throughout(value: Any) -> Any:
    if isinstance(value, str):
        return without_places(value)
    if isinstance(value, dict):
        return {key: _throughout(held) for key, held in value.items()}
    return [_throughout(held) for held in value] if isinstance(value, list) else value


Told = Annotated[str, AfterValidator(without_places)]
ToldThroughout = Annotated[Any, AfterValidator(_throughout)]
