"""The policy of sandboxes: whether what is asked for may be done, judged before anything is.

`judge` holds every rule against what is `Asked` and gives a `Verdict` with all that are broken, and how long the sandbox may live. The
rules stand in `RULES`, one small function each; a company's own are CEL expressions and a webhook, named in its file of environments.
Approvals by others are kept in the control database.
"""

from __future__ import annotations

from provisioning.policy.approvals import Approval, approvals_for, give_approval
from provisioning.policy.asked import Action, Asked, Who
from provisioning.policy.judging import Verdict, faults, judge
from provisioning.policy.owners import find_owner, owner_now
from provisioning.policy.rules import RULES

__all__ = [
    "RULES",
    "Action",
    "Approval",
    "Asked",
    "Verdict",
    "Who",
    "approvals_for",
    "faults",
    "find_owner",
    "give_approval",
    "judge",
    "owner_now",
]
