"""Free text: personal values found in it, by patterns, validators, dictionaries, rules and a small model, cheapest first.

`find` gives the spans of texts; `Finder` is the same with its settings kept. `masking.text.presidio` offers the recognizers to
Presidio's analyzer, and its anonymizer our marks.
"""

from __future__ import annotations

from masking.text.finder import Finder, find
from masking.text.found import Found

__all__ = ["Finder", "Found", "find"]
