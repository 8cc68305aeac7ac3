"""The catalogs that clients look into: PostgreSQL's pg_catalog and information_schema, made from the schema alone.

A DuckDB in memory holds their tables; nothing of the data is in it, no count and no statistic. `Catalog.run` rewrites a client's query
for it, and `touches` says whether a query is one for the catalogs at all.
"""

from dpsql.endpoint.catalog.database import Catalog, Found
from dpsql.endpoint.catalog.relations import touches

__all__ = ["Catalog", "Found", "touches"]
