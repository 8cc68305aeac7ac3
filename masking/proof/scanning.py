"""A finished output against its source, from the beginning to the report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

import pyarrow as pa

from masking.errors import MaskingFailed
from masking.known.index import KnownValues
from masking.literals import places_of_persons
from masking.progress import OnProgress, Progress, unseen
from masking.proof.columns import Examined, key_columns
from masking.proof.judging import Picks
from masking.proof.learning import ValuePool, learn_pools, learn_source
from masking.proof.report import ScanReport
from masking.proof.scanner import Scanner
from masking.proof.words import common_words as listed_words
from masking.source.base import Source
from schemas.model import Schema


class Tables(Protocol):
    """A finished output: an opened bundle, or any other `TableSource`."""

    @property
    def schema(self) -> Schema: ...

    def read(self, table: str) -> pa.RecordBatchReader: ...


def scan(
    output: Tables,
    source: Source,
    columns: Sequence[Examined],
    *,
    pools: Iterable[ValuePool] = (),
    allowed: int = 0,
    common_words: bool = True,
    certificate: Mapping[str, Any] | None = None,
    picked: Picks = MappingProxyType({}),
    on_progress: OnProgress = unseen,
) -> ScanReport:
    """Look for every personal value of `source` in all of `output`, its schema and its `certificate`.

    `columns` say what became of the source's columns, `picked` what stands where by the masking key's picks alone.
    Raises PolicyOutdated where `columns` name what the source has not, SourceFailure, and MaskingFailed where no column is personal, so
    that the scan would prove nothing.
    """
    if not any(column.sought for column in columns):
        raise MaskingFailed("no column is personal, so that there is nothing to look for, and a scan would prove nothing")
    known = KnownValues()
    learn_source(known, source, columns, on_progress)
    learn_pools(known, pools)
    if common_words:
        known.pass_over(pa.array(listed_words().words, pa.large_string()))
    known.seal()
    said = places_of_persons(known, output.schema, certificate or {})
    scanner = Scanner(known, columns, allowed=allowed, common_words=common_words, keys=key_columns(output.schema), jobs=os.cpu_count() or 1)
    rows = 0
    for table in output.schema.tables:
        with output.read(table.name) as reader:
            for batch in reader:
                scanner.see(table.name, batch)
                rows += batch.num_rows
                on_progress(Progress("search", table.name, rows, None))
    source.check_unchanged()
    return replace(scanner.report(picked=picked), said=said)
