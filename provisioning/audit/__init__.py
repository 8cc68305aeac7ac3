"""The audit ledger: every event of a sandbox's life is a row in a chain of hashes, which signed checkpoints bind.

`record` adds a row within the caller's transaction, `log` reads rows, `verify` finds what was altered, removed, reordered or cut off, and
`checkpoint` signs how far the chain has come. The form of rows and checkpoints is told in docs/audit.md, for programs that are not ours.
"""

from provisioning.audit.anchoring import anchor_of
from provisioning.audit.checkpoints import Checkpoint, checkpoint, read_checkpoints, write_checkpoint
from provisioning.audit.events import Event, Filters, Page, actions, log
from provisioning.audit.keys import (
    KEY_VARIABLE,
    configured_key,
    make_key,
    private_key_of,
    public_keys_of,
    read_private_key,
    read_public_key,
)
from provisioning.audit.permissions import grants, statements
from provisioning.audit.recording import record
from provisioning.audit.report import Problem, Report
from provisioning.audit.verifying import verify
from schemas.hash_chain import Mark

__all__ = [
    "KEY_VARIABLE",
    "Checkpoint",
    "Event",
    "Filters",
    "Mark",
    "Page",
    "Problem",
    "Report",
    "actions",
    "anchor_of",
    "checkpoint",
    "configured_key",
    "grants",
    "log",
    "make_key",
    "private_key_of",
    "public_keys_of",
    "read_checkpoints",
    "read_private_key",
    "read_public_key",
    "record",
    "statements",
    "verify",
    "write_checkpoint",
]
