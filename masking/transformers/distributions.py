"""Random numbers of a given distribution out of keyed draws.

Floating point is touched by `+ - * /`, `sqrt` and comparisons alone, which IEEE 754 makes exact everywhere: no `log` of a
mathematics library, whose last bits differ between machines and between the middle and the end of a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from masking.keyed import UInt64

Floats = np.ndarray[Any, np.dtype[np.float64]]

_LN2 = 0.6931471805599453

# the coefficients of Wichura's algorithm AS 241 (PPND16), highest power first
_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
     1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
     687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_NEAR = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258, 3.64784832476320460504,
     5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459, 0.68976733498510000455,
     1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093, 0.29656057182850489123,
     1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4, 0.0148753612908506148525,
     0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def unit(draws: UInt64) -> Floats:
    """Uniform numbers in (0, 1), in steps of 2^-52, neither end included."""
    return (np.asarray(draws >> np.uint64(12), np.float64) + 0.5) * 2.0**-52


def uniform(draws: UInt64) -> Floats:
    """Uniform numbers in (-1, 1)."""
    return 2.0 * unit(draws) - 1.0


def laplace(draws: UInt64) -> Floats:
    """Numbers of the Laplace distribution with centre 0 and scale 1 (standard deviation sqrt(2)), by inversion."""
    u = unit(draws) - 0.5
    return np.where(u < 0, 1.0, -1.0) * natural_logarithm(1.0 - 2.0 * np.abs(u))


def normal(draws: UInt64) -> Floats:
    """Numbers of the standard normal distribution, by inversion (Wichura, Algorithm AS 241, 1988), to about 1e-16."""
    p = unit(draws)
    q = p - 0.5
    numbers: Floats = q * _ratio(_CENTRE, 0.180625 - q * q)
    outside = np.flatnonzero(np.abs(q) > 0.425)
    p, q = p[outside], q[outside]
    tail = np.sqrt(-natural_logarithm(np.minimum(p, 1.0 - p)))
    outer = _ratio(_NEAR, tail - 1.6)
    far = np.flatnonzero(tail > 5.0)
    outer[far] = _ratio(_FAR, tail[far] - 5.0)
    numbers[outside] = np.where(q < 0, -outer, outer)
    return numbers


def natural_logarithm(x: Floats) -> Floats:
    """The natural logarithm of positive numbers, to a few units of the last place: ln(m * 2^e) by the series of 2 artanh((m-1)/(m+1))."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    exponent = np.where(low, exponent - 1, exponent)
    t = (mantissa - 1.0) / (mantissa + 1.0)
    square, series = t * t, np.zeros_like(t)
    for odd in range(23, 0, -2):
        series = series * square + 1.0 / odd
    return 2.0 * t * series + exponent * _LN2


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    above, below = (np.zeros_like(x), np.zeros_like(x))
    for a, b in zip(*coefficients):
        for polynomial, coefficient in ((above, a), (below, b)):
            polynomial *= x
            polynomial += coefficient
    above /= below
    return above
