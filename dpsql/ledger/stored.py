"""The ledger in a database, by SQLAlchemy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from dpsql.accounting import NOTHING, Limit, Spend
from dpsql.errors import BudgetSpent
from dpsql.ledger import tables
from dpsql.ledger.base import Charge, Entry, Outcome, Question, Spending
from dpsql.ledger.chain import Chain, document_of, hold_entry, spend_of_row
from dpsql.ledger.database import Database
from dpsql.ledger.names import analyst_name
from dpsql.ledger.statements import ADD_PART, EntryRow, parts_among
from dpsql.ledger.terms import Terms, checked, limit_of, lower, lower_of, plain_limit, plain_spend, spend_of, words
from dpsql.ledger.verifying import parts_hash, verify_chain, verify_parts
from schemas.errors import InputError, nearest
from schemas.hash_chain import storable

LONGEST_SQL = 100_000
LONGEST_REASON = 4_000
PAGE = 1_000
MOST_SOUGHT = 100  # digests in a statement


class StoredLedger:
    """A ledger in SQLite or PostgreSQL. Each method is one transaction; writers wait for each other."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._anchoring: dict[int, Callable[[], None]] = {}  # of charges whose anchor may still be on its way to the disk

    def close(self) -> None:
        """Close the connections that wait for the next question; the ledger can be used again."""
        self.database.close()

    def open_release(self, release: str, limit: Limit, per_analyst: Limit | None) -> None:
        """Write down the limits of a release when it is first used.

        Where they differ from those that were given last, they lower what holds, and never raise it; that is `set_limit`'s.
        """
        checked(limit, per_analyst)
        declared = (limit, per_analyst)
        with self.database.reading() as connection:
            known = _terms(Chain(connection, self.database.now()), release)
        if known is None or known.declared != declared:
            self.database.write(lambda chain: _declare(chain, storable(release), limit, per_analyst))

    def set_limit(self, release: str, limit: Limit, per_analyst: Limit | None, by: str, refresh_days: int | None = None) -> None:
        """Write down new limits, higher or lower, and who set them; with `refresh_days` the budget is renewed after so many days."""
        checked(limit, per_analyst)
        if refresh_days is not None and not 1 <= refresh_days <= 36_500:
            raise InputError(f"a budget is renewed after 1 to 36500 days, not {refresh_days}")
        by = analyst_name(by)

        def work(chain: Chain) -> None:
            known = _terms(chain, release)
            since = None if refresh_days is None else chain.now
            if known is not None and known.refresh_days == refresh_days:
                since = known.since
            terms = Terms(limit, per_analyst, None if known is None else known.declared, refresh_days, since)
            chain.append("limit", release=release, analyst=by, document=terms.document())

        self.database.write(work)

    def set_analyst(self, analyst: str, limit: Limit | None, by: str) -> None:
        """Write down an analyst's own limit on every release, which takes the place of the releases' limit per analyst; None ends it."""
        name = analyst_name(analyst)
        self.database.write(lambda chain: self.note_analyst(chain, name, limit, by, "limited"))

    def note_analyst(self, chain: Chain, analyst: str, limit: Limit | None, by: str, what: str) -> None:
        """Write down within a transaction what was done to an analyst, and the limit of their own that holds from now on."""
        checked(limit)
        document = {"limit": plain_limit(limit), "by": analyst_name(by), "what": what}
        chain.append("analyst", release=None, analyst=analyst, document=document)

    def own_limit(self, chain: Chain, analyst: str) -> Limit | None:
        """The limit that an analyst has of their own."""
        row = chain.latest("analyst", analyst=analyst)
        return None if row is None else limit_of(document_of(row)["limit"])

    def reserve(self, release: str, analyst: str, spend: Spend, question: Question) -> Charge:
        """Charge `spend` in one transaction, which is on the disk before the data may be touched.

        The anchor is on its way there meanwhile, and there when `finish` returns. BudgetSpent where a limit does not allow it, which is
        written down too.
        """
        analyst = analyst_name(analyst)
        if not all(x >= 0 for x in (spend.epsilon, spend.delta, spend.rho, spend.delta_rho)):
            raise InputError("a charge is made of numbers that are 0 or more")
        sql = storable(question.sql)[:LONGEST_SQL]

        def work(chain: Chain) -> Charge | str:
            terms = _known_terms(chain, release)
            before = _Totals.of(chain, terms, release, analyst)
            after = before.plus(spend)
            own_limit = self.own_limit(chain, analyst) or terms.per_analyst
            refused = None
            if not terms.limit.allows(after.all):
                refused = _spent("this release", terms.limit, before.all, spend)
            elif own_limit is not None and not own_limit.allows(after.own):
                refused = _spent(f"analyst '{analyst}'", own_limit, before.own, spend)
            if refused is not None:
                told = {"reason": refused}
                chain.append("refusal", release=release, analyst=analyst, sql=sql, digest=question.digest, document=told)
                return refused
            totals = after.document()
            mark = chain.append("charge", release=release, analyst=analyst, spend=spend, sql=sql, digest=question.digest, document=totals)
            return Charge(mark.number, release, analyst)

        outcome, anchored = self.database.write_ahead(work)
        if isinstance(outcome, str):
            anchored()
            raise BudgetSpent(outcome)
        self._anchoring[outcome.number] = anchored
        return outcome

    def kept(self, release: str, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the kept parts among `digests`."""
        with self.database.looking() as connection:
            return _kept(connection, release, digests)

    def finish(self, charge: Charge, outcome: Outcome, parts: Mapping[str, bytes] | None = None) -> Mapping[str, bytes]:
        """Write down how a charged question ended, and keep its noisy parts by their digests, if it has any: all or nothing of it.

        Return those that hold: the first ones kept. The charge stays whatever becomes of this. Nothing that was measured may be told before
        this has returned, the anchor being on the disk then; LedgerFailure where it cannot be.
        """
        if (anchored := self._anchoring.pop(charge.number, None)) is not None:
            anchored()
        document = {"charge": charge.number, "outcome": outcome}

        def work(chain: Chain) -> Mapping[str, bytes]:
            held = _keep(chain, charge, parts) if parts else {}
            chain.append("finish", release=charge.release, analyst=charge.analyst, document=document)
            return held

        return self.database.write(work, durable=False)

    def keep(self, charge: Charge, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Keep further noisy parts of a finished question; return those that hold: the first ones kept."""
        return self.database.write(lambda chain: _keep(chain, charge, parts), durable=False)

    def refuse(self, release: str | None, analyst: str, sql: str, reason: str) -> None:
        """Write down a question that was not answered."""
        name, text, document = analyst_name(analyst), storable(sql)[:LONGEST_SQL], {"reason": storable(reason)[:LONGEST_REASON]}
        self.database.write(lambda chain: chain.append("refusal", release=release, analyst=name, sql=text, document=document))

    def spending(self, release: str) -> Spending:
        """Return what was spent on `release`; InputError where the ledger does not know it."""
        with self.database.reading() as connection:
            chain = Chain(connection, self.database.now())
            terms = _known_terms(chain, release)
            charges = sa.and_(tables.entries.c.release == release, tables.entries.c.kind == "charge")
            analyst = tables.entries.c.analyst
            names = connection.scalars(sa.select(analyst).where(charges).distinct().order_by(analyst)).all()
            totals = {name: _Totals.of(chain, terms, release, name) for name in names}
            of_all = _Totals.of(chain, terms, release, None)
            noted = connection.scalars(sa.select(analyst).where(tables.entries.c.kind == "analyst").distinct()).all()
            own_limits = {name: limit for name in sorted({*names, *noted}) if (limit := self.own_limit(chain, name)) is not None}
        own = {name: one.own for name, one in totals.items()}
        return Spending(release, terms.limit, terms.per_analyst, of_all.all, own, of_all.ever, own_limits, terms.refresh_days)

    def releases(self) -> Sequence[str]:
        """Return the releases that the ledger knows, in the order of their first use."""
        c = tables.entries.c
        with self.database.reading() as connection:
            asked = sa.select(c.release).where(c.kind == "limit").group_by(c.release).order_by(sa.func.min(c.number))
            return _releases(connection.execute(asked))

    def entries(self, release: str | None = None, analyst: str | None = None) -> Iterator[Entry]:
        """Yield the entries in their order: of one release, of one analyst, or of all; LedgerBroken where one was altered."""
        asked = sa.select(tables.entries).order_by(tables.entries.c.number)
        if release is not None:
            asked = asked.where(tables.entries.c.release == release)
        if analyst is not None:
            asked = asked.where(tables.entries.c.analyst == analyst)
        with self.database.reading() as connection:
            for row in connection.execution_options(yield_per=PAGE).execute(asked):
                hold_entry(row)
                yield Entry(row.number, row.at, row.kind, row.release, row.analyst, spend_of_row(row), row.sql, _detail(row))

    def verify(self) -> int:
        """Recompute the chain, the totals and the limits; LedgerBroken says which entry was touched, and how it shows."""
        anchor = self.database.anchor
        mark = anchor.read()  # before the entries: it is never ahead of them
        with self.database.reading() as connection:
            count, kept = verify_chain(connection)
            Chain(connection, self.database.now()).hold(mark, anchor.path)
            verify_parts(connection, kept)
        return count

    def renew_anchor(self, by: str) -> int:
        """Accept the ledger as it is, where its anchor was lost or knows of entries that are lost; return its number of entries.

        The chain itself must be whole. That this was done, and how far the lost anchor had come, stays in the chain.
        """
        name = analyst_name(by)
        with self.database.reading() as connection:
            verify_parts(connection, verify_chain(connection)[1])
        known = self.database.anchor.read()

        def work(chain: Chain) -> int:
            document = {"had": chain.last().number, "anchor": None if known is None else known.number}
            mark = chain.append("anchor", release=None, analyst=name, document=document)
            self.database.anchor.move(mark, back=True)
            return mark.number

        return self.database.write_alone(work)


class _Totals:
    """What was spent on a release: by all and by one analyst since the last refresh, and by all ever."""

    def __init__(self, all_: Spend, own: Spend, ever: Spend) -> None:
        self.all, self.own, self.ever = all_, own, ever

    @classmethod
    def of(cls, chain: Chain, terms: Terms, release: str, analyst: str | None) -> _Totals:
        """The totals as the newest charges hold them: they are part of the chain, so that nobody lowers them unseen."""
        last = chain.latest("charge", release=release)
        own = None if analyst is None else chain.latest("charge", release=release, analyst=analyst)
        renewed = terms.renewed(chain.now)
        ever = NOTHING if last is None else spend_of(document_of(last)["ever"])
        return cls(_since(last, "all", renewed), _since(own, "own", renewed), ever)

    def plus(self, spend: Spend) -> _Totals:
        return _Totals(self.all + spend, self.own + spend, self.ever + spend)

    def document(self) -> dict[str, Any]:
        return {"all": plain_spend(self.all), "own": plain_spend(self.own), "ever": plain_spend(self.ever)}


def _since(row: EntryRow | None, which: str, renewed: str | None) -> Spend:
    return NOTHING if row is None or (renewed is not None and row.at < renewed) else spend_of(document_of(row)[which])


def _declare(chain: Chain, release: str, limit: Limit, per_analyst: Limit | None) -> None:
    known = _terms(chain, release)
    declared = (limit, per_analyst)
    if known is None:
        terms = Terms(limit, per_analyst, declared)
    elif known.declared == declared:
        return
    else:
        lowest = lower(known.limit, limit), lower_of(known.per_analyst, per_analyst)
        terms = Terms(*lowest, declared, known.refresh_days, known.since)
    chain.append("limit", release=release, document=terms.document())


def _terms(chain: Chain, release: str) -> Terms | None:
    row = chain.latest("limit", release=release)
    return None if row is None else Terms.of(document_of(row))


def _known_terms(chain: Chain, release: str) -> Terms:
    terms = _terms(chain, release)
    if terms is None:
        c = tables.entries.c
        known = _releases(chain.connection.execute(sa.select(c.release).where(c.kind == "limit").distinct()))
        raise InputError(f"the ledger knows no release '{release}'{nearest(release, known)}")
    return terms


def _releases(rows: sa.Result[Any]) -> list[str]:
    return [str(row[0]) for row in rows]


def _keep(chain: Chain, charge: Charge, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
    known = _kept(chain.connection, charge.release, list(parts))
    new = {digest: data for digest, data in parts.items() if digest not in known}
    if new:
        document = {"charge": charge.number, "parts": parts_hash(new)}
        mark = chain.append("kept", release=charge.release, analyst=charge.analyst, document=document)
        for digest, data in new.items():
            ADD_PART.run(chain.connection, release=charge.release, digest=digest, entry=mark.number, data=data)
    return {digest: known.get(digest, data) for digest, data in parts.items()}


def _kept(connection: sa.Connection, release: str, digests: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for start in range(0, len(digests), MOST_SOUGHT):
        few = digests[start : start + MOST_SOUGHT]
        rows = parts_among(len(few)).run(connection, release=release, **{f"d{n}": digest for n, digest in enumerate(few)})
        found.update({digest: bytes(data) for digest, data in rows})
    return found


def _detail(row: sa.Row[Any]) -> str | None:
    document = document_of(row)
    match row.kind:
        case "limit":
            return Terms.of(document).told()
        case "analyst":
            limit = limit_of(document["limit"])
            return f"{document['what']} by {document['by']}" + ("" if limit is None else f": {words(limit)}")
        case "kept":
            return f"kept noisy parts of {document['charge']}"
        case "finish":
            return f"{document['outcome']} {document['charge']}"
        case "refusal":
            return str(document["reason"])
        case "anchor":
            return f"new anchor after {document['had']} entries; the anchor before knew of {document['anchor'] or 'none'}"
        case _:
            return None


def _spent(whose: str, limit: Limit, total: Spend, asked: Spend) -> str:
    used = limit.epsilon_of(total)
    left = f"about {max(0.0, limit.epsilon - used):.4g} is left"
    if math.isinf(limit.epsilon_of(total + asked)):
        left = "its delta is used up" if total.delta else "its delta is too small"
        if limit.delta:
            left += f" (the deltas of questions may sum up to half of it, {limit.delta_of_questions:.3g}, and {total.delta:.3g} is spent)"
    cost = f"epsilon {asked.epsilon:.4g}" + (f", delta {asked.delta:.3g}" if asked.delta else "")
    return (
        f"the privacy budget of {whose} has not enough left: of {words(limit)}, epsilon {used:.4g} is spent and {left}; the query costs "
        f"{cost}. Ask with a smaller epsilon or delta, or ask again what was answered before, which is free; "
        "`companyos dp limit` raises a budget"
    )
