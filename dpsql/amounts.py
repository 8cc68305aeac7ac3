"""Amounts of privacy: numbers whose sums are never rounded down.

An amount is a float and stands for the decimal that it prints as: 0.1 is one tenth, not the slightly greater number that the machine
stores. Sums of such decimals are exact, so ten questions of 0.1 spend 1 and no more, in any order; where a sum has more digits than a
float can tell, the next greater one is taken. Noise is drawn for `strictly_below` an amount, so that no mechanism
costs more than the decimal that is charged for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal, Inexact
from fractions import Fraction
from functools import lru_cache

DIGITS = 12  # of shares
# whatever floats it is given, their decimals have no more digits together
_EXACTLY = Context(prec=1_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact])


@lru_cache(maxsize=4096)
def decimal(amount: float) -> Fraction:
    """Return what `amount` stands for, exactly: its shortest decimal. It must be finite."""
    return Fraction(repr(float(amount)))


def at_least(value: Fraction) -> float:
    """Return the least float that stands for `value` or more; infinity beyond the floats."""
    try:
        amount = float(value)
    except OverflowError:
        return math.inf
    while decimal(amount) < value:
        amount = math.nextafter(amount, math.inf)
        if math.isinf(amount):
            break
    return amount


def total(amounts: Sequence[float]) -> float:
    """Return the sum of `amounts`, exact or rounded up; infinite where one of them is."""
    if any(math.isinf(amount) for amount in amounts):
        return math.inf
    some = [amount for amount in amounts if amount]
    if len(some) < 2:
        return some[0] if some else 0.0
    exact = Decimal(0)
    for amount in some:
        exact = _EXACTLY.add(exact, Decimal(repr(float(amount))))
    found = float(exact)  # the float that is nearest
    while Decimal(repr(found)) < exact:
        found = math.nextafter(found, math.inf)
    return found


def share(amount: float, part: Fraction) -> float:
    """Return `part` of `amount`, rounded down to twelve digits, so that sums of shares are exact and within `amount`.

    How to share: where the squared error of a whole is the sum of w_i^2 / epsilon_i^2, as of Laplace noise on parts whose errors
    weigh w_i, it is least for shares proportional to w_i^(2/3), and for Gaussian noise, w_i^2 / rho_i, to w_i (Lagrange).
    """
    exact = decimal(amount) * part
    return float(Context(prec=DIGITS, rounding=ROUND_FLOOR).divide(Decimal(exact.numerator), Decimal(exact.denominator)))


def strictly_below(amount: float) -> float:
    """Return the float before `amount`, which is less than the decimal that `amount` stands for."""
    return math.nextafter(amount, 0.0)
