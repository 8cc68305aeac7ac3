"""What notebooks and programs ask privately, and `companyos query` with them: a target, opened in one analyst's name."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral, Real
from threading import get_ident
from typing import TYPE_CHECKING, Literal, NoReturn, get_args

from companyos.person import person
from companyos.private_target import open_service
from schemas.errors import InputError

if TYPE_CHECKING:
    from dpsql.answers import Answer, Explanation
    from dpsql.ledger import Spending
    from dpsql.planning.model import Settings
    from dpsql.service import Service

DialectName = Literal["postgres", "duckdb"]
File = str | os.PathLike[str]


def open_private(
    target: str,
    *,
    analyst: str | None = None,
    schema: File | None = None,
    ledger: File | None = None,
    anchor: File | None = None,
    store: File | None = None,
    synthetic: str | None = None,
    dialect: DialectName = "postgres",
) -> PrivateData:
    """Open `target` for differentially private questions, as `companyos query` does.

    `target` is a bundle's reference, `postgresql://...` or `duckdb:///FILE`. `analyst` is whose budget pays, by default the name of the
    user who runs this. `schema` is a file, or the name of a built-in schema, whose `privacy:` says whose the rows of a database are; for
    a bundle it stands in place of its own. `ledger`, `anchor` and `store` are where budgets, the ledger's anchor and bundles are kept,
    by default where the commands keep them. `synthetic` is a synthetic bundle of the same schema that answers, labelled so, when the
    budget is gone. `dialect` is that of the SQL.

    Raises InputError where any of these is wrong (its subclass SchemaError where the schema cannot be read, DeclarationInvalid where it
    does not say what privacy needs), LedgerBroken where the ledger is behind its anchor, LedgerFailure where it cannot be opened, and
    EngineFailure where the database cannot be.
    """
    if dialect not in get_args(DialectName):
        raise InputError(f"the dialect is 'postgres' or 'duckdb', not '{dialect}'")
    from dpsql.ledger.names import analyst_name

    name = analyst_name(person() if analyst is None else analyst)
    service = open_service(target, schema_file=schema, ledger=ledger, anchor=anchor, store=store, synthetic=synthetic, dialect=dialect)
    return PrivateData(service, name)


class PrivateData:
    """Data that is asked in SQL and answers so that it tells of nobody; `open_private` makes it.

    Several threads may ask at once: each answer is charged before the data is touched, and no two of them pass a limit together. It
    belongs to the process that opened it and cannot be pickled or copied; each process opens its own, and the ledger they share holds
    them all to one budget. Close it when all is answered, or use it in a `with` statement.
    """

    __slots__ = ("_analyst", "_process", "_service")

    def __init__(self, service: Service, analyst: str) -> None:
        self._service: Service | None = service
        self._analyst = analyst
        self._process = os.getpid()

    def __repr__(self) -> str:
        if self._service is None:
            return f"<PrivateData, closed, asked by {self._analyst}>"
        return f"<PrivateData {self._service.declaration.schema.name} of {self._service.release}, asked by {self._analyst}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("private data cannot be pickled or copied; open it in each process, with the same ledger")

    def __enter__(self) -> PrivateData:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def analyst(self) -> str:
        """Whose budget pays."""
        return self._analyst

    def ask(
        self,
        sql: str,
        *,
        epsilon: float | None = None,
        delta: float | None = None,
        rel_error: float | None = None,
        max_groups: int | None = None,
        min_units: int | None = None,
    ) -> Answer:
        """Answer `sql`; its price is charged to the budget before the data is touched, and what was answered before is free.

        `epsilon` and `delta` are the most that it may spend, by default a tenth and a hundredth of the budget's. With `rel_error`, such
        as 0.02, it spends the least that should bring the 95 % error below that share of the value. A unit of privacy counts in no more
        than `max_groups` groups, and groups with fewer than `min_units` units are left out. Ctrl-C stops the database's work; the charge
        stays.

        Raises QueryInvalid for SQL or settings that are wrong, QueryRefused where the answer cannot be shown private (its `instead` is the
        nearest query that is accepted), BudgetSpent where too little is left, and EngineFailure where the database fails, after which the
        charge stays; InputError where this is closed or of another process, or OpenDP is not installed.
        """
        service = self._opened()
        settings = _settings(epsilon, delta, rel_error, max_groups, min_units)
        return _interruptibly(service, lambda: service.ask(sql, analyst=self._analyst, settings=settings))

    def explain(
        self,
        sql: str,
        *,
        epsilon: float | None = None,
        delta: float | None = None,
        max_groups: int | None = None,
        min_units: int | None = None,
    ) -> Explanation:
        """Say what `ask` would spend on `sql` (its `spend`), how far the answer would be off, and what would run.

        Neither private data nor budget is touched. Raises what `ask` does, but for BudgetSpent.
        """
        return self._opened().explain(sql, analyst=self._analyst, settings=_settings(epsilon, delta, None, max_groups, min_units))

    def budget(self) -> Spending:
        """Return what was spent on this data, by all and by each analyst, and what may be, as `companyos dp budget` shows it."""
        service = self._opened()
        return service.ledger.spending(service.release)

    @property
    def left(self) -> float:
        """The epsilon that the analyst can still spend here, of their own limit and of that of all; more in many small questions."""
        return self.budget().left(self._analyst)

    def close(self) -> None:
        """Close the data and the ledger; nothing can be asked any more. A forked process leaves them to the one that opened them."""
        if self._process != os.getpid():
            return
        service, self._service = self._service, None
        if service is None:
            return
        service.close()
        service.engine.close()
        if service.synthetic is not None:
            service.synthetic.close()

    def _opened(self) -> Service:
        if self._process != os.getpid():
            raise InputError("this private data was opened in another process; open it again in this one, with the same ledger")
        if self._service is None:
            raise InputError("this private data is closed; open it again to ask more")
        return self._service


def _settings(
    epsilon: float | None, delta: float | None, rel_error: float | None, max_groups: int | None, min_units: int | None
) -> Settings:
    """What the service takes, in Python's own numbers: those of other libraries may compare and round in other ways."""
    from dpsql.planning.model import Settings

    return Settings(
        _number("epsilon", epsilon),
        _number("delta", delta),
        _number("rel_error", rel_error),
        _whole("max_groups", max_groups),
        _whole("min_units", min_units),
    )


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{name} is a number, not {value!r}")
    return float(value)


def _whole(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} is a whole number, not {value!r}")
    return int(value)


def _interruptibly(service: Service, ask: Callable[[], Answer]) -> Answer:
    """The answer, unless Ctrl-C stops what the database runs for it."""
    from provisioning.interrupts import interruptible

    thread: list[int] = []

    def work() -> Answer:
        thread.append(get_ident())
        return ask()

    return interruptible(work, lambda: service.engine.cancel(thread[0]), patient=False)
