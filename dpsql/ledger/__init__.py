"""The ledger of privacy budgets: what may be spent, what was, and the noisy parts that were released for it.

`open_ledger` opens one in SQLite or PostgreSQL. Every limit, charge, refusal and outcome is an entry of a hash chain, and an anchor
file outside of the database remembers how far the chain has come, so that a restored backup gives no budget back.
"""

from dpsql.ledger.base import Charge, Entry, Ledger, Outcome, Question, Spending
from dpsql.ledger.opening import open_ledger
from dpsql.ledger.stored import StoredLedger

__all__ = ["Charge", "Entry", "Ledger", "Outcome", "Question", "Spending", "StoredLedger", "open_ledger"]
