"""Names of a package that are found in their modules when they are first used, so that nobody pays for what they do not need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` (PEP 562) of a package.

    `places` has the module of each name, with `:attribute` behind it where it is called otherwise there; a name may be that of the
    module itself. Give them behind `if not TYPE_CHECKING:`, so that type checkers know the names that are imported for them, and no others.
    """

    def found(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        place, _, attribute = places[name].partition(":")
        module = import_module(place)
        return module if place == f"{package}.{name}" else getattr(module, attribute or name)

    def known() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return found, known
