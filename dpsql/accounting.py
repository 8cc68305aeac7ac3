"""What mechanisms cost, and what a limit allows.

Two views of the same spending are added up side by side, and both bound what an attacker learns: (epsilon, delta) by basic
composition (Dwork et al. 2006; adaptively, Rogers et al. 2016), and (rho, delta_rho) of approximate zero-concentrated privacy (Bun
and Steinke 2016), whose sums stay valid when later questions depend on earlier answers (a privacy filter: Feldman and Zrnic 2021;
Whitehouse et al. 2023). A question is allowed if either view stays within the limit.

Why either is enough. Call a transcript A if its basic sum is within the limit at its end, else B; sums only grow, so a B transcript
was within the zCDP view at every step, as if that view alone had been the filter. For a set S of transcripts,
P[S and A] <= e^epsilon Q[S and A] + delta_A holds by the first filter and P[S and B] <= e^epsilon Q[S and B] + delta_B by the second.
So that the two deltas together stay within the limit, each filter may use half of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from dpsql.noise.opendp import library

TOLERANCE = 1e-12  # of sums of floats, relative


@dataclass(frozen=True)
class Spend:
    """What something costs: (`epsilon`, `delta`) in basic composition, and (`rho`, `delta_rho`) in approximate zCDP."""

    epsilon: float
    delta: float
    rho: float
    delta_rho: float

    @classmethod
    def pure(cls, epsilon: float) -> Spend:
        """Pure epsilon-DP, which is (epsilon^2 / 2)-zCDP (Bun and Steinke 2016)."""
        return cls(epsilon, 0.0, _square_half(epsilon), 0.0)

    @classmethod
    def gaussian(cls, rho: float, epsilon: float, delta: float) -> Spend:
        """Gaussian noise of `rho`, which is also (`epsilon`, `delta`)-DP."""
        return cls(epsilon, delta, rho, 0.0)

    @classmethod
    def threshold(cls, epsilon: float, delta: float) -> Spend:
        """A release of keys above a threshold: pure but for `delta`, in both views."""
        return cls(epsilon, delta, _square_half(epsilon), delta)

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            _sum(self.epsilon, other.epsilon),
            _sum(self.delta, other.delta),
            _sum(self.rho, other.rho),
            _sum(self.delta_rho, other.delta_rho),
        )


NOTHING = Spend(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Limit:
    """The most that may be spent: (`epsilon`, `delta`)."""

    epsilon: float
    delta: float

    def allows(self, total: Spend) -> bool:
        """Whether `total` is within the limit, in either view."""
        return self.epsilon_of(total) <= self.epsilon * (1 + TOLERANCE)

    def epsilon_of(self, total: Spend) -> float:
        """The epsilon that `total` amounts to at this limit's delta, the smaller of both views; infinite beyond the delta."""
        if total == NOTHING:
            return 0.0
        if self.delta == 0:
            return total.epsilon if total.delta == 0 else math.inf
        half = self.delta / 2
        basic = total.epsilon if total.delta <= half * (1 + TOLERANCE) else math.inf
        left = half - total.delta_rho
        return min(basic, zcdp_epsilon(total.rho, left)) if left > 0 else basic


@lru_cache(maxsize=1024)
def zcdp_epsilon(rho: float, delta: float) -> float:
    """The least epsilon for which rho-zCDP implies (epsilon, `delta`)-DP, by OpenDP (Canonne, Kamath and Steinke 2020)."""
    if rho <= 0:
        return 0.0
    plain = math.nextafter(rho + 2 * math.sqrt(rho * math.log(1 / delta)), math.inf)
    if rho > 100:  # beyond OpenDP's range the plain bound is nearly as good
        return plain
    dp = library()
    gaussian = dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T="f64"), scale=1.0)
    profile = dp.c.make_zCDP_to_approxDP(gaussian).map(math.nextafter(math.sqrt(2 * rho), math.inf))
    return min(plain, float(profile.epsilon(delta)))


@lru_cache(maxsize=1024)
def rho_of(epsilon: float, delta: float) -> float:
    """The greatest rho found for which rho-zCDP implies (`epsilon`, `delta`)-DP."""
    lo, hi = 0.0, 1.0
    while zcdp_epsilon(hi, delta) <= epsilon and hi < 1e12:
        lo, hi = hi, hi * 4
    for _ in range(60):
        middle = (lo + hi) / 2
        if zcdp_epsilon(middle, delta) <= epsilon:
            lo = middle
        else:
            hi = middle
    return lo


def _square_half(epsilon: float) -> float:
    return math.nextafter(epsilon * epsilon / 2, math.inf)


def _sum(a: float, b: float) -> float:
    """The sum, rounded up."""
    exact = a + b
    return exact if a == 0 or b == 0 else math.nextafter(exact, math.inf)
