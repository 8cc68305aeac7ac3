"""The rule that says in how many groups a unit counts."""

from __future__ import annotations

from dataclasses import replace

from dpsql.declaration import Declaration
from dpsql.planning.model import Plan, Threshold

FEW = 4  # up to so many groups, choosing a bound costs more than it gains
HIGHEST = 20


def limit_groups(plan: Plan, declaration: Declaration) -> Plan:
    """Return `plan` with the most groups of a unit: structural, set, declared, or to be chosen privately, in this order."""
    keys = plan.release.keys
    possible = [n for n in (plan.release.rows.most_rows, public_groups(plan)) if n is not None]
    most = 1 if all(key.one_a_unit for key in keys) else min(possible, default=None)
    if most == 1:
        return replace(plan, groups=1)
    said = plan.settings.max_groups or declaration.groups
    if said is not None:
        return replace(plan, groups=said if most is None else min(said, most))
    if most is not None and most <= FEW:
        return replace(plan, groups=most)
    highest = HIGHEST if most is None else min(HIGHEST, (most - 1).bit_length())
    return replace(plan, groups_threshold="groups", thresholds=(*plan.thresholds, Threshold("groups", None, highest=highest)))


def public_groups(plan: Plan) -> int | None:
    """How many groups there are at most, where all keys have closed values in the declaration."""
    count = 1
    for key in plan.release.keys:
        facts = key.expression.facts
        if facts.values is None:
            return None
        count *= len(facts.values) + (facts.nullable and None not in facts.values)
    return count
