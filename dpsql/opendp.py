"""OpenDP, loaded when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

from schemas.errors import InputError


@cache
def library() -> Any:
    """Return `opendp.prelude`; InputError where OpenDP is not installed."""
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise InputError("private answers need OpenDP: pip install 'companyos-data[dp]'") from error
    dp.enable_features("contrib")
    return dp
