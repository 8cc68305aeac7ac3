"""What mechanisms cost, and what a limit allows.

Two views of the same spending are added up side by side, and both bound what an attacker learns: (epsilon, delta) by basic
composition (Dwork et al. 2006), which is tight for few questions, and (rho, delta_rho) of approximate zero-concentrated privacy
(Bun and Steinke 2016), which is far tighter for many small ones, since it grows with the squares of their epsilons. Later questions
may depend on earlier answers, their epsilons too: in both views, stopping where the sum would pass the limit keeps the limit's
guarantee (privacy filters: Rogers, Roth, Ullman and Vadhan 2016 for basic composition; Feldman and Zrnic 2021, Whitehouse, Ramdas,
Rogers and Wu 2023 for Renyi and approximate zCDP). Privacy-loss distributions would be a little tighter still, but for them the
questions must be known beforehand, and what they add up is an array where this is four numbers. A question is allowed if either
view stays within the limit.

Why either is enough. Call a transcript A if its basic sum is within the limit at its end, else B. Sums only grow: an A transcript
was within the basic view at every step, as if that view alone had been the filter, and a B transcript, which ended within the zCDP
view, was within that at every step. Let P and Q be the laws of the transcripts over neighbouring data, and S any set of them. A
service that stops where the basic view would pass the limit has the same law on A, so P[S and A] <= e^epsilon Q[S and A] + delta_A by
the first filter; likewise P[S and B] <= e^epsilon Q[S and B] + delta_B by the second. Their sum is the claim with
delta_A + delta_B, so each view may use half of the limit's delta. Where that is 0, only the basic view counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from dpsql.amounts import at_least, decimal, total
from dpsql.opendp import library

FARTHEST_RHO = 100.0  # beyond it the closed form of the conversion is within 2 % of the best and OpenDP's search slow or out of range
ROUNDING = 1 + 2.0**-48  # more than what the few operations of the closed form can lose


@dataclass(frozen=True)
class Spend:
    """What something costs: (`epsilon`, `delta`) in basic composition, and (`rho`, `delta_rho`) in approximate zCDP.

    All are amounts as in `dpsql.amounts`: 0 or more, their sums exact or rounded up.
    """

    epsilon: float
    delta: float
    rho: float
    delta_rho: float

    @classmethod
    def pure(cls, epsilon: float, spread: int = 1) -> Spend:
        """Pure `epsilon`-DP, which is (epsilon^2 / 2)-zCDP (Bun and Steinke 2016, proposition 3.3).

        With `spread`, the noise is independent on many numbers of which a unit changes at most that many, each at a cost of
        epsilon / spread: then zCDP composes to epsilon^2 / (2 spread).
        """
        return cls(epsilon, 0.0, _half_square(epsilon, spread), 0.0)

    @classmethod
    def gaussian(cls, rho: float, delta: float) -> Spend:
        """`rho`-zCDP, which in the basic view is (epsilon, `delta`)-DP with the least epsilon known; `delta` must be above 0."""
        return cls(zcdp_epsilon(rho, delta), delta, rho, 0.0)

    @classmethod
    def threshold(cls, epsilon: float, delta: float, spread: int = 1) -> Spend:
        """A release of keys above a threshold: pure but for `delta`, in both views; `spread` as in `pure`."""
        return cls(epsilon, delta, _half_square(epsilon, spread), delta)

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            total((self.epsilon, other.epsilon)),
            total((self.delta, other.delta)),
            total((self.rho, other.rho)),
            total((self.delta_rho, other.delta_rho)),
        )


NOTHING = Spend(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Limit:
    """The most that may be spent: (`epsilon`, `delta`)."""

    epsilon: float
    delta: float

    @property
    def delta_of_questions(self) -> float:
        """The most that the deltas of all questions may sum up to: half of `delta`, the rest being for the conversion from zCDP."""
        return self.delta / 2

    def allows(self, total: Spend) -> bool:
        """Whether `total` is within the limit, in either view."""
        most = decimal(self.epsilon)
        return any(math.isfinite(spent) and decimal(spent) <= most for spent in self._views(total))

    def epsilon_of(self, total: Spend) -> float:
        """The epsilon that `total` amounts to at this limit's delta, the smaller of both views; infinite beyond the delta."""
        return min(self._views(total))

    def _views(self, total: Spend) -> Iterator[float]:
        """Epsilons that all bound what `total` amounts to, the quickly found ones first."""
        if math.isnan(total.epsilon) or math.isnan(total.delta):
            yield math.inf
            return
        half = Fraction(0) if self.delta == 0 else decimal(self.delta) / 2
        yield total.epsilon if _within(total.delta, half) else math.inf
        if half == 0 or not _within(total.delta_rho, half) or not math.isfinite(total.rho):
            return
        left = float(half - decimal(total.delta_rho)) * (2 - ROUNDING)
        if left > 0:
            yield _closed_form(total.rho, left)
            yield zcdp_epsilon(total.rho, left)


@lru_cache(maxsize=4096)
def zcdp_epsilon(rho: float, delta: float) -> float:
    """The least epsilon known for which `rho`-zCDP implies (epsilon, `delta`)-DP.

    By OpenDP (Canonne, Kamath and Steinke 2020, proposition 12), and never more than rho + 2 sqrt(rho log(1 / delta)) (Bun and
    Steinke 2016, proposition 1.3), which alone is used where rho is great.

    Raises InputError where OpenDP is not installed.
    """
    if rho <= 0:
        return 0.0
    if delta >= 1:
        return 0.0
    plain = _closed_form(rho, delta)
    if rho > FARTHEST_RHO:
        return plain
    dp = library()
    gaussian = dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T="f64"), scale=1.0)
    profile = dp.c.make_zCDP_to_approxDP(gaussian).map(math.sqrt(2 * rho) * ROUNDING)
    return min(plain, math.nextafter(float(profile.epsilon(delta)), math.inf))


@lru_cache(maxsize=1024)
def rho_of(epsilon: float, delta: float) -> float:
    """The greatest rho found, by bisection, for which `Spend.gaussian(rho, delta)` costs at most `epsilon`."""
    lo, hi = 0.0, 1.0
    while zcdp_epsilon(hi, delta) <= epsilon and hi < 1e18:
        lo, hi = hi, hi * 4
    for _ in range(60):
        middle = (lo + hi) / 2
        if zcdp_epsilon(middle, delta) <= epsilon:
            lo = middle
        else:
            hi = middle
    return lo


def _closed_form(rho: float, delta: float) -> float:
    """rho + 2 sqrt(rho log(1 / delta)), rounded up, for a delta from above 0."""
    return (rho + 2 * math.sqrt(rho * max(0.0, -math.log(delta)) * ROUNDING)) * ROUNDING


@lru_cache(maxsize=1024)
def _half_square(epsilon: float, spread: int) -> float:
    return at_least(decimal(epsilon) ** 2 / (2 * spread)) if math.isfinite(epsilon) else math.inf


def _within(amount: float, most: Fraction) -> bool:
    return math.isfinite(amount) and decimal(amount) <= most
