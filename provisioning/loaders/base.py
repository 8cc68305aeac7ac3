"""What a loader is: one function for each kind of database."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from provisioning.errors import TargetInUse
from provisioning.shipment import Shipment
from provisioning.target import Target
from schemas.ddl import NotEnforced


class Loader(Protocol):
    """Makes the tables of a shipment in a database, fills them, and checks them by reading back.

    All or nothing: where it fails, is interrupted or killed, the database is as it was. Returns what the database does not
    enforce. Raises TargetInUse where a table of the bundle is there and `replace` is false, TargetInvalid, TargetFailure,
    ConstraintBroken and ReadBackDiffers; KeyboardInterrupt passes through.
    """

    def __call__(self, target: Target, shipment: Shipment, *, replace: bool) -> Sequence[NotEnforced]: ...


def already_there(where: str, tables: Sequence[str]) -> TargetInUse:
    """Return the error of a database `where` tables of the bundle are, which are not to be replaced."""
    shown = ", ".join(tables[:5]) + (", ..." if len(tables) > 5 else "")
    return TargetInUse(f"{where} has tables of the bundle already ({shown}); --replace drops and loads them again")


def loader_for(target: Target) -> Loader:
    """Return the loader for a target."""
    return cast(Loader, import_module(f"provisioning.loaders.{target.dialect}").load)
