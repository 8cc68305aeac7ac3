"""Proposes a `privacy:` section for a schema, from what the schema itself declares of its values, never from data.

The generators of a schema say between which values, or of which list, each column is made (`recipes`, `expressions`); `section`
puts that together with the ways to the unit, and says of what it knows nothing.
"""

from __future__ import annotations

from dpsql.suggesting.section import Suggestion, section_text, suggest

__all__ = ["Suggestion", "section_text", "suggest"]
