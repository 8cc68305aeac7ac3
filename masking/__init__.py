"""The masking room: a real database becomes data that is safe to hand on.

Classifies columns, masks them by transformers with no way back, keeps references whole, takes subsets, makes people
k-anonymous, and proves that no value of the source is left. Imports `schemas` alone; what it makes is a `TableSource`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

if TYPE_CHECKING:
    from masking.agreement import Difference, differences
    from masking.keys import MaskingKey, read_key
    from masking.masked import MaskedSource
    from masking.planning import plan
    from masking.policy.model import Policy
    from masking.policy.reader import parse_policy, read_policy
    from masking.policy.writer import policy_yaml
    from masking.progress import unseen
    from masking.proof import ScanReport, examination, scan
    from masking.review import prices, review_notes
    from masking.source import open_source

__all__ = [
    "Difference",
    "MaskedSource",
    "MaskingKey",
    "Policy",
    "ScanReport",
    "differences",
    "examination",
    "open_source",
    "parse_policy",
    "plan",
    "policy_yaml",
    "prices",
    "read_key",
    "read_policy",
    "review_notes",
    "scan",
    "unseen",
]

_MODULES = {
    "agreement": ("Difference", "differences"),
    "keys": ("MaskingKey", "read_key"),
    "masked": ("MaskedSource",),
    "planning": ("plan",),
    "policy.model": ("Policy",),
    "policy.reader": ("parse_policy", "read_policy"),
    "policy.writer": ("policy_yaml",),
    "progress": ("unseen",),
    "proof": ("ScanReport", "examination", "scan"),
    "review": ("prices", "review_notes"),
    "source": ("open_source",),
}
_PLACES = {name: f"masking.{module}" for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
