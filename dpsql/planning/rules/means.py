"""The rule that computes a mean from a sum that is measured anyway."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from dpsql.declaration import Declaration
from dpsql.planning.model import Formula, Part, Plan
from dpsql.tree import Expression


def reuse_sums(plan: Plan, declaration: Declaration) -> Plan:
    """Return `plan` with each mean taken from the plain sum of the same values, where the query asks for that too.

    A third measurement would cost more precision of the other two than centring gains.
    """
    plain = {(part.argument, part.step): part for part in plan.parts if part.kind == "sum" and part.centre == 0}
    formulas = tuple(_from_plain(formula, plan, plain) for formula in plan.formulas)
    used = {name for formula in formulas for name in formula.parts.values()}
    return replace(plan, formulas=formulas, parts=tuple(p for p in plan.parts if p.name in used or p.kind == "units"))


def _from_plain(formula: Formula, plan: Plan, plain: dict[tuple[Expression | None, Fraction], Part]) -> Formula:
    if formula.function != "mean":
        return formula
    centred = plan.part(formula.parts["sum"])
    found = plain.get((centred.argument, centred.step))
    if (
        found is None
        or centred.kind != "sum"
        or any(f.function not in ("mean", "value") and centred.name in f.parts.values() for f in plan.formulas)
    ):
        return formula
    return replace(formula, parts={**formula.parts, "sum": found.name}, centre=Fraction(0))
