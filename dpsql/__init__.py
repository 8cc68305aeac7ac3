"""Differentially private SQL: analysts ask, one person's influence is bounded, noise is added, and a budget is charged.

A query is parsed and bound to an immutable tree (`tree`), what cannot be shown private is refused with the reason, small rules
turn the rest into measurements, an engine computes exact integer sums that one person moves by no more than a known amount,
noise from a proved sampler goes on top, and the ledger is charged before the data is touched. `companyos.open_private` opens what can be
asked; here are what it gives and what it raises. Names are looked up when they are first used, since pyarrow and sqlglot take their
time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

if TYPE_CHECKING:
    from dpsql.answers import Answer, Explanation
    from dpsql.errors import BudgetSpent, DeclarationInvalid, EngineFailure, LedgerBroken, LedgerFailure, QueryInvalid, QueryRefused
    from dpsql.ledger import Spending

_PLACES = {
    "Answer": "dpsql.answers",
    "BudgetSpent": "dpsql.errors",
    "DeclarationInvalid": "dpsql.errors",
    "EngineFailure": "dpsql.errors",
    "Explanation": "dpsql.answers",
    "LedgerBroken": "dpsql.errors",
    "LedgerFailure": "dpsql.errors",
    "QueryInvalid": "dpsql.errors",
    "QueryRefused": "dpsql.errors",
    "Spending": "dpsql.ledger",
}

__all__ = [
    "Answer",
    "BudgetSpent",
    "DeclarationInvalid",
    "EngineFailure",
    "Explanation",
    "LedgerBroken",
    "LedgerFailure",
    "QueryInvalid",
    "QueryRefused",
    "Spending",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
