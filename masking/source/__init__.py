"""Reading the source: one consistent, read-only snapshot of a live database, as Arrow record batches in bounded memory."""

from masking.source.base import Progress, Source
from masking.source.opening import open_source

__all__ = ["Progress", "Source", "open_source"]
