"""A sandbox's present data as a source of a bundle: what the user changed, added and dropped included.

`present` opens the database at a URL, holds its structure against the schema of the bundle that it was made from, and gives a `TableSource`
that `bundles.build` takes; what is particular to one database lives in a module each, behind the protocol of `provisioning.snapshots.live`.
"""

from __future__ import annotations

from provisioning.snapshots.source import Present, present

__all__ = ["Present", "present"]
