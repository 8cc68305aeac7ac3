"""Names as a ledger holds them."""

from __future__ import annotations

import unicodedata

from schemas.errors import InputError

LONGEST_NAME = 200


def analyst_name(name: str) -> str:
    """Return an analyst's name as it is charged: in Unicode's composed form (NFC), so that one name is one budget.

    Raises InputError for an empty name, one of more than 200 characters, and one with control characters, line ends, half pairs or
    spaces around it.
    """
    unfit = any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    composed = "" if unfit else unicodedata.normalize("NFC", name)
    if not composed or len(composed) > LONGEST_NAME or composed != composed.strip():
        raise InputError(f"an analyst's name has 1 to {LONGEST_NAME} characters, no control characters, and no spaces around it")
    return composed
