"""What a query spends: its epsilon shared out over what its plans measure, and the price of what is not known yet.

Thresholds get a fifth, since a bound that is off by one power of two costs little beside noise, and half of that where they clip for means
alone, which it hardly moves; the parts share the rest evenly.
Additive parts get Gaussian noise, paid together in zCDP, where that errs less than Laplace noise on each: with delta to spend, when
there are many parts or a unit is in many groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import sqrt

from dpsql.accounting import NOTHING, Spend, rho_of
from dpsql.amounts import share
from dpsql.amounts import total as total_of
from dpsql.measuring import Measured
from dpsql.planning.model import Plan, Shares

FOR_THRESHOLDS, FOR_THRESHOLDS_OF_MEANS = Fraction(1, 5), Fraction(1, 10)


def shared_out(plans: Sequence[Plan], epsilon: float, delta: float) -> list[Plan]:
    """Return `plans` with their shares of (`epsilon`, `delta`), which together cost no more."""
    thresholds = [t for p in plans for t in p.thresholds]
    parts = sum(len(p.parts) for p in plans)
    for_all = Fraction(0)
    if thresholds:
        for_all = FOR_THRESHOLDS_OF_MEANS if all(t.of_means for t in thresholds) else FOR_THRESHOLDS
    for_thresholds = share(epsilon, for_all / max(len(thresholds), 1))
    for_parts = share(epsilon, 1 - for_all)
    each = share(epsilon, (1 - for_all) / max(parts, 1))
    private = [p for p in plans if p.private_keys]
    keys_delta = share(delta, Fraction(1, len(private))) if private else 0.0
    rho = None if private or delta == 0 else _gaussian(plans, for_parts, delta)
    return [
        replace(
            plan,
            shares=Shares(
                threshold=for_thresholds,
                keys=each if plan.private_keys else 0.0,
                keys_delta=keys_delta if plan.private_keys else 0.0,
                part=each,
                rho=rho,
                delta=delta if rho is not None else 0.0,
            ),
        )
        for plan in plans
    ]


def _gaussian(plans: Sequence[Plan], epsilon: float, delta: float) -> float | None:
    """The rho of each part under Gaussian noise, or None where Laplace noise errs less or a part cannot take it."""
    parts = [part for plan in plans for part in plan.parts]
    if not parts or any(part.kind == "quantile" for part in parts) or any(plan.groups is None for plan in plans):
        return None
    rho = share(rho_of(epsilon, delta), Fraction(1, len(parts)))
    gaussian = sum(sqrt((plan.spread or 1) / (2 * rho)) for plan in plans for _ in plan.parts)
    laplace = sum(sqrt(2) * (plan.spread or 1) * len(parts) / epsilon for plan in plans for _ in plan.parts)
    return rho if gaussian < laplace else None


def price(plans: Sequence[Plan], known: Sequence[Measured]) -> Spend:
    """Return what it costs to measure what `known` has not, plan by plan; Gaussian parts of all plans pay together."""
    total = NOTHING
    rhos: list[float] = []
    for plan, have in zip(plans, known, strict=True):
        shares, spread = plan.shares, plan.spread or 1
        for threshold in plan.thresholds:
            if threshold.name not in have.thresholds:
                total += Spend.pure(shares.threshold)
        for part in plan.parts:
            if part.name in have.parts:
                continue
            if part.kind == "units" and plan.private_keys:
                total += Spend.threshold(shares.keys, shares.keys_delta, spread)
            elif shares.rho is not None and part.kind != "quantile":
                rhos.append(shares.rho)
            else:
                total += Spend.pure(shares.part, spread)
    if rhos:
        total += Spend.gaussian(total_of(rhos), plans[0].shares.delta)
    return total
