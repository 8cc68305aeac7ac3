"""Cases that are many and take long: some run in `make test`, all in `make test` and `make test-full` together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(number: int, cases: Iterable[Any]) -> list[Any]:
    """Return the cases, of which the first of each `number` runs in `make test` and the others are slow."""
    slow = pytest.mark.slow
    return [
        case if place % number == 0 else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=slow)
        for place, case in enumerate(cases)
    ]
