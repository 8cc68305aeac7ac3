"""exp, log, the normal quantile and the normal probability from operations that IEEE 754 makes exact: the same bits on every machine.

Only + - * / sqrt, comparisons and exponent manipulation are used, each as its own NumPy operation, so that neither the
C library's functions nor fused or vectorised instructions can change a last bit. Accuracy is about 1e-15 relative.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

_LN2 = 0.6931471805599453
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_HALF = 0.7071067811865476
_EXP_TERMS = (
    1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
    1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0,
)  # fmt: skip
_LOG_TERMS = tuple(1.0 / n for n in range(23, 0, -2))

# Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16.
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

# Hart, "Computer Approximations" (1968), function 5666, as in West, "Better approximations to cumulative normal functions" (2005).
_HART = (
    (0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931, 220.206867912376),
    (0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831, 793.826512519948,
     440.413735824752),
)  # fmt: skip
_HART_LIMIT = 7.07106781186547
_ROOT_TWO_PI = 2.506628274631


def _horner(x: Float64, terms: tuple[float, ...]) -> Float64:
    result = np.full_like(x, terms[0])
    for term in terms[1:]:
        result = result * x
        result = result + term
    return result


def exp(x: Float64) -> Float64:
    """Return e to the power of `x`; |x| <= 700."""
    k = np.floor(x / _LN2 + 0.5)
    r = x - k * _LN2_HIGH
    r = r - k * _LN2_LOW
    result: Float64 = np.ldexp(_horner(r, _EXP_TERMS), k.astype(np.int32))
    return result


def log(x: Float64) -> Float64:
    """Return the natural logarithm of `x` > 0."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    e = np.where(low, exponent - 1, exponent).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    series = _horner(s * s, _LOG_TERMS)
    result: Float64 = e * _LN2_HIGH + (e * _LN2_LOW + 2.0 * s * series)
    return result


def power(x: Float64, y: float) -> Float64:
    """Return `x` to the power of `y`, for x >= 0 (0 for x = 0)."""
    positive = x > 0
    result: Float64 = np.where(positive, exp(y * log(np.where(positive, x, 1.0))), 0.0)
    return result


def normal_quantile(u: Float64) -> Float64:
    """Return the standard normal quantile of 0 < u < 1."""
    q = u - 0.5
    r = 0.180625 - q * q
    centre = q * _horner(r, _CENTRE[0]) / _horner(r, _CENTRE[1])
    tail = np.minimum(u, 1.0 - u)
    root = np.sqrt(-log(tail))
    near = root - 1.6
    far = root - 5.0
    outer = np.where(
        root <= 5.0,
        _horner(near, _NEAR[0]) / _horner(near, _NEAR[1]),
        _horner(far, _FAR[0]) / _horner(far, _FAR[1]),
    )
    result: Float64 = np.where(np.abs(q) <= 0.425, centre, np.where(q < 0, -outer, outer))
    return result


def normal_probability(x: Float64) -> Float64:
    """Return the chance that a standard normal value lies below `x`; absolute error below 1e-14."""
    size = np.minimum(np.abs(x), 37.0)
    density = exp(size * size * -0.5)
    inner = density * _horner(size, _HART[0]) / _horner(size, _HART[1])
    fraction = size + 0.65
    for n in (4.0, 3.0, 2.0, 1.0):
        fraction = size + n / fraction
    tail = np.where(size < _HART_LIMIT, inner, density / fraction / _ROOT_TWO_PI)
    result: Float64 = np.where(x > 0, 1.0 - tail, tail)
    return result
