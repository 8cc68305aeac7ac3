"""The ledger's database: transactions that are on the disk, in the database and in the anchor, before anybody hears of them.

A charge is on the disk in the database before the data is touched. The anchor, which guards against databases that are put back, follows
it while the data is read, and is on the disk before anything is told of it.

Charges, limits and refusals are waited for so; how a question ended, and the noisy parts that are kept of it, are not. A loss of power may
take those back and gives no budget: the charge stays, and who asks the same again pays again.

A write to a disk takes milliseconds, whatever is written. So writers that wait for each other in one process share a transaction: the
first to get the lock does the work of all that queue, each within a savepoint where there are several, and each hears of its own outcome
once all is durable.
Writers in other processes wait at the database's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

import sqlalchemy as sa

from dpsql.errors import LedgerFailure
from dpsql.ledger.chain import Chain, Seen
from dpsql.ledger.kept_connection import KeptConnection
from dpsql.ledger.statements import HASH_OF
from schemas.anchor import Anchor, nothing
from schemas.errors import without_secrets
from schemas.hash_chain import Mark
from schemas.transactions import driven, in_sqlite, of_a_reader, of_the_only_writer

T = TypeVar("T")
MOST_TOGETHER = 100
ONE_WRITER = 7_240_991_253_310_227  # the advisory lock that writers of a ledger take in PostgreSQL


class Database:
    """Where a ledger lives: its engine and its anchor. `now` is the clock, giving moments as entries hold them.

    `file` tells which file is there now; None where the ledger is not one.
    """

    def __init__(self, engine: sa.Engine, anchor: Anchor, now: Callable[[], str], file: Callable[[], object] | None = None) -> None:
        self.anchor = anchor
        self._engine = engine
        self.now = now
        self._waiting: list[_Job[object]] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()
        self._seen = Seen()
        self._ahead: Mark | None = None  # an entry that the anchor does not know of yet
        self._writer = None if file is None else KeptConnection(engine, file)  # of whoever has the turn

    def write(self, work: Callable[[Chain], T], *, durable: bool = True) -> T:
        """Do `work` in a transaction of one writer, and return its result when it is durable, in the database and in the anchor.

        With `durable` false the disk is not waited for. The anchor, which must never be ahead of the disk, then follows with the next
        durable transaction or when the ledger is closed, so that what a loss of power takes back is not missed. Errors of `work` undo
        what it did. Raises LedgerBroken where the anchor does not fit, LedgerFailure where the database fails.
        """
        return self._done(_Job(work, durable)).outcome()

    def write_ahead(self, work: Callable[[Chain], T]) -> tuple[T, Callable[[], None]]:
        """Do `work` as `write` does, and return its result when it is on the disk in the database, and what waits for the anchor.

        Nothing of what follows may be told to anybody before that has returned: who puts back an older database then gains nothing, as
        what it has forgotten was never answered. It raises LedgerFailure where the anchor cannot be written.
        """
        job = self._done(_Job(work, durable=True, waits=False))
        return job.outcome(), job.anchored

    def _done(self, job: _Job[T]) -> _Job[T]:
        with self._queue:
            self._waiting.append(job)  # type: ignore[arg-type]
        with self._turn:
            if not job.done:
                with self._queue:
                    batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                    if job not in batch:
                        self._waiting.remove(job)  # type: ignore[arg-type]
                        batch.append(job)  # type: ignore[arg-type]
                self._work_off(batch)
        return job

    def close(self) -> None:
        """Close all connections that nobody uses, with the anchor at the last entry that is on the disk."""
        with self._turn:
            try:
                if self._ahead is not None and self._on_the_disk(self._ahead):
                    self.anchor.move(self._ahead, durable=False)
            finally:
                self._ahead = None  # where it did not follow, it does with the next durable transaction
                if self._writer is not None:
                    self._writer.close()
                self._engine.dispose()

    def _on_the_disk(self, mark: Mark) -> bool:
        """Whether a loss of power cannot take back the entry at `mark`; not where the database fails, or has another one by now."""
        try:
            with self._engine.connect() as connection:
                ((busy, written, stored),) = driven(connection, "PRAGMA wal_checkpoint(PASSIVE)")
                # not all is stored where somebody reads an older state, and nothing where somebody else is at storing it
                return not busy and written == stored and HASH_OF.run(connection, number=mark.number) == [(mark.hash,)]
        except sa.exc.SQLAlchemyError:
            return False

    def write_alone(self, work: Callable[[Chain], T]) -> T:
        """Do `work` in a transaction of its own, whether or not the anchor fits."""
        with self._turn, failures(), self.transaction() as connection:
            self._seen.forget()
            return work(Chain(connection, self.now()))

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """A connection for one statement that reads, within which nothing may be written."""
        with failures():
            if self._writer is not None and self._turn.acquire(blocking=False):  # what it has read before need not be read again
                try:
                    with self._writer.used() as connection:
                        yield connection
                finally:
                    self._turn.release()
            else:
                with self._engine.connect() as connection:
                    yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database throughout."""
        with failures(), of_a_reader(self._engine) as connection:
            yield connection

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[sa.Connection]:
        """A transaction of the only writer from its first statement on, for whoever has the turn."""
        if self._writer is None:
            return of_the_only_writer(self._engine, ONE_WRITER, durable=durable)
        return _in_file(self._writer, durable)

    def _work_off(self, batch: list[_Job[object]]) -> None:
        durable = any(job.durable for job in batch)
        try:
            with failures():
                with self.transaction(durable=durable) as connection:
                    chain = Chain(connection, self.now(), self._seen)
                    chain.hold(self.anchor.read(), self.anchor.path)  # read once nobody else writes, so that it is not ahead
                    before = chain.last()
                    for job in batch:
                        job.run(chain, alone=len(batch) == 1)
                    after = chain.last()
                if after != before and (durable or self._writer is None):
                    anchored = self.anchor.move(after, durable=durable, soon=not any(job.waits for job in batch))
                    for job in batch:
                        job.anchored = anchored
                    self._seen.anchored = after
                    self._ahead = None
                elif after != before:
                    self._ahead = after
        except Exception as error:
            self._seen.forget()
            for job in batch:
                job.fail(error)
        except BaseException:
            self._seen.forget()
            # interrupted, perhaps after the commit: what was charged stays charged, and is not answered
            for job in batch:
                job.fail(LedgerFailure("the ledger was interrupted while it wrote; nothing was answered"))
            raise
        for job in batch:
            job.done = True


@contextmanager
def _in_file(writer: KeptConnection, durable: bool) -> Iterator[sa.Connection]:
    with writer.used() as connection, in_sqlite(connection, durable=durable):
        yield connection


class _Job(Generic[T]):
    def __init__(self, work: Callable[[Chain], T], durable: bool, waits: bool = True) -> None:
        self.durable, self.waits = durable, waits
        self.anchored: Callable[[], None] = nothing
        self.done = False
        self._work = work
        self._result: list[T] = []
        self._error: Exception | None = None

    def run(self, chain: Chain, *, alone: bool) -> None:
        if alone:
            self._result = [self._work(chain)]  # an error undoes the transaction, and that is all
            return
        before = chain.last()
        chain.connection.exec_driver_sql("SAVEPOINT one")
        try:
            self._result = [self._work(chain)]
        except sa.exc.SQLAlchemyError:
            raise  # the database failed, and with it all who share the transaction
        except Exception as error:
            self._error = error
            chain.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one")
            chain.back_to(before)
        chain.connection.exec_driver_sql("RELEASE SAVEPOINT one")

    def fail(self, error: Exception) -> None:
        self._error = error
        self.done = True

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


@contextmanager
def failures() -> Iterator[None]:
    """Turn errors of the database into LedgerFailure, with the first line of what it says and no password."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        raise LedgerFailure(f"the ledger cannot be used: {without_secrets(said[0])[:200]}; nothing was answered") from error
