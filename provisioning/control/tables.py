"""The tables of the control database. Moments are texts of one form (`provisioning.control.moments`), which sorts alike everywhere."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

installation = sa.Table(  # one row: who we are to hosts that others use, too
    "installation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
)

sandboxes = sa.Table(
    "sandboxes",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, index=True),  # of a demo
    sa.Column("seed", sa.Text, nullable=False),  # the reference that was asked for
    sa.Column("bundle_digest", sa.Text, nullable=False, index=True),  # of the manifest that it meant then
    sa.Column("kind", sa.Text, nullable=False),  # synthetic, sanitized, mirrored
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("doing", sa.Text),  # the operation that is under way, for who takes over after a crash
    sa.Column("flags", sa.JSON, nullable=False),
    sa.Column("guardrails", sa.JSON, nullable=False),
    sa.Column("limits", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("why_expires", sa.Text, nullable=False),  # what the least of the limits on its life was
    sa.Column("changed_at", sa.Text, nullable=False),
    sa.Column("seen_counter", sa.Text),  # what the database said of its use when last asked
    sa.Column("last_use", sa.Text, nullable=False),
    sa.Column("quarantined", sa.Text),  # why nobody may use it any more
    sa.Column("failure", sa.Text),
    sa.Column("receipt", sa.JSON),
    sa.Column("worker", sa.Text),  # host:pid:start of who works on it
    sa.Column("beat_at", sa.Text),  # when the worker was last heard of
)

webhooks = sa.Table(  # what a sandbox's application would call: stubs in a demo
    "webhooks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sandbox", sa.Text, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, nullable=False),  # load or extend
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("template", sa.Text),
    sa.Column("bundle_digest", sa.Text),
    sa.Column("sandbox", sa.Text),
    sa.Column("until", sa.Text, nullable=False),  # the approval's own end; for extend, also the longest life
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("given_at", sa.Text, nullable=False),
)

events = sa.Table(
    "audit_events",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("sandbox", sa.Text, index=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),  # canonical JSON: what the policy said
    sa.Column("bundle_digest", sa.Text),
    sa.Column("details", sa.Text, nullable=False),  # canonical JSON: receipt, counts
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

checkpoints = sa.Table(
    "audit_checkpoints",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("key", sa.Text, primary_key=True),  # a row is signed twice where one key takes another's place
    sa.Column("signature", sa.Text, nullable=False),
)

recalls = sa.Table(  # bundles that nobody may load any more
    "recalls",
    metadata,
    sa.Column("bundle_digest", sa.Text, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.Text),
)

idempotency = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),  # digest of what was asked
    sa.Column("sandbox", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("began_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("errors", sa.JSON, nullable=False),
)

pins = sa.Table(  # which bundle a demo tenant is reset to
    "demo_pins",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seed", sa.Text, nullable=False),
    sa.Column("bundle_digest", sa.Text, nullable=False),
    sa.Column("pinned_at", sa.Text, nullable=False),
)
