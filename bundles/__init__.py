"""The bundle room: versioned, checksummed data in an OCI image layout.

`build` makes a bundle from any `TableSource`, `open` reads one back as a `TableSource`, `verify` holds it against its schema,
`profile` counts what it holds, and `Store` lists, tags and removes bundles and collects garbage. `digest` defines what two
bundles with the same meaning have in common. Names are looked up when they are first used, since pyarrow and DuckDB take their
time to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bundles import digest
    from bundles.building import BuiltBundle, build
    from bundles.opened import Bundle, BundleTable, TableInfo
    from bundles.opened import open_bundle as open
    from bundles.profiled import BundleProfile
    from bundles.profiling import profile
    from bundles.progress import Progress
    from bundles.report import Finding, Report
    from bundles.reuse import Origin
    from bundles.store import Garbage, Store, StoredBundle
    from bundles.verifying import verify

_PLACES = {
    "BuiltBundle": ("bundles.building", "BuiltBundle"),
    "Bundle": ("bundles.opened", "Bundle"),
    "BundleProfile": ("bundles.profiled", "BundleProfile"),
    "BundleTable": ("bundles.opened", "BundleTable"),
    "Finding": ("bundles.report", "Finding"),
    "Garbage": ("bundles.store", "Garbage"),
    "Origin": ("bundles.reuse", "Origin"),
    "Progress": ("bundles.progress", "Progress"),
    "Report": ("bundles.report", "Report"),
    "Store": ("bundles.store", "Store"),
    "StoredBundle": ("bundles.store", "StoredBundle"),
    "TableInfo": ("bundles.opened", "TableInfo"),
    "build": ("bundles.building", "build"),
    "open": ("bundles.opened", "open_bundle"),
    "profile": ("bundles.profiling", "profile"),
    "verify": ("bundles.verifying", "verify"),
}

__all__ = [
    "BuiltBundle",
    "Bundle",
    "BundleProfile",
    "BundleTable",
    "Finding",
    "Garbage",
    "Origin",
    "Progress",
    "Report",
    "Store",
    "StoredBundle",
    "TableInfo",
    "build",
    "digest",
    "open",
    "profile",
    "verify",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # so that type checkers know the names above, and no others

    def __getattr__(name: str) -> Any:
        if name == "digest":
            return import_module("bundles.digest")
        if name not in _PLACES:
            raise AttributeError(f"module 'bundles' has no attribute '{name}'")
        module, attribute = _PLACES[name]
        return getattr(import_module(module), attribute)
