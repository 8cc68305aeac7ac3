"""From what a query asks to what is measured: parts of aggregates, their bounds, what each may spend.

`plan` applies the rules of `rules.RULES` in their order to an immutable `Plan`; each rule is one function in one file. Nothing here
sees data: a plan follows from the declaration, the query and the analyst's settings alone.
"""

from dpsql.planning.model import Bounds, Part, Plan, Threshold
from dpsql.planning.plans import from_plain_sums, plan

__all__ = ["Bounds", "Part", "Plan", "Threshold", "from_plain_sums", "plan"]
