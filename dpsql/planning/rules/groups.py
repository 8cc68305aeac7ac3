"""The rule that says in how many groups a unit counts."""

from __future__ import annotations

from dataclasses import replace

from dpsql.declaration import Declaration
from dpsql.planning.model import MOST_GROUPS, Plan, Threshold

FEW = 4  # up to so many groups, choosing a bound costs more than it gains
HIGHEST = 20


def limit_groups(plan: Plan, declaration: Declaration) -> Plan:
    """Return `plan` with the most groups of a unit: structural, set, declared, needless, or to be chosen privately, in this order."""
    keys = plan.release.keys
    possible = [n for n in (plan.release.rows.most_rows, public_groups(plan)) if n is not None]
    most = 1 if all(key.one_a_unit for key in keys) else min(possible, default=None)
    if most == 1:
        return replace(plan, groups=1)
    said = plan.settings.max_groups or declaration.groups
    if said is not None:
        return replace(plan, groups=said if most is None else min(said, most))
    if _takes_totals(plan):
        return replace(plan, groups=MOST_GROUPS if most is None else min(most, MOST_GROUPS), total=True)
    if most is not None and most <= FEW:
        return replace(plan, groups=most)
    highest = HIGHEST if most is None else min(HIGHEST, (most - 1).bit_length())
    return replace(plan, groups_threshold="groups", thresholds=(*plan.thresholds, Threshold("groups", None, highest=highest)))


def _takes_totals(plan: Plan) -> bool:
    """Whether what a unit adds to all groups together can be bounded in place of their number and what it adds to each.

    A unit adds to each group at most what it adds to all, which is less than the greatest number of groups times the most in one; and
    there is one bound to choose, not two. Private groups need a bound on their number, and the sums and counts of a mean belong together.
    """
    alone = all(formula.function == "value" for formula in plan.formulas)
    return (
        alone
        and not plan.private_keys
        and plan.release.rows.most_rows is None
        and all(part.kind in ("rows", "values", "sum") for part in plan.parts)
    )


def public_groups(plan: Plan) -> int | None:
    """How many groups there are at most, where all keys have closed values in the declaration."""
    count = 1
    for key in plan.release.keys:
        facts = key.expression.facts
        if facts.values is None:
            return None
        count *= len(facts.values) + (facts.nullable and None not in facts.values)
    return count
