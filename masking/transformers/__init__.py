"""Transformers: how a value is masked, one concept a file.

A transformer is a frozen dataclass whose fields are its parameters in the policy; bound to a column it becomes a masker, a pure
function from Arrow arrays to Arrow arrays. `TRANSFORMERS` lists them all.
"""
