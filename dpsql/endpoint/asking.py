"""What a session asks, whichever protocol it came by: private queries, catalogs, settings and transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread, get_ident
from typing import Any, Literal, TypeVar

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from dpsql.answers import Prepared
from dpsql.deadlines import DEADLINES
from dpsql.endpoint.catalog import Catalog, touches
from dpsql.endpoint.limits import Limits
from dpsql.endpoint.parameters import standing_in
from dpsql.endpoint.results import Result, Shape, of_answer, of_found, of_texts, with_error_columns
from dpsql.endpoint.session_settings import SessionSettings
from dpsql.endpoint.sqlstates import Fault, fault_of
from dpsql.endpoint.statements import Statement, explained
from dpsql.endpoint.wire_types import TEXT, WireType, wire_type
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.service import Service
from schemas.errors import CompanyOSError

AGAIN = 0.05  # seconds until a statement that was told to stop is told again
Given = TypeVar("Given")
Status = Literal["idle", "open", "failed"]


class Asking:
    """Asks for one analyst. Not for several threads at once, but for `stop`."""

    def __init__(self, service: Service, catalog: Catalog, analyst: str, limits: Limits) -> None:
        self._service, self._catalog, self._analyst, self._limits = service, catalog, analyst, limits
        self.settings = SessionSettings(analyst)
        self.status: Status = "idle"
        self._before: SessionSettings | None = None
        self._local: set[str] = set()
        self._lock = Lock()
        self._over = Event()
        self._over.set()
        self._stopped = False
        self._stopping: Callable[[], None] = lambda: None

    def parse(self, statement: Statement) -> exp.Expr | None:
        """Return the tree of a query, None where it is left to the service to say what is wrong with it."""
        if statement.kind != "query":
            return None
        try:
            return sqlglot.parse_one(statement.sql, read="postgres")
        except (SqlglotError, RecursionError):
            return None

    def describe(
        self, statement: Statement, tree: exp.Expr | None, types: Sequence[WireType], values: Sequence[Any] | None
    ) -> Shape | None:
        """Return the columns that a statement will give, without the data; None where it gives no rows.

        `values` are the parameters' where they are known already.
        """
        match statement.kind:
            case "query":
                values = standing_in(types) if values is None else values
                if self._for_catalogs(tree):
                    return self._run(lambda: self._ask_catalogs(tree, values)).shape
                prepared = self._prepare(statement.sql, tuple(values))
                if self.settings.with_errors:
                    return with_error_columns(prepared.columns, prepared.types, prepared.noisy)
                return Shape(prepared.columns, tuple(wire_type(t) for t in prepared.types))
            case "explain":
                return Shape(("QUERY PLAN",), (TEXT,))
            case "show":
                return self._show(statement).shape
            case _:
                return None

    def refused(self, sql: str, fault: Fault) -> None:
        """Write down that a text was refused before it came to the service, which writes down what it refuses itself."""
        if fault.code in ("0A000", "42501"):
            _guarded(lambda: self._service.ledger.refuse(self._service.release, self._analyst, sql, fault.message))

    def run(self, statement: Statement, tree: exp.Expr | None, values: Sequence[Any] = ()) -> Result:
        """Return what a statement gives.

        Raises Fault, after which a transaction that is open has failed.
        """
        try:
            if self.status == "failed" and statement.kind not in ("commit", "rollback"):
                raise Fault("25P02", "the transaction has failed; everything is turned away until ROLLBACK")
            return self._run(lambda: self._result(statement, tree, values))
        except Fault:
            self.failed()
            raise

    def failed(self) -> None:
        """Note that something went wrong, which fails a transaction that is open."""
        if self.status == "open":
            self.status = "failed"

    def is_charged(self, statement: Statement, tree: exp.Expr | None) -> bool:
        """Whether a statement asks for private data."""
        return statement.kind == "explain" or (statement.kind == "query" and not self._for_catalogs(tree))

    def stop(self, only: Event | None = None) -> None:
        """Stop what runs, from another thread; what was charged for it stays charged. `only` names the one run that is meant."""
        with self._lock:
            if self._over.is_set() or only not in (None, self._over):
                return
            self._stopped = True
            over = self._over

        def insist() -> None:
            # what runs may be between two queries of the database just now
            while not over.is_set():
                self._stopping()
                over.wait(AGAIN)

        Thread(target=insist, daemon=True).start()

    def _result(self, statement: Statement, tree: exp.Expr | None, values: Sequence[Any]) -> Result:
        match statement.kind:
            case "query":
                if self._for_catalogs(tree):
                    return self._ask_catalogs(tree, values)
                settings = self.settings.private()
                answer = self._service.ask(statement.sql, analyst=self._analyst, settings=settings, parameters=tuple(values))
                return of_answer(answer, self.settings.with_errors)
            case "explain":
                return self._explain(statement, values)
            case "show":
                return self._show(statement)
            case "set":
                return self._set(statement)
            case "reset":
                self.settings.reset(
                    None if len(statement.words) > 1 and statement.words[1].upper() == "ALL" else _name(statement.words[1:])
                )
            case "begin" | "commit" | "rollback":
                return self._transaction(statement)
            case "savepoint" if self.status == "idle":
                raise Fault("25P01", f"{statement.words[0].upper()} is for within a transaction")
            case "discard" if "ALL" in (w.upper() for w in statement.words) and statement.words[0].upper() == "DISCARD":
                self.settings.reset()
            case "harmless" if statement.words[0].upper() == "CLOSE" and statement.words[-1].upper() != "ALL":
                raise Fault("34000", "there is no such cursor")
            case _:
                pass
        return Result(statement.tag)

    def _prepare(self, sql: str, values: tuple[Any, ...]) -> Prepared:
        try:
            return self._service.prepare(sql, values)
        except (QueryRefused, QueryInvalid) as error:
            self._service.ledger.refuse(self._service.release, self._analyst, sql, str(error))
            raise fault_of(error) from error
        except CompanyOSError as error:
            raise fault_of(error) from error

    def _for_catalogs(self, tree: exp.Expr | None) -> bool:
        if tree is None:
            return False
        about = touches(tree, self._service.declaration.schema)
        if about == "both":
            raise Fault("0A000", "a query is about tables or about catalogs, not about both")
        return about != "tables"

    def _ask_catalogs(self, tree: exp.Expr | None, values: Sequence[Any]) -> Result:
        assert tree is not None
        if not isinstance(tree, exp.Query):
            raise Fault("0A000", "only queries are answered here", hint="Ask with SELECT.")
        session = {n.lower(): v for n, v, _ in self.settings.rows()} | {"user": self._analyst}
        found = self._catalog.run(
            tree, session, parameters=values, seconds=self._limits.statement, most=self._limits.catalog_rows, running=self._stops_by
        )
        return of_found(found)

    def _explain(self, statement: Statement, values: Sequence[Any]) -> Result:
        sql = explained(statement)
        inner = Statement("query", sql, ())
        if self._for_catalogs(self.parse(inner)):
            return of_texts("EXPLAIN", ["QUERY PLAN"], [["cost: free: no table of the data is asked"]])
        explanation = self._service.explain(sql, analyst=self._analyst, settings=self.settings.private(), parameters=tuple(values))
        return of_texts("EXPLAIN", ["QUERY PLAN"], [[line] for line in explanation.lines()])

    def _show(self, statement: Statement) -> Result:
        words = [w.upper() for w in statement.words[1:]]
        if words == ["ALL"]:
            return of_texts("SHOW", ["name", "setting", "description"], self.settings.rows())
        name = {"TIME ZONE": "TimeZone", "TRANSACTION ISOLATION LEVEL": "transaction_isolation"}.get(" ".join(words)) or self.settings.name(
            _name(statement.words[1:])
        )
        return of_texts("SHOW", [name], [[self._budget() if name == "dp.budget" else self.settings.get(name)]])

    def _budget(self) -> str:
        spending = self._service.ledger.spending(self._service.release)
        limit, own = spending.limit, spending.limit_of(self._analyst)
        told = f"epsilon {limit.epsilon_of(spending.total):.6g} of {limit.epsilon:g} spent by all (delta {limit.delta:g})"
        if self._analyst in spending.analysts or own is not None:
            mine = spending.analysts.get(self._analyst)
            allowed = own or limit
            told += f"; {0.0 if mine is None else allowed.epsilon_of(mine):.6g} of {allowed.epsilon:g} by {self._analyst}"
        return told

    def _set(self, statement: Statement) -> Result:
        words = list(statement.words[1:])
        scope = words[0].upper() if words else ""
        if scope in ("SESSION", "LOCAL") and len(words) > 1 and words[1].upper() not in ("AUTHORIZATION", "CHARACTERISTICS"):
            words.pop(0)
        upper = [w.upper() for w in words]
        match upper:
            case ["TRANSACTION" | "CONSTRAINTS", *_] | ["SESSION", "CHARACTERISTICS", *_]:
                if "WRITE" in upper:
                    raise Fault("25006", "transactions are read-only here")
                return Result("SET")
            case ["ROLE" | "SESSION", *_]:
                if upper[-1] not in ("NONE", "DEFAULT") and words[-1] != self._analyst:
                    raise Fault("42501", "a session stays its analyst's")
                return Result("SET")
            case ["TIME", "ZONE", *_]:
                name, value = "TimeZone", "".join(words[2:])
            case ["NAMES", *_]:
                name, value = "client_encoding", "".join(words[1:]) or "UTF8"
            case _:
                at = next((n for n, w in enumerate(upper) if w in ("=", "TO")), 0)
                if at == 0 or at == len(words) - 1:
                    raise Fault("42601", "write SET name = value")
                name, value = _name(words[:at]), "".join(words[at + 1 :])
        if self.status == "open" and scope == "LOCAL":
            self._local.add(name)
        if value.upper() == "DEFAULT":
            self.settings.reset(name)
            return Result("SET")
        told = self.settings.set(name, value)
        return Result("SET", told=(told,) if told is not None else ())

    def _transaction(self, statement: Statement) -> Result:
        """Nothing is written, so a transaction is but a state; settings follow it as PostgreSQL's do."""
        if statement.kind == "begin":
            if self.status == "idle":
                self._before, self._local = self.settings.copy(), set()
                self.status = "open"
            return Result("BEGIN")
        failed = self.status == "failed" or statement.kind == "rollback"
        if self._before is not None:
            if failed:
                self.settings = self._before
            for name in self._local:
                self.settings.put_back(name, self._before)
        self._before = None
        self.status = "idle"
        return Result("ROLLBACK" if failed else "COMMIT")

    def _stops_by(self, stopping: Callable[[], None]) -> None:
        with self._lock:
            self._stopping = stopping

    def _run(self, step: Callable[[], Result]) -> Result:
        """Run one statement, which can be stopped and has its time."""
        me = get_ident()
        with self._lock:
            self._over, self._stopped = Event(), False
            self._stopping = lambda: self._service.engine.cancel(me)
            over = self._over
        late = Event()

        def stop() -> None:
            late.set()
            self.stop(over)

        try:
            with DEADLINES.within(self._limits.statement, stop):
                return _guarded(step)
        except Fault as fault:
            if self._stopped and fault.code in ("58000", "57014"):
                why = "it took too long" if late.is_set() else "the client asked for it"
                raise Fault("57014", f"the query was stopped: {why}", "What was charged for it stays charged.") from fault
            raise
        finally:
            with self._lock:
                over.set()


def _guarded(step: Callable[[], Given]) -> Given:
    """What `step` gives; the errors of other rooms as faults."""
    try:
        return step()
    except CompanyOSError as error:
        raise fault_of(error) from error


def _name(words: Sequence[str]) -> str:
    return "".join(words)
