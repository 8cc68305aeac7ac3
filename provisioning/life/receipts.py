"""The receipt of a sandbox's data, as its record and the audit ledger hold it."""

from __future__ import annotations

import dataclasses
from typing import Any

from provisioning.hosts.base import Activity, Seeded


def receipt_of(seeded: Seeded, activity: Activity | None) -> dict[str, Any]:
    """Return how a sandbox came by its data, and what its database's counter of use said when nobody had used it yet."""
    seconds = f"{seeded.seconds:.3f}"  # the ledger's canonical JSON holds whole numbers and texts
    return dataclasses.asdict(seeded) | {"seconds": seconds, "counter": None if activity is None else activity.counter}
