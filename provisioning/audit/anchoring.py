"""The anchor of the audit ledger: a file that remembers how far the last verification or checkpoint had come.

It costs no key, and finds what was cut off since; whoever owns the database and this file can forge both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.errors import ControlFailure
from schemas.anchor import Anchor
from schemas.home import data_folder, make_private

if TYPE_CHECKING:
    from provisioning.control.database import Control

ANCHOR_VARIABLE = "COMPANYOS_AUDIT_ANCHOR"
_ELSEWHERE = f"; keep it in a file that can be written: `companyos audit verify --anchor FILE`, or ${ANCHOR_VARIABLE}"


def anchor_of(control: Control, path: str | Path | None = None) -> Anchor:
    """Return the anchor of a control database, at `path`, else $COMPANYOS_AUDIT_ANCHOR, else by the database's id in our own folder.

    Raises ControlFailure where its folder cannot be made.
    """
    said = path or os.environ.get(ANCHOR_VARIABLE)
    place = Path(said).expanduser() if said else data_folder() / "audit" / f"{control.id}.anchor"
    try:
        make_private(place.parent)
    except OSError as error:
        raise ControlFailure(f"the folder of the audit ledger's anchor '{place}' cannot be made: {error.strerror}{_ELSEWHERE}") from error
    mended = "remove it if that is no surprise: the next verification writes another"
    return Anchor(place, "the audit ledger's anchor", mended, ControlFailure, _ELSEWHERE)
