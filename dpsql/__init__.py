"""Differentially private SQL: analysts ask, one person's influence is bounded, noise is added, and a budget is charged.

A query is parsed and bound to an immutable tree (`tree`), what cannot be shown private is refused with the reason, small rules
turn the rest into measurements, an engine computes exact integer sums that one person moves by no more than a known amount,
noise from a proved sampler goes on top, and the ledger is charged before the data is touched.
"""
