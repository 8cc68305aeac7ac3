"""Texts without the paths of the server's files, which are nobody's business but that of who runs it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

HIDDEN = "[path]"
_IN_QUOTES = r"'(?:file:)?/[^'\n]*'|\"(?:file:)?/[^\"\n]*\""
_AS_URL = r"\b[a-z]\w*:///[^\s'\"`,;)]+"
_BARE = r"(?<![\w:/.~>-])/[^\s'\"`,;:)]*[^\s'\"`,;:).]"
_PATH = re.compile("|".join((_IN_QUOTES, _AS_URL, _BARE)))


def without_paths(text: str) -> str:
    """Return `text` with `[path]` in the place of each absolute path."""
    return _PATH.sub(HIDDEN, text)


Told = Annotated[str, AfterValidator(without_paths)]
