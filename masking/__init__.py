"""The masking room: a real database becomes data that is safe to hand on.

Classifies columns, masks them by transformers with no way back, keeps references whole, takes subsets, makes people
k-anonymous, and proves that no value of the source is left. Imports `schemas` alone; what it makes is a `TableSource`.
"""
