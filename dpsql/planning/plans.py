"""Making the plan of a release."""

from __future__ import annotations

from collections.abc import Callable

from dpsql.declaration import Declaration
from dpsql.planning.model import Plan, Settings
from dpsql.planning.rules.bounds import bound_contributions
from dpsql.planning.rules.groups import limit_groups
from dpsql.planning.rules.means import reuse_sums
from dpsql.planning.rules.parts import split_aggregates
from dpsql.tree import Release

Rule = Callable[[Plan, Declaration], Plan]

RULES: tuple[Rule, ...] = (
    split_aggregates,  # aggregates into integer parts
    reuse_sums,  # a mean of what is summed anyway needs no sum of its own
    limit_groups,  # in how many groups a unit counts
    bound_contributions,  # what a unit adds to a group at most
)


def plan(release: Release, declaration: Declaration, settings: Settings) -> Plan:
    """Return what is to be measured for `release`; QueryRefused where bounds are missing."""
    planned = Plan(release, settings)
    for rule in RULES:
        planned = rule(planned, declaration)
    return planned
