"""The ledger in a database, by SQLAlchemy."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import rfc8785
import sqlalchemy as sa

from dpsql.accounting import NOTHING, Limit, Spend
from dpsql.errors import BudgetSpent, LedgerBroken, LedgerFailure
from dpsql.ledger import tables
from dpsql.ledger.anchor import Anchor, Mark
from dpsql.ledger.base import Charge, Entry, Outcome, Question, Spending
from schemas.errors import InputError, nearest

FIRST = "0" * 64  # what the first entry takes for the hash before it
LONGEST_NAME = 200
ONE_WRITER = 7_240_991_253_310_227  # the advisory lock that writers of a ledger take in PostgreSQL


class StoredLedger:
    """A ledger in SQLite or PostgreSQL. Each method is one transaction; writers wait for each other."""

    def __init__(self, engine: sa.Engine, anchor: Anchor) -> None:
        self._engine = engine
        self._anchor = anchor
        with self._writing() as connection:
            tables.metadata.create_all(connection)
            found = connection.scalar(sa.select(tables.version.c.version))
            if found is None:
                connection.execute(tables.version.insert().values(version=tables.VERSION))
            elif found > tables.VERSION:
                raise LedgerFailure(f"the ledger is of version {found}, this program knows up to {tables.VERSION}: use a newer one")
            self._hold_anchor(connection)

    def open_release(self, release: str, limit: Limit, per_analyst: Limit | None) -> None:
        """Write down the limits of a release when it is first used. Later ones count where they are lower; raising is `set_limit`'s."""
        _check(limit, per_analyst)
        with self._writing() as connection:
            known = self._limits(connection, release)
            lowest = (limit, per_analyst) if known is None else (_lower(known[0], limit), _lower_of(known[1], per_analyst))
            if known is not None and lowest == known:
                return
            mark = self._set(connection, release, *lowest, by=None, known=known is not None)
        self._anchor.move(mark)

    def set_limit(self, release: str, limit: Limit, per_analyst: Limit | None, by: str) -> None:
        """Write down new limits, higher or lower, and who set them."""
        _check(limit, per_analyst)
        with self._writing() as connection:
            known = self._limits(connection, release)
            mark = self._set(connection, release, limit, per_analyst, by=_name(by), known=known is not None)
        self._anchor.move(mark)

    def reserve(self, release: str, analyst: str, spend: Spend, question: Question) -> Charge:
        """Charge `spend` in one transaction; BudgetSpent where a limit does not allow it, which is written down too."""
        analyst = _name(analyst)
        refused: str | None = None
        with self._writing() as connection:
            limits = self._limits(connection, release)
            if limits is None:
                raise InputError(f"the ledger knows no release '{release}'")
            limit, per_analyst = limits
            all_, own = (self._total(connection, release, name) + spend for name in ("", analyst))
            if not limit.allows(all_):
                refused = _spent("this release", limit, self._total(connection, release, ""), spend)
            elif per_analyst is not None and not per_analyst.allows(own):
                refused = _spent(f"analyst '{analyst}'", per_analyst, self._total(connection, release, analyst), spend)
            if refused is None:
                mark = self._append(connection, "charge", release, analyst, spend, question.sql, question.digest, None)
                self._add(connection, release, "", all_)
                self._add(connection, release, analyst, own)
            else:
                mark = self._append(connection, "refusal", release, analyst, NOTHING, question.sql, question.digest, refused)
        self._anchor.move(mark)
        if refused is not None:
            raise BudgetSpent(refused)
        return Charge(mark.number, release, analyst)

    def keep(self, charge: Charge, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Keep noisy parts by their digests and return those that hold: the first ones kept."""
        if not parts:
            return {}
        with self._writing() as connection:
            known = self._kept(connection, charge.release, list(parts))
            new = [
                {"release": charge.release, "digest": digest, "charge": charge.number, "data": data}
                for digest, data in parts.items()
                if digest not in known
            ]
            if new:
                connection.execute(tables.parts.insert(), new)
        return {digest: known.get(digest, data) for digest, data in parts.items()}

    def kept(self, release: str, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the kept parts among `digests`."""
        with self._reading() as connection:
            return self._kept(connection, release, digests)

    def finish(self, charge: Charge, outcome: Outcome) -> None:
        """Write down how a charged question ended."""
        with self._writing() as connection:
            mark = self._append(connection, "finish", charge.release, charge.analyst, NOTHING, None, None, f"{outcome} {charge.number}")
        self._anchor.move(mark)

    def refuse(self, release: str, analyst: str, sql: str, reason: str) -> None:
        """Write down a question that was not answered."""
        with self._writing() as connection:
            mark = self._append(connection, "refusal", release, _name(analyst), NOTHING, sql[:100_000], None, reason)
        self._anchor.move(mark)

    def spending(self, release: str) -> Spending:
        """Return what was spent on `release`."""
        with self._reading() as connection:
            limits = self._limits(connection, release)
            if limits is None:
                known = connection.scalars(sa.select(tables.limits.c.release)).all()
                raise InputError(f"the ledger knows no release '{release}'{nearest(release, known)}")
            rows = connection.execute(sa.select(tables.totals).where(tables.totals.c.release == release).order_by(tables.totals.c.analyst))
            totals = {row.analyst: _spend(row) for row in rows}
        total = totals.pop("", NOTHING)
        return Spending(release, *limits, total, totals)

    def releases(self) -> Sequence[str]:
        """Return the releases that the ledger knows."""
        with self._reading() as connection:
            return connection.scalars(sa.select(tables.limits.c.release).order_by(tables.limits.c.first_entry)).all()

    def entries(self, release: str | None = None) -> Sequence[Entry]:
        """Return the entries in their order."""
        asked = sa.select(tables.entries).order_by(tables.entries.c.number)
        if release is not None:
            asked = asked.where(tables.entries.c.release == release)
        with self._reading() as connection:
            return [
                Entry(row.number, row.at, row.kind, row.release, row.analyst, _spend(row), row.sql, row.detail)
                for row in connection.execute(asked)
            ]

    def verify(self) -> int:
        """Recompute the chain and the totals; LedgerBroken says which entry was touched."""
        previous, number = FIRST, 0
        totals: dict[tuple[str, str], Spend] = {}
        with self._reading() as connection:
            for row in connection.execute(sa.select(tables.entries).order_by(tables.entries.c.number)):
                number += 1
                if row.number != number:
                    raise LedgerBroken(f"entry {number} of the ledger is missing: the next is {row.number}")
                if row.previous != previous:
                    raise LedgerBroken(f"entry {number} of the ledger does not follow entry {number - 1}: one of them was altered or moved")
                if row.hash != _hash({name: getattr(row, name) for name in tables.CHAINED}):
                    raise LedgerBroken(f"entry {number} of the ledger was altered")
                if row.kind == "charge":
                    for analyst in ("", row.analyst):
                        key = (row.release, analyst)
                        totals[key] = totals.get(key, NOTHING) + _spend(row)
                previous = row.hash
            self._hold_anchor(connection)
            for row in connection.execute(sa.select(tables.totals)):
                if totals.pop((row.release, row.analyst), NOTHING) != _spend(row):
                    raise LedgerBroken(f"the total of release '{row.release}' is not the sum of its charges")
            if totals:
                raise LedgerBroken("a total of the ledger was removed")
        return number

    def _set(
        self, connection: sa.Connection, release: str, limit: Limit, per_analyst: Limit | None, *, by: str | None, known: bool
    ) -> Mark:
        own = (None, None) if per_analyst is None else (per_analyst.epsilon, per_analyst.delta)
        said = f"epsilon {limit.epsilon!r}, delta {limit.delta!r}; each analyst {own[0]!r}, {own[1]!r}"
        mark = self._append(connection, "limit", release, by, NOTHING, None, None, said)
        values = {"epsilon": limit.epsilon, "delta": limit.delta, "analyst_epsilon": own[0], "analyst_delta": own[1]}
        if known:
            connection.execute(tables.limits.update().where(tables.limits.c.release == release).values(**values))
        else:
            connection.execute(tables.limits.insert().values(release=release, first_entry=mark.number, **values))
        return mark

    def _append(
        self,
        connection: sa.Connection,
        kind: str,
        release: str,
        analyst: str | None,
        spend: Spend,
        sql: str | None,
        digest: str | None,
        detail: str | None,
    ) -> Mark:
        last = self._last(connection)
        entry: dict[str, Any] = {
            "number": 1 if last is None else last.number + 1,
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "kind": kind,
            "release": release,
            "analyst": analyst,
            "epsilon": spend.epsilon,
            "delta": spend.delta,
            "rho": spend.rho,
            "delta_rho": spend.delta_rho,
            "sql": None if sql is None else _storable(sql),
            "digest": digest,
            "detail": None if detail is None else _storable(detail),
            "previous": FIRST if last is None else last.hash,
        }
        mark = Mark(entry["number"], _hash(entry))
        connection.execute(tables.entries.insert().values(**entry, hash=mark.hash))
        return mark

    def _last(self, connection: sa.Connection) -> Mark | None:
        row = connection.execute(
            sa.select(tables.entries.c.number, tables.entries.c.hash).order_by(tables.entries.c.number.desc()).limit(1)
        ).first()
        return None if row is None else Mark(row.number, row.hash)

    def _hold_anchor(self, connection: sa.Connection) -> None:
        """Fail where the database is behind what was once written down, or another one."""
        mark = self._anchor.read()
        if mark is None:
            return
        found = connection.scalar(sa.select(tables.entries.c.hash).where(tables.entries.c.number == mark.number))
        if found != mark.hash:
            raise LedgerBroken(
                f"the ledger is not the one that its anchor {self._anchor.path} knows: entry {mark.number} is "
                f"{'missing' if found is None else 'another one'}. It was cut short or put back from an old copy, and what was spent since "
                "is not in it; put back the newest copy"
            )

    def _limits(self, connection: sa.Connection, release: str) -> tuple[Limit, Limit | None] | None:
        row = connection.execute(sa.select(tables.limits).where(tables.limits.c.release == release)).first()
        if row is None:
            return None
        own = None if row.analyst_epsilon is None else Limit(row.analyst_epsilon, row.analyst_delta)
        return Limit(row.epsilon, row.delta), own

    def _total(self, connection: sa.Connection, release: str, analyst: str) -> Spend:
        row = connection.execute(
            sa.select(tables.totals).where(tables.totals.c.release == release, tables.totals.c.analyst == analyst)
        ).first()
        return NOTHING if row is None else _spend(row)

    def _add(self, connection: sa.Connection, release: str, analyst: str, total: Spend) -> None:
        values = {"epsilon": total.epsilon, "delta": total.delta, "rho": total.rho, "delta_rho": total.delta_rho}
        changed = connection.execute(
            tables.totals.update().where(tables.totals.c.release == release, tables.totals.c.analyst == analyst).values(**values)
        )
        if changed.rowcount == 0:
            connection.execute(tables.totals.insert().values(release=release, analyst=analyst, **values))

    def _kept(self, connection: sa.Connection, release: str, digests: Sequence[str]) -> dict[str, bytes]:
        asked = sa.select(tables.parts.c.digest, tables.parts.c.data).where(
            tables.parts.c.release == release, tables.parts.c.digest.in_(digests)
        )
        return {row.digest: bytes(row.data) for row in connection.execute(asked)}

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One writer at a time, from the first statement on."""
        with self._told(), self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.exec_driver_sql("ROLLBACK")
                    raise
                connection.exec_driver_sql("COMMIT")
            else:
                with connection.begin():
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_WRITER)))
                    yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise LedgerFailure(f"the ledger cannot be used: {type(error).__name__}; nothing was answered") from error


def _hash(entry: Mapping[str, Any]) -> str:
    return sha256(rfc8785.dumps({name: _exact(entry[name]) for name in tables.CHAINED})).hexdigest()


def _exact(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value


def _spend(row: Any) -> Spend:
    return Spend(row.epsilon, row.delta, row.rho, row.delta_rho)


def _name(analyst: str) -> str:
    if not analyst or len(analyst) > LONGEST_NAME or any(ord(c) < 32 for c in analyst):
        raise InputError(f"an analyst's name has 1 to {LONGEST_NAME} characters, none of them a control character")
    return _storable(analyst)


def _storable(text: str) -> str:
    """Text that a database and JSON can hold: no zero bytes, no lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _check(limit: Limit, per_analyst: Limit | None) -> None:
    for one in (limit, per_analyst):
        if one is not None and not (0 < one.epsilon < math.inf and 0 <= one.delta < 1):
            raise InputError(f"a budget needs an epsilon above 0 and a delta from 0 to below 1, not {one.epsilon:g} and {one.delta:g}")


def _lower(a: Limit, b: Limit) -> Limit:
    return Limit(min(a.epsilon, b.epsilon), min(a.delta, b.delta))


def _lower_of(a: Limit | None, b: Limit | None) -> Limit | None:
    if a is None or b is None:
        return a or b
    return _lower(a, b)


def _spent(whose: str, limit: Limit, total: Spend, asked: Spend) -> str:
    used = limit.epsilon_of(total)
    left = max(0.0, limit.epsilon - used)
    return (
        f"the privacy budget of {whose} has not enough left: {used:.6g} of epsilon {limit.epsilon:g} is spent, about {left:.6g} is left, and "
        f"the query costs {asked.epsilon:.6g}. Ask with a smaller epsilon, or ask again what was answered before, which is free"
    )
