"""Finds out which columns are personal: a class, a kind of entity, a confidence and the evidence for each, and no raw value.

`classify` asks names, types, constraints, comments and a sample of values. Names are read by `names` with the words of
`lexicon.yaml`; values by `patterns`, `checksums`, `dictionaries` and `likeness`; the rules for texts stand in their order in `strings`.
"""

from masking.classify.columns import classify
from masking.classify.finding import Finding

__all__ = ["Finding", "classify"]
