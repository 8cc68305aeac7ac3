"""Loading a bundle into a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from time import monotonic

from bundles import Bundle, Progress
from bundles.opened import must_be_opened
from provisioning.errors import SeedRefused
from provisioning.expiry import has_expired
from provisioning.loaders.base import loader_for
from provisioning.receipt import Receipt
from provisioning.shifting import Shift, weeks_until
from provisioning.shipment import Shipment
from provisioning.target import parse_target
from schemas.errors import CheckFailed, SystemFailure


def load(
    bundle: Bundle,
    url: str,
    *,
    replace: bool = False,
    as_of: str | date | None = None,
    now: datetime | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Receipt:
    """Load `bundle` into the database at `url`, read it back and return a receipt.

    Makes tables, keys, references, checks, indexes, sequences and comments, all or nothing. A target that holds a table of
    the bundle is refused, unless `replace` drops those tables first, in the same transaction. `as_of` (a date, or `now`)
    moves all dates and times by whole weeks so that the bundle's anchor lands in the week that ends with that day.
    `on_progress` hears of rows in the stages `load` and `check`. Whether the bundle has expired is judged at `now`, or by the clock.

    Raises InputError (the URL, the day), Refused (tables are there, the bundle has expired), CheckFailed (a file of the bundle is missing
    or altered, the rows break a constraint, or what is read back differs), SystemFailure (the database or disk). Passwords are in no
    message.
    """
    started = monotonic()
    must_be_opened(bundle)
    target = parse_target(url)
    if has_expired(bundle.expires, now or datetime.now(UTC)):
        raise SeedRefused(f"{bundle.reference} expired at {bundle.expires:%Y-%m-%d %H:%M} UTC: it is to be used no more")
    tables = [bundle.table(name) for name in bundle.tables]
    for table in tables:
        table.sound_paths()
    shift = Shift(0 if as_of is None else weeks_until(bundle.schema.anchor, as_of))
    shipment = Shipment(bundle, shift, on_progress)
    try:
        not_enforced = loader_for(target)(target, shipment, replace=replace)
    except (CheckFailed, SystemFailure):
        for table in tables:
            table.intact_paths()  # an altered file says more than what came of it
        raise
    return Receipt(
        tables={name: digest.rows for name, digest in bundle.tables.items()},
        content_digest=shipment.content_digest(),
        seconds=monotonic() - started,
        not_enforced=tuple(not_enforced),
        shifted_weeks=shift.weeks,
    )
