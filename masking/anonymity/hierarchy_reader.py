"""Hierarchies of the anonymity room from files; `masking.hierarchy_files` says what these look like."""

from __future__ import annotations

from pathlib import Path

from masking.anonymity.hierarchy import Hierarchy, make_hierarchy
from masking.hierarchy_files import read_rows


def read_hierarchy(path: Path, *, nulls: bool = False) -> Hierarchy:
    """Read one hierarchy; `nulls` adds a leaf for null, which only the label of all covers. Raises InputError as `read_rows` does."""
    return make_hierarchy(read_rows(str(path)), nulls=nulls)
