"""A finished output against its source, from the beginning to the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from masking.errors import MaskingFailed
from masking.known.index import KnownValues
from masking.proof.columns import Examined
from masking.proof.learning import ValuePool, learn_pools, learn_source
from masking.proof.report import ScanReport
from masking.proof.scanner import Scanner
from masking.source.base import Progress, Source, no_progress
from schemas.source import TableSource


def scan(
    output: TableSource,
    source: Source,
    columns: Sequence[Examined],
    *,
    pools: Iterable[ValuePool] = (),
    allowed: int = 0,
    common_words: bool = True,
    progress: Progress = no_progress,
) -> ScanReport:
    """Look for every personal value of `source` in all of `output`.

    `progress` is told of the rows of `output` that have been searched, without their number in all. Raises PolicyOutdated where
    `columns` name what the source has not, SourceFailure, and MaskingFailed where there is no personal column to look for.
    """
    if not any(column.sought for column in columns):
        raise MaskingFailed("no column is personal, so that there is nothing to look for; a proof of that says nothing")
    known = KnownValues()
    learn_source(known, source, columns)
    learn_pools(known, pools)
    known.seal()
    scanner = Scanner(known, columns, allowed=allowed, common_words=common_words)
    for table in output.schema.tables:
        rows = 0
        with output.read(table.name) as reader:
            for batch in reader:
                scanner.see(table.name, batch)
                rows += batch.num_rows
                progress(table.name, rows, rows)
    return scanner.report()
