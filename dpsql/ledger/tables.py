"""The tables of a ledger."""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 1
metadata = sa.MetaData()

version = sa.Table("ledger_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

limits = sa.Table(
    "ledger_limits",
    metadata,
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("first_entry", sa.BigInteger, nullable=False),
    sa.Column("epsilon", sa.Double, nullable=False),
    sa.Column("delta", sa.Double, nullable=False),
    sa.Column("analyst_epsilon", sa.Double),
    sa.Column("analyst_delta", sa.Double),
)

# running sums of the charges, of all together (analyst is '') and of each analyst; `verify` works them out again
totals = sa.Table(
    "ledger_totals",
    metadata,
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("analyst", sa.Text, primary_key=True),
    sa.Column("epsilon", sa.Double, nullable=False),
    sa.Column("delta", sa.Double, nullable=False),
    sa.Column("rho", sa.Double, nullable=False),
    sa.Column("delta_rho", sa.Double, nullable=False),
)

entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("analyst", sa.Text),
    sa.Column("epsilon", sa.Double, nullable=False),
    sa.Column("delta", sa.Double, nullable=False),
    sa.Column("rho", sa.Double, nullable=False),
    sa.Column("delta_rho", sa.Double, nullable=False),
    sa.Column("sql", sa.Text),
    sa.Column("digest", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

parts = sa.Table(
    "ledger_parts",
    metadata,
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("charge", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

CHAINED = ("number", "at", "kind", "release", "analyst", "epsilon", "delta", "rho", "delta_rho", "sql", "digest", "detail", "previous")
