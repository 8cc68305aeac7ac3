"""Which environments are production, by their names: however these are written, nothing is ever loaded there."""

from __future__ import annotations

import re
import unicodedata

_PRODUCTION = ("production", "prod", "prd")
_BEFORE = frozenset(("pre", "non", "not"))
# what is written together with it makes another word of it: preprod, reproduction; `prod` after `co` may be that of Colombia
_PREFIXES = {
    "production": _BEFORE | {"re", "co", "post"},
    "prod": _BEFORE | {"re"},
    "prd": _BEFORE,
}
# regions and the like have up to three letters, or are one of these; a product, a producer and a demo of something are no production
_LONGER = frozenset((
    "east", "west", "north", "south", "emea", "apac", "latam", "main", "live", "blue", "green", "cluster", "server", "database",
))  # fmt: skip
_OTHER_WORDS = frozenset(("uct", "uce", "igy", "ev", "emo", "oc"))
_SHORT = 3
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def is_production(name: str) -> bool:
    """Whether an environment of this name is production: `Prod`, `eu-prod2`, `euProd`, `prodeu`, and not `pre-prod`, `nonprod`, `products`.

    What is in doubt is production: nobody loses data where a name has to be written with a hyphen.
    """
    plain = unicodedata.normalize("NFKC", name)
    chunks = re.split(r"[^A-Za-z]+", plain)
    words = [word.lower() for chunk in chunks for word in _CAMEL.split(chunk)]
    if any(word in _PRODUCTION and (i == 0 or words[i - 1] not in _BEFORE) for i, word in enumerate(words)):
        return True
    lower = [chunk.lower() for chunk in chunks]
    return any(_is_written_together(chunk) and (i == 0 or lower[i - 1] not in _BEFORE) for i, chunk in enumerate(lower))


def _is_written_together(chunk: str) -> bool:
    """Whether letters are production and a region or the like before or behind it: `euprod`, `prodeu`."""
    for word in _PRODUCTION:
        for found in re.finditer(word, chunk):
            before, behind = chunk[: found.start()], chunk[found.end() :]
            if (before or behind) and not _is_another(word, before) and _may_follow(behind):
                return True
    return False


def _is_another(word: str, before: str) -> bool:
    return before in _PREFIXES[word] or before.endswith("pre")


def _may_follow(behind: str) -> bool:
    return behind not in _OTHER_WORDS and (len(behind) <= _SHORT or behind in _LONGER)
