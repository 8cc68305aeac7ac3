"""What a query spends: its epsilon shared out over what its plans measure, and the price of what is not known yet.

What several of its plans measure alike is measured, and paid for, once.

Thresholds get a fifth, since a bound that is off by one power of two costs little beside noise, and half of that where they clip for means
alone, which it hardly moves; the parts share the rest evenly.
Additive parts get Gaussian noise, paid together in zCDP, where that errs less than Laplace noise on each: with delta to spend, when
there are many parts or a unit is in many groups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import sqrt

from dpsql.accounting import NOTHING, Spend, rho_of
from dpsql.amounts import share
from dpsql.amounts import total as total_of
from dpsql.measuring import Measured
from dpsql.planning.model import Part, Plan, Shares

FOR_THRESHOLDS, FOR_THRESHOLDS_OF_MEANS = Fraction(1, 5), Fraction(1, 10)


def repeated(digests: Sequence[Mapping[str, str]]) -> list[frozenset[str]]:
    """Which names of each plan's `digests` have a digest that an earlier plan has."""
    seen: set[str] = set()
    found = []
    for of_plan in digests:
        found.append(frozenset(name for name, digest in of_plan.items() if digest in seen))
        seen.update(of_plan.values())
    return found


def shared_out(plans: Sequence[Plan], epsilon: float, delta: float, again: Sequence[Collection[str]] = ()) -> list[Plan]:
    """Return `plans` with their shares of (`epsilon`, `delta`), which together cost no more; `again` is what `repeated` found."""
    again = again or [()] * len(plans)
    measured = [(plan, _parts(plan, names)) for plan, names in zip(plans, again, strict=True)]
    thresholds = [t for plan, names in zip(plans, again, strict=True) for t in plan.thresholds if f"threshold:{t.name}" not in names]
    parts = sum(len(own) for _, own in measured)
    for_all = Fraction(0)
    if thresholds:
        for_all = FOR_THRESHOLDS_OF_MEANS if all(t.of_means for t in thresholds) else FOR_THRESHOLDS
    for_thresholds = share(epsilon, for_all / max(len(thresholds), 1))
    for_parts = share(epsilon, 1 - for_all)
    each = share(epsilon, (1 - for_all) / max(parts, 1))
    private = sum(plan.private_keys and any(part.kind == "units" for part in own) for plan, own in measured)
    keys_delta = share(delta, Fraction(1, private)) if private else 0.0
    rho = None if private or delta == 0 else _gaussian(measured, for_parts, delta)
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


def _parts(plan: Plan, again: Collection[str]) -> list[Part]:
    return [part for part in plan.parts if f"part:{part.name}" not in again]


def _gaussian(measured: Sequence[tuple[Plan, Sequence[Part]]], epsilon: float, delta: float) -> float | None:
    """The rho of each part under Gaussian noise, or None where Laplace noise errs less or a part cannot take it."""
    spreads = [plan.spread or 1 for plan, parts in measured for _ in parts]
    quantiles = any(part.kind == "quantile" for _, parts in measured for part in parts)
    if not spreads or quantiles or any(plan.groups is None for plan, _ in measured):
        return None
    rho = share(rho_of(epsilon, delta), Fraction(1, len(spreads)))
    gaussian = sum(sqrt(spread / (2 * rho)) for spread in spreads)
    laplace = sum(sqrt(2) * spread * len(spreads) / epsilon for spread in spreads)
    return rho if gaussian < laplace else None


def price(plans: Sequence[Plan], known: Sequence[Measured], again: Sequence[Collection[str]] = ()) -> Spend:
    """Return what it costs to measure what `known` has not, plan by plan; Gaussian parts of all plans pay together."""
    total = NOTHING
    rhos: list[float] = []
    for plan, have, names in zip(plans, known, again or [()] * len(plans), strict=True):
        shares, spread = plan.shares, plan.spread or 1
        for threshold in plan.thresholds:
            if threshold.name not in have.thresholds and f"threshold:{threshold.name}" not in names:
                total += Spend.pure(shares.threshold)
        for part in _parts(plan, names):
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
