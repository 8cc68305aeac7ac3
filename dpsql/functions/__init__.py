"""The functions and operators that a query may use over private rows: what is known of their values, and total SQL for both databases.

A function is total: over any values of its arguments it gives a value or null, and never fails, since an error would tell of the
data. DuckDB's TRY makes null of what fails; for PostgreSQL each function guards itself. `FUNCTIONS` holds them all by name.
"""

from dpsql.functions.emission import emit
from dpsql.functions.registry import FUNCTIONS, Function, call

__all__ = ["FUNCTIONS", "Function", "call", "emit"]
