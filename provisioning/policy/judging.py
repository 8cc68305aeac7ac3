"""Judges what is asked for: every rule is held, and all that are broken are told at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from provisioning.errors import PolicyRefused, Violation
from provisioning.policy.asked import Asked
from provisioning.policy.case import Case, Setting, understand
from provisioning.policy.rules import OF_THE_FILE, RULES
from schemas.environments import Environments

WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says: the rules that are broken, none where it is allowed; the names of all that were held, in `checked`.

    `ttl` is how long the sandbox may live from the moment of asking on, the least of what was asked for, the environment's most, the
    approval's and the bundle's own end; `why_ttl` says which it was.
    """

    violations: tuple[Violation, ...]
    ttl: timedelta
    why_ttl: str
    checked: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing is broken."""
        return not self.violations

    def require(self) -> Verdict:
        """Return the verdict; raises PolicyRefused with all violations where there are any."""
        if self.violations:
            raise PolicyRefused(self.violations)
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the verdict for machines and for the audit ledger."""
        return {
            "allowed": self.allowed,
            "violations": [{"rule": v.rule, "message": v.message} for v in self.violations],
            "ttl_seconds": int(self.ttl.total_seconds()),
            "why_ttl": self.why_ttl,
            "checked": list(self.checked),
        }


def judge(environments: Environments, asked: Asked) -> Verdict:
    """Hold every rule against what is asked for.

    The webhook is asked as well, also where rules are broken, so that all is told at once. Raises InputError for words that the file of
    environments does not know, and where the company's own rules cannot be held here: without them nothing is allowed.
    """
    case = understand(environments, asked)
    violations: list[Violation] = []
    checked: list[str] = []
    for name, messages in _held(environments, case):
        checked.append(name)
        violations += [Violation(name, message) for message in messages]
    return Verdict(tuple(violations), case.life.ttl, case.life.why, tuple(checked))


def faults(environments: Environments, template: str) -> tuple[Violation, ...]:
    """Return the rules that a template breaks whoever asks, so that nothing can be made after it as long as the file is as it is."""
    found = environments.templates[template]
    setting = Setting(environments.environments[found.environment], found)
    return tuple(Violation(name, message) for name, check in OF_THE_FILE for message in check(setting))


def _held(environments: Environments, case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    for rule in RULES:
        if case.asked.action in rule.actions:
            yield rule.name, tuple(rule.check(case))
    if case.environment.rules:
        from provisioning.policy.expressions import fault

        facts = case.facts()
        for own in case.environment.rules:
            wrong = fault(own.expression, facts)
            yield own.name, () if wrong is None else (f"{own.message} ({wrong})" if wrong else own.message,)
    if environments.webhook is not None:
        from provisioning.policy.webhook import refusals

        yield WEBHOOK, refusals(environments.webhook, case.document())
