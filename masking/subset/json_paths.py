"""What paths find in JSON documents, a column at a time, by DuckDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = "SELECT CASE WHEN json_valid(document) THEN json_extract_string(document, ?) END AS found FROM documents"


_BRACKETS = re.compile(r'\["([^"\\]*)"\]')  # around a name, as policies write it and DuckDB does not


class JsonPaths:
    """Finds by paths such as `$.user_id`, `$.items[0].id`, `$.items[*].id` and `$["user id"]`."""

    def __init__(self) -> None:
        self._database: DuckDBPyConnection | None = None

    def found(self, documents: pa.Array, path: str) -> pa.Array:
        """Return what `path` finds in each document, as texts, or lists of texts where it has a `*`; null where one is no JSON."""
        if self._database is None:
            import duckdb

            self._database = duckdb.connect(":memory:", config={"threads": 1, "temp_directory": ""})
        self._database.register("documents", pa.table({"document": documents.cast(pa.string())}))
        try:
            return self._database.sql(_QUERY, params=[_BRACKETS.sub(r'."\1"', path)]).to_arrow_table().column("found").combine_chunks()
        finally:
            self._database.unregister("documents")

    def problem(self, path: str) -> str | None:
        """Say why `path` is none, None where it is one."""
        import duckdb

        try:
            self.found(pa.array(["{}"]), path)
        except duckdb.Error:
            return f"'{path}' is no path that can be followed; write it like $.user_id or $.items[*].id"
        return None
