"""The ledger of privacy budgets: what may be spent, what was, and the noisy parts that were released for it."""

from dpsql.ledger.base import Charge, Ledger, Question

__all__ = ["Charge", "Ledger", "Question"]
