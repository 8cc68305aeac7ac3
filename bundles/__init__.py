"""The bundle room: versioned, checksummed data in an OCI image layout.

`build` makes a bundle from any `TableSource`, `open` reads one back as a `TableSource`, `verify` holds it against its schema,
`profile` counts what it holds, and `Store` lists, tags and removes bundles and collects garbage. `digest` defines what two
bundles with the same meaning have in common. Names are looked up when they are first used, since pyarrow and DuckDB take their
time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

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
    "BuiltBundle": "bundles.building",
    "Bundle": "bundles.opened",
    "BundleProfile": "bundles.profiled",
    "BundleTable": "bundles.opened",
    "Finding": "bundles.report",
    "Garbage": "bundles.store",
    "Origin": "bundles.reuse",
    "Progress": "bundles.progress",
    "Report": "bundles.report",
    "Store": "bundles.store",
    "StoredBundle": "bundles.store",
    "TableInfo": "bundles.opened",
    "build": "bundles.building",
    "digest": "bundles.digest",
    "open": "bundles.opened:open_bundle",
    "profile": "bundles.profiling",
    "verify": "bundles.verifying",
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


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
