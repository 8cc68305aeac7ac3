"""Making the plan of a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from dpsql.declaration import Declaration
from dpsql.planning.model import Formula, Plan, Settings
from dpsql.planning.rules.bounds import bound_contributions
from dpsql.planning.rules.groups import limit_groups
from dpsql.planning.rules.means import reuse_sums
from dpsql.planning.rules.parts import limits, split_aggregates
from dpsql.tree import Aggregate, Release

Rule = Callable[[Plan, Declaration], Plan]

RULES: tuple[Rule, ...] = (
    split_aggregates,  # aggregates into integer parts
    reuse_sums,  # a mean of what is summed anyway needs no sum of its own
    limit_groups,  # in how many groups a unit counts
    bound_contributions,  # what a unit adds to a group at most
)


def from_plain_sums(release: Release, declaration: Declaration, settings: Settings) -> Plan:
    """Return the plan that takes each mean of `release` from a plain sum and a count, as they are where they are asked for by themselves.

    Measured anew it would err more than `plan`, whose sums are about the middle of the bounds; it serves where both were answered before.
    """

    def taken(aggregate: Aggregate) -> tuple[Aggregate, ...]:
        return (replace(aggregate, function="sum"), replace(aggregate, function="count")) if _plain_mean(aggregate) else (aggregate,)

    aggregates = tuple(one for aggregate in release.aggregates for one in taken(aggregate))
    planned = plan(replace(release, aggregates=aggregates), declaration, settings)
    single = iter(planned.formulas)
    formulas = tuple(_mean_of(a, next(single), next(single)) if _plain_mean(a) else next(single) for a in release.aggregates)
    return replace(planned, release=release, formulas=formulas)


def _plain_mean(aggregate: Aggregate) -> bool:
    return aggregate.function == "avg" and not aggregate.distinct


def _mean_of(aggregate: Aggregate, total: Formula, count: Formula) -> Formula:
    assert aggregate.argument is not None
    facts = aggregate.argument.facts
    between = limits(facts) if facts.bounded else (None, None)
    return Formula("mean", {"sum": total.parts["value"], "count": count.parts["value"]}, Fraction(0), *between)


def plan(release: Release, declaration: Declaration, settings: Settings) -> Plan:
    """Return what is to be measured for `release`; QueryRefused where bounds are missing."""
    planned = Plan(release, settings)
    for rule in RULES:
        planned = rule(planned, declaration)
    return planned
