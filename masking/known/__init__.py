"""What is known of the source: an index of all values of its personal columns, as keyed hashes alone.

`KnownValues` says which cells hold such a value, and where in texts one stands. It serves two ends: the redactor finds in free
text what the database itself knows, and the proof looks for what is left of the source in the output.
"""

from masking.known.index import KnownPlace, KnownValues
from masking.known.search import find, search

__all__ = ["KnownPlace", "KnownValues", "find", "search"]
