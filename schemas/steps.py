"""Steps of distributions: the multiples of one number that lie between two others, in exact decimals."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from decimal import Context as DecimalContext

_EXACT = DecimalContext(prec=700)  # the usual one rounds to 28 digits, and floats reach from 1e-324 to 1e308


def first_multiple(low: float, step: float) -> int | float:
    """The least multiple of `step` that is not below `low`."""
    exact, size = Decimal(str(low)), Decimal(str(step))
    places = _EXACT.divide(exact, size).to_integral_value(ROUND_CEILING, _EXACT)
    found = _EXACT.multiply(places, size)
    return low if found == exact else int(found) if isinstance(low, int) and isinstance(step, int) else float(found)


def is_countable(step: float, decimals: int) -> bool:
    """Whether a number has no more than so many decimals."""
    scaled = _EXACT.scaleb(Decimal(str(step)), decimals)
    return scaled == scaled.to_integral_value(context=_EXACT)
