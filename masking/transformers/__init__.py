"""Transformers: how a value is masked, one concept a file.

A transformer is a frozen dataclass whose fields are its parameters in the policy; bound to a column it becomes a masker, a pure
function from Arrow arrays to Arrow arrays. `TRANSFORMERS` lists them all.
"""

from __future__ import annotations

from masking.transformers.base import Transformer
from masking.transformers.constant import Constant
from masking.transformers.keep import Keep
from masking.transformers.null import Null
from masking.transformers.redact import Redact

TRANSFORMERS: tuple[type[Transformer], ...] = (
    Keep,
    Null,
    Constant,
    Redact,
)
