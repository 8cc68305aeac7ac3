"""The analysts who may log in: kept in the ledger's database, with what checks a password and never the password.

A verifier is what SCRAM-SHA-256 (RFC 5802, RFC 7677) needs on the server's side; it does not serve to log in anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from dpsql.accounting import Limit
from dpsql.ledger import StoredLedger
from dpsql.ledger.chain import Chain
from dpsql.ledger.names import analyst_name
from schemas.errors import InputError, nearest

ITERATIONS = 4096  # as many as PostgreSQL takes; a server tells them to whoever names an analyst, so all have the same
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000

_metadata = sa.MetaData()
_analysts = sa.Table(
    "ledger_analysts",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("added", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("stored_key", sa.LargeBinary, nullable=False),
    sa.Column("server_key", sa.LargeBinary, nullable=False),
    sa.Column("iterations", sa.Integer, nullable=False),
)


@dataclass(frozen=True)
class Verifier:
    """What checks the password of an analyst."""

    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    iterations: int


@dataclass(frozen=True)
class Analyst:
    """An analyst who may log in, since when (UTC), and the limit of their own on every release, if they have one."""

    name: str
    added: str
    limit: Limit | None


class Analysts:
    """The analysts of a ledger. Adding and removing them are entries of its chain; what they spent stays, whatever becomes of them."""

    def __init__(self, ledger: StoredLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database
        with self._database.reading() as connection:
            there = sa.inspect(connection).has_table(_analysts.name)
        if not there:
            self._database.write(lambda chain: _metadata.create_all(chain.connection))

    def add(self, name: str, password: str, by: str, limit: Limit | None = None) -> None:
        """Add an analyst, or give one another password and limit.

        Raises InputError for a name or password that is none, and where scramp is not installed.
        """
        name = analyst_name(name)
        verifier = verifier_of(password)

        def work(chain: Chain) -> None:
            known = chain.connection.execute(sa.delete(_analysts).where(_analysts.c.name == name)).rowcount
            chain.connection.execute(_analysts.insert().values(name=name, added=chain.now, **vars(verifier)))
            self._ledger.note_analyst(chain, name, limit, by, "changed" if known else "added")

        self._database.write(work)

    def remove(self, name: str, by: str) -> None:
        """Let an analyst log in no more; InputError where there is none of that name."""
        name = analyst_name(name)

        def work(chain: Chain) -> None:
            if not chain.connection.execute(sa.delete(_analysts).where(_analysts.c.name == name)).rowcount:
                known = chain.connection.scalars(sa.select(_analysts.c.name)).all()
                raise InputError(f"there is no analyst '{name}'{nearest(name, known)}")
            self._ledger.note_analyst(chain, name, self._ledger.own_limit(chain, name), by, "removed")

        self._database.write(work)

    def list(self) -> Sequence[Analyst]:
        """Return the analysts in the order of their names."""
        with self._database.reading() as connection:
            chain = Chain(connection, self._database.now())
            rows = connection.execute(sa.select(_analysts.c.name, _analysts.c.added).order_by(_analysts.c.name)).all()
            return [Analyst(row.name, row.added, self._ledger.own_limit(chain, row.name)) for row in rows]

    def verifier(self, name: str) -> Verifier | None:
        """Return what checks the password of `name`, None where there is no such analyst."""
        try:
            name = analyst_name(name)
        except InputError:
            return None
        c = _analysts.c
        with self._database.reading() as connection:
            asked = sa.select(c.salt, c.stored_key, c.server_key, c.iterations).where(c.name == name)
            row = connection.execute(asked).first()
        return None if row is None else Verifier(bytes(row.salt), bytes(row.stored_key), bytes(row.server_key), row.iterations)


def verifier_of(password: str) -> Verifier:
    """Return a new verifier of `password`, with a salt of its own; InputError for a password of less than 12 characters."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    try:
        import scramp
    except ImportError as error:
        raise InputError("analysts who log in need the extra: pip install 'companyos-data[server]'") from error
    try:
        made = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(password, iteration_count=ITERATIONS)
    except scramp.ScramException:
        raise InputError("the password has characters that no password may have (RFC 4013)") from None
    return Verifier(*made)
