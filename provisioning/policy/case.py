"""What is asked for, with what its words mean: a case for the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from provisioning.control.moments import stamp
from provisioning.policy.approvals import Approval
from provisioning.policy.asked import Asked
from provisioning.policy.lifetime import Lifetime, lifetime
from provisioning.policy.owners import find_owner, same_person
from schemas.environments import Environment, Environments, SandboxTemplate
from schemas.errors import InputError, nearest


@dataclass(frozen=True, slots=True)
class Setting:
    """A template, and the environment of its sandboxes."""

    environment: Environment
    template: SandboxTemplate


@dataclass(frozen=True, slots=True)
class Case(Setting):
    """What is asked for there, the approvals that count, and the time in force."""

    asked: Asked
    loading: tuple[Approval, ...]
    extending: tuple[Approval, ...]
    life: Lifetime

    def facts(self) -> dict[str, Any]:
        """Return what a company's own rules are told, by the names of `schemas.cel.VARIABLES`."""
        asked = self.asked
        return {
            "owner": asked.owner.name,
            "groups": list(asked.owner.groups),
            "actor": (asked.actor or asked.owner).name,
            "template": self.template.name,
            "environment": self.environment.name,
            "kind": asked.bundle_kind,
            "seed": asked.seed,
            "ttl_hours": _hours(self.life.ttl),
            "flags": list(asked.flags),
            "action": asked.action,
            "age_hours": _hours(asked.age),
            "live": asked.live,
        }

    def document(self) -> dict[str, Any]:
        """Return what the webhook is sent: the facts, and what identifies bundle, sandbox and moment."""
        asked = self.asked
        return {
            "version": 1,
            **self.facts(),
            "bundle_digest": asked.bundle_digest,
            "sandbox": asked.sandbox,
            "approved_by": sorted({approval.by for approval in (*self.loading, *self.extending)}),
            "at": stamp(asked.now),
        }


def understand(environments: Environments, asked: Asked) -> Case:
    """Return the case; raises InputError with every word in it that the file of environments does not know."""
    unknown: list[str] = []
    template = environments.templates.get(asked.template)
    if template is None:
        unknown.append(_unknown("template", asked.template, environments.templates))
    name = asked.environment or (template and template.environment)
    environment = environments.environments.get(name) if name else None
    if environment is None and name:
        unknown.append(_unknown("environment", name, environments.environments))
    try:
        asked = replace(asked, owner=find_owner(environments, asked.owner.name, asked.owner.groups))
    except InputError as error:
        if asked.sandbox is None:  # the owner of one that is there was known once, and may have left
            unknown.append(str(error))
    if template is not None and asked.sandbox is None:  # the flags of one that is there were known once
        unknown += [_unknown("feature flag", flag, template.flags) for flag in asked.flags if flag not in template.flags]
    if template is None or environment is None or unknown:
        raise InputError("\n".join(dict.fromkeys(unknown)))
    standing = [approval for approval in asked.approvals if _stands(approval, asked)]
    loading = tuple(a for a in standing if a.what == "load" and a.template == template.name and a.bundle_digest == asked.bundle_digest)
    extending = tuple(a for a in standing if a.what == "extend" and _is_for(a, asked))
    return Case(environment, template, asked, loading, extending, lifetime(environment, asked, extending))


def _stands(approval: Approval, asked: Asked) -> bool:
    """Whether an approval holds now, is for this owner, and was given by somebody else than the owner and who asks."""
    askers = (asked.owner, asked.actor or asked.owner)
    return (
        approval.given_at <= asked.now < approval.until
        and same_person(approval.owner, asked.owner.name)
        and not any(same_person(approval.by, who.name) for who in askers)
    )


def _is_for(approval: Approval, asked: Asked) -> bool:
    if asked.sandbox is None:
        return approval.sandbox is None and approval.template == asked.template
    return approval.sandbox == asked.sandbox


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    listed = list(known)
    hint = nearest(word, listed) or (f"; there are {', '.join(listed)}" if listed else "; there is none")
    return f"unknown {what} '{word[:80]}'{hint}"


def _hours(length: timedelta) -> int:
    return -(-length // timedelta(hours=1))
