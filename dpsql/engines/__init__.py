"""The databases that hold the private data: DuckDB over files and PostgreSQL, behind one small protocol.

Engines run only statements that `dpsql.compiling` wrote, in one snapshot of the data, and never repeat a database's own message.
"""

from dpsql.engines.base import DataFault, Engine, Reading

__all__ = ["DataFault", "Engine", "Reading"]
