"""`companyos dp`: its commands, each in a module of its own."""

from __future__ import annotations

from companyos.cli import Lazy

PLACES: dict[str, tuple[str, str, str]] = {
    "suggest": ("companyos.dp_suggest", "suggest", "Propose what to declare of privacy, from a schema alone."),
    "budget": ("companyos.dp_budget", "budget", "Show who spent what on what, and what is left."),
    "audit": ("companyos.dp_audit", "audit", "Print the log of queries, refusals and charges, or verify it."),
    "analyst": ("companyos.dp_analyst", "analyst", "Add, remove and list the analysts who may log in."),
    "serve": ("companyos.dp_serve", "serve", "Serve private queries to psql, drivers, notebooks and BI tools."),
    "limit": ("companyos.dp_limit", "limit", "Set the budget of a release anew."),
}

dp = Lazy("dp", places=PLACES, help="Look after private queries: budgets, their ledger, declarations.")
