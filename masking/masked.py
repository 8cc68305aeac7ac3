"""The masked snapshot of a source: a `schemas.source.TableSource` whose every batch is masked, then searched for survivors.

The source is read twice. The first reading (`prepare`) shows learners their columns and takes the personal values down, as keyed
hashes; the second masks. At most a few batches are in memory at a time. All that looks at rows sees them in the order of the source; last
of all they are put in the order in which they are written (`masking.row_order`).
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from masking.agreement import agree, resolved
from masking.binding import BoundTable, bind
from masking.canonical import texts_of
from masking.drawn_rows import DrawnRows
from masking.dropped import with_dropped
from masking.errors import MaskingFailed
from masking.fitting import fitted
from masking.keyed import UInt64
from masking.keys import MaskingKey
from masking.known import KnownValues
from masking.literals import declares_a_person, holds_a_person, require_no_person
from masking.output_privacy import output_privacy, require_named
from masking.output_schema import output_schema
from masking.people import PeopleCheck, Recoded, gather, outcome_of, read_people, recode, require_covered, require_room, risks_of
from masking.policy.model import DROP, Policy, Treatment
from masking.pools import Pool, pools_of
from masking.progress import OnProgress, Progress, unseen
from masking.proof import (
    Compared,
    Copies,
    CopiesFound,
    Scanner,
    ScanReport,
    TableLearner,
    Unchanged,
    certificate,
    column_entries,
    common_words,
    compare,
    copies,
    examined,
    is_compared,
    key_columns,
    learn_pools,
    textual_or_whole,
)
from masking.references import Families
from masking.review import price_documents, prices
from masking.row_order import RowOrder, is_told_by_what_is_kept
from masking.scripts import foreign_locales
from masking.source.base import Source
from masking.stopping import until
from masking.subset import Selection, read_subset, reference_graph, select
from masking.transformers.base import Learner, Rows
from schemas.heeding import result_of
from schemas.model import Column, Schema, Table
from schemas.prefetch import prefetched
from schemas.privacy import Privacy
from schemas.types import SqlType

# a batch, the numbers that put its rows in order (None where they stay as they are), what stayed, and where
_MaskedBatch = tuple[pa.RecordBatch, UInt64 | None, dict[str, Compared], Mapping[tuple[str, str], CopiesFound]]
_BETWEEN = "\x1f"
_PENDING_BYTES = 128 << 20  # of batches that are masked at a time, where they are more than one


def _asked_of(treatment: Treatment) -> str:
    """What a treatment says in which other columns may be named: parameters and conditions, in lower case."""
    steps = [step.parameters for step in (treatment.mask, treatment.otherwise, treatment.rest) if step is not None]
    own = repr((steps, treatment.when, treatment.subject)).lower()
    return " ".join([own, *map(_asked_of, treatment.paths.values())])


def _learners(bound: BoundTable) -> list[tuple[str, Learner]]:
    return [(c.column.name, c.masker) for c in bound.columns if isinstance(c.masker, Learner)]


def _without_lengths(schema: Schema) -> Schema:
    """The schema with room for texts of any length."""

    def roomy(type: SqlType) -> SqlType:
        return replace(type, length=None, item=None if type.item is None else roomy(type.item))

    tables = (replace(t, columns=tuple(replace(c, type=roomy(c.type)) for c in t.columns)) for t in schema.tables)
    return replace(schema, tables=tuple(tables))


class MaskedSource:
    """A source under a policy and a key: call `prepare`, then `read` every table; the provenance is known after the last.

    `privacy` is what is declared of the source's rows where its own schema, as that of a live database, says nothing of it. What holds
    of the masked rows too goes into the output's schema. Raises PolicyOutdated, PolicyInvalid and InputError when it is made, before a
    row is masked.
    """

    kind = "sanitized"
    schema: Schema

    def __init__(
        self,
        source: Source,
        policy: Policy,
        key: MaskingKey,
        *,
        jobs: int | None = None,
        on_progress: OnProgress | None = None,
        privacy: Privacy | None = None,
    ) -> None:
        self.source = source
        self.families: Families = agree(source.schema, policy)
        self.policy = policy
        self._key: MaskingKey | None = key
        self._jobs, self._tell = jobs or os.cpu_count() or 1, on_progress or unseen
        self._graph = reference_graph(source.schema, policy.references, [n for n, t in policy.tables.items() if t.drop], policy.file)
        self._spec = None
        if policy.subset is not None:
            self._spec = read_subset(policy.subset, self._graph, source.dialect, policy.file, policy.places.get("subset"))
        self._known = KnownValues(key.derive("known values"))
        self._bound = bind(source.schema, policy, self.families, key, source.count, self._known)
        self._resolved = resolved(with_dropped(source, policy), self.families)
        self._examined = examined(column_entries(self._resolved))
        self._people = read_people(policy, source.schema)
        self._people_key = key.derive("people")
        self._privacy = source.schema.privacy
        if privacy is not None:
            require_named(source.schema, privacy)
            self._privacy = privacy
        self.schema, self.left_out = self._output_schema()
        self._recoded: list[tuple[Recoded, PeopleCheck]] = []
        self._selection: Selection | None = None
        self._scanner: Scanner | None = None
        self._certificate: Mapping[str, Any] | None = None
        self._total: int | None = sum(source.count(t.name) for t in source.schema.tables)
        self._unchanged, self._copies = Unchanged(), Copies()
        self._locales = set(policy.locales)
        self._rows: dict[str, int] = {}
        self._done = 0
        drawn = [b.table for b in self._bound.values() if not is_told_by_what_is_kept(b) or self._is_anonymous(b.table)]
        self._orders = {table.name: RowOrder.of(table, self._read_of(table), key) for table in drawn}
        self._folder: Path | None = None

    def wait_in(self, folder: Path) -> None:
        """Let masked rows that have no room in memory wait in `folder`, not in the system's folder for temporary files."""
        self._folder = folder

    def _is_anonymous(self, table: Table) -> bool:
        return any(spec.table == table.name or spec.of(table.name) for spec in self._people)

    def _output_schema(self, known: KnownValues | None = None) -> tuple[Schema, tuple[str, ...]]:
        """The schema of the output and what could not stay, with nothing in it that holds a value by which a person is `known`."""
        holds = None if known is None else partial(holds_a_person, known)
        output, left_out = output_schema(self.source.schema, self.policy, holds_a_person=holds)
        if self._privacy is None:
            return output, left_out
        recoded = [quasi.name for spec in self._people for quasi in spec.quasi]
        whole = None if self._spec is None else self._spec.whole
        told = [] if known is None else [path for path, said in self._privacy.columns.items() if declares_a_person(known, said)]
        privacy, lost = output_privacy(self._privacy, output, self._resolved, recoded=recoded, of_persons=told, whole=whole)
        return replace(output, privacy=privacy), (*left_out, *lost)

    def prepare(self) -> None:
        """Read the source for the first time: learners see their columns, and the personal values are taken down."""
        if self._spec is not None:
            assert self._key is not None
            self._selection = select(self.source, self._spec, self._graph, self._key.derive("subset"))
        for spec in self._people:
            records = gather(spec, self._source_column, self._read_kept, self._people_key)
            found = recode(records)
            for name, columns in found.columns.items():
                for c in columns:
                    written = self.schema.table(name)
                    require_room(c, written.column(c.quasi.column), written)
            self._recoded.append((found, PeopleCheck(spec, self._people_key)))
        self._done = 0
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="learn") as threads:
            for table in self.source.schema.tables:
                self._learn(table, threads)
        learn_pools(self._known, self._pools())
        if self.policy.proof.common_words:  # somebody is called Young; "young" in a text is nobody's name for that
            self._known.pass_over(pa.array(common_words().words, pa.large_string()))
        self._known.seal()
        require_no_person(self._known, self.policy, self.schema)
        self.schema, self.left_out = self._output_schema(self._known)
        self._scanner = self._new_scanner()
        self._done = 0

    def _new_scanner(self) -> Scanner:
        return Scanner(
            self._known,
            self._examined,
            allowed=self.policy.proof.survivors,
            common_words=self.policy.proof.common_words,
            keys=key_columns(self.schema),
            jobs=self._jobs,
        )

    def _learn(self, table: Table, threads: ThreadPoolExecutor) -> None:
        bound = self._bound.get(table.name)
        learners = [] if bound is None else _learners(bound)
        taker = TableLearner(table, self._examined)
        wanted = self._read_of(table) if learners else taker.wanted
        if wanted == []:
            self._done += self.source.count(table.name)
            return
        for first, batch in self._batches(table, "learn", wanted):
            taker.learn(self._known, batch, threads.map)
            for name in taker.wanted:
                self._locales |= foreign_locales(batch.column(name), self.policy.locale)
            if bound is not None and learners:
                self._teach(bound, learners, self._kept(table, first, batch))
        for _, masker in learners:
            masker.finish()

    def _teach(self, bound: BoundTable, learners: Sequence[tuple[str, Learner]], kept: pa.RecordBatch) -> None:
        rows = self._rows_of(bound, kept)
        for name, masker in learners:
            masker.learn(kept.column(name), rows)

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream the masked rows of `table`, typed as the output schema has it; raises MaskingFailed, SourceFailure, RoomFailure."""
        if self._scanner is None:
            raise MaskingFailed("the source has not been read for the first time; call `prepare` before `read`")
        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, self._in_order(self._bound[table], self._scanner))

    def _in_order(self, bound: BoundTable, scanner: Scanner) -> Iterator[pa.RecordBatch]:
        """The masked rows in the order in which they are written."""
        name, rows = bound.table.name, 0
        expected = self.source.count(name) if self._selection is None else self._selection.counts[name]
        with DrawnRows(self.schema.table(name).arrow, expected, self._folder) as drawn:
            for batch, draws in self._searched(bound, scanner):
                rows += batch.num_rows
                if draws is None:
                    yield batch
                else:
                    drawn.add(batch, draws)
            yield from drawn.rows()
        self._rows[name] = rows

    def _searched(self, bound: BoundTable, scanner: Scanner) -> Iterator[tuple[pa.RecordBatch, UInt64 | None]]:
        for batch, draws in self._masked(bound):
            scanner.see(bound.table.name, batch)
            for _, held in self._recoded:
                held.see(bound.table.name, batch)
            yield batch, draws

    def _masked(self, bound: BoundTable) -> Iterator[tuple[pa.RecordBatch, UInt64 | None]]:
        """Mask batches in several threads, and give them in their order."""
        pending: deque[tuple[int, Future[_MaskedBatch]]] = deque()
        size = rows = 0
        stopped = Event()

        def mask(batch: pa.RecordBatch, first: int) -> _MaskedBatch:
            with until(stopped):
                return self._mask(bound, batch, first)

        def first_done() -> tuple[pa.RecordBatch, UInt64 | None]:
            nonlocal size
            taken, future = pending.popleft()
            size -= taken
            return self._compared(bound, result_of(future))

        with ThreadPoolExecutor(self._jobs, thread_name_prefix="mask") as pool:
            try:
                for first, batch in self._batches(bound.table, "mask", self._read_of(bound.table)):
                    size += batch.nbytes
                    kept = self._kept(bound.table, first, batch)
                    pending.append((batch.nbytes, pool.submit(mask, kept, rows)))
                    rows += kept.num_rows
                    while len(pending) > self._jobs or (size > _PENDING_BYTES and len(pending) > 1):
                        yield first_done()
                while pending:
                    yield first_done()
            finally:
                stopped.set()
                for _, future in pending:
                    future.cancel()

    def _compared(self, bound: BoundTable, masked: _MaskedBatch) -> tuple[pa.RecordBatch, UInt64 | None]:
        """Count what stayed as it was."""
        batch, draws, compared, copied = masked
        self._copies.add(bound.table.name, copied)
        resolved = self._resolved.tables[bound.table.name].columns
        for name, found in compared.items():
            self._unchanged.add(f"{bound.table.name}.{name}", resolved[name], found)
        return batch, draws

    def _mask(self, bound: BoundTable, batch: pa.RecordBatch, first: int) -> _MaskedBatch:
        """Mask rows, the first of which is the row `first` of those that are masked."""
        rows = self._rows_of(bound, batch)
        table = self.schema.table(bound.table.name)
        recoded = {q.quasi.column: q for found, _ in self._recoded for q in found.columns.get(table.name, ())}
        columns, compared = [], {}
        for c in bound.columns:
            values = batch.column(c.column.name)
            cells = recoded.get(c.column.name)
            masked = values if c.masker is None else c.masker.apply(values, rows)
            if cells is not None:
                masked = cells.apply(batch.column(cells.link), self._people_key)
                require_covered(cells.quasi, cells.hierarchy, values, masked)
            columns.append(fitted(masked, table.column(c.column.name), table, values))
            if c.masker is not None and is_compared(c.treatment):
                found = compare(self._known.hasher, values, columns[-1])
                if found is not None:
                    compared[c.column.name] = found
        made = pa.RecordBatch.from_arrays(columns, schema=table.arrow)
        order = self._orders.get(table.name)
        return made, None if order is None else order.draws(batch, first), compared, self._copied(bound, batch, made)

    @staticmethod
    def _copied(bound: BoundTable, raw: pa.RecordBatch, made: pa.RecordBatch) -> Mapping[tuple[str, str], CopiesFound]:
        """Where the numbers and texts that are masked stand in public columns of their rows."""
        masked = [
            c.column.name for c in bound.columns if c.masker is not None and c.treatment.klass == "direct" and is_compared(c.treatment)
        ]
        personal = {name: raw.column(name) for name in textual_or_whole({name: raw.schema.field(name).type for name in masked})}
        public = [c.column.name for c in bound.columns if c.treatment.klass == "public"]
        looked = textual_or_whole({name: made.schema.field(name).type for name in public}) if personal else ()
        keys = {name for name in looked if bound.table.is_unique(name) or bound.table.foreign_key_of(name) is not None}
        found = {}
        for name, values in personal.items():  # a reference may be the same as the row's own key: both may count from one
            others = looked if bound.table.is_unique(name) else [other for other in looked if other not in keys]
            found.update(copies({name: values}, {other: made.column(other) for other in others}))
        return found

    def _source_column(self, table: str, column: str) -> Column:
        return self.source.schema.table(table).column(column)

    def _read_kept(self, table: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Columns of the rows of a table that are in the subset."""
        found, self._done = self.source.schema.table(table), 0
        return (self._kept(found, first, batch) for first, batch in self._batches(found, "gather", columns))

    def _read_of(self, table: Table) -> list[str]:
        """The columns that are read: not those that are dropped, are nothing to look for, and that no other treatment may ask for."""
        treated = self._resolved.tables[table.name]
        said = {name: _asked_of(t) for name, t in treated.columns.items()}

        def wanted(name: str) -> bool:
            treatment = treated.columns[name]
            if treatment.mask.name != DROP or treatment.personal or name in treated.subject:
                return True
            word = re.compile(rf"(?<!\w){re.escape(name.lower())}(?!\w)")
            return any(word.search(text) for other, text in said.items() if other != name)

        return [c.name for c in table.stored_columns if wanted(c.name)]

    def _kept(self, table: Table, first: int, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a batch that are in the subset, where one is taken."""
        return batch if self._selection is None else batch.filter(self._selection.keep(table.name, batch, first))

    def _batches(self, table: Table, stage: str, columns: list[str] | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The batches of a table and the number of the first row of each, read ahead by a thread."""
        first = 0
        with self.source.read(table.name, columns) as reader, prefetched(reader) as batches:
            for batch in batches:
                yield first, batch
                first += batch.num_rows
                self._tell(Progress(stage, table.name, self._done + first, self._total))
        self._done += first

    def _rows_of(self, bound: BoundTable, batch: pa.RecordBatch) -> Rows:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        subject = None
        if bound.subject:
            texts = [texts_of(columns[name]) for name in bound.subject]
            subject = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _BETWEEN)
        return Rows(columns, batch.num_rows, subject)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The certificate, once every table has been read; raises Survivors where values of the source are left in the output.

        The key is given up: nothing can be masked afterwards.
        """
        if self._certificate is None:
            if self._scanner is None or set(self._rows) != set(self._bound):
                raise MaskingFailed("the certificate is known when every table has been read to its end")
            for _, held in self._recoded:
                held.require()
            report = self._scanner.report()
            if not report.passed:
                places = [found.output for found in report.found if found.survivors]
                again = [name for name in self._bound if any(place.startswith(f"{name}.") for place in places)]
                report = self._scanner.report(self._under_another_key(again))
            self.source.check_unchanged()
            report.require()
            self._unchanged.require()
            self._copies.require()
            self._certificate = self._certified(report)
            self._bound, self._orders, self._key, self._scanner, self._people_key = {}, {}, None, None, b""
        return {"certificate": self._certificate}

    def _under_another_key(self, tables: Collection[str]) -> Scanner:
        """What is found in some tables when the same rows are masked under another key: what was not masked is there again.

        Texts have any length, so that a longer pseudonym pushes nothing out of a column that was not masked.
        """
        assert self._key is not None
        again, key, scanner = copy(self), self._key.another, self._new_scanner()
        again._tell, again._total = (lambda step: self._tell(replace(step, stage="compare"))), None
        again.schema = _without_lengths(self.schema)
        again._bound = bind(_without_lengths(self.source.schema), self.policy, self.families, key, self.source.count, self._known)
        again._unchanged, again._copies, again._orders, again._done = Unchanged(), Copies(), {}, 0
        for bound in again._bound.values():
            learners = _learners(bound)
            for first, batch in again._batches(bound.table, "learn", self._read_of(bound.table)) if learners else ():
                again._teach(bound, learners, self._kept(bound.table, first, batch))
            for _, masker in learners:
                masker.finish()
        again._done = 0
        for name in tables:
            for batch, _ in again._masked(again._bound[name]):
                scanner.see(name, batch)
        return scanner

    def _pools(self) -> list[Pool]:
        """The pools that pseudonyms are picked from: those of the policy's locales, and of the scripts that the source is written in."""
        return pools_of(self._locales)

    def _certified(self, report: ScanReport) -> Mapping[str, Any]:
        assert self._key is not None
        source = self.source.schema
        return certificate(
            self._resolved,
            source,
            self.schema,
            self._key,
            {t.name: (self.source.count(t.name), self._rows.get(t.name, 0)) for t in source.tables},
            report,
            kind=self.source.dialect,
            version_of_project=version("companyos-data"),
            prices=price_documents(prices(source, replace(self._resolved, key=self._key.origin))),
            pools=[(f"{pool.locale}/{pool.kind}", len(pool), pool.digest) for pool in self._pools()],
            risks=[risks_of(found) for found, _ in self._recoded],
            anonymity=[outcome_of(found) for found, _ in self._recoded],
            left_out=self.left_out,
            unchanged=self._unchanged.document(),
        )
