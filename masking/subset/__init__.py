"""Subsets: which rows of a source are kept, so that every row that a kept row references is kept too.

Tables are nodes and references edges. Outside cycles a table is looked at once, when all that can reference it is known; the
tables of a cycle (a strongly connected component) are closed together, by a fixpoint. Only keys and referencing columns are read,
and only as keyed hashes are they kept.
"""

from masking.subset.graph import Graph, Reference, reference_graph
from masking.subset.selection import Selection
from masking.subset.spec import SubsetSpec, read_subset
from masking.subset.subsetting import select

__all__ = ["Graph", "Reference", "Selection", "SubsetSpec", "read_subset", "reference_graph", "select"]
