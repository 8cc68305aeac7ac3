"""How long a sandbox may live: the least of what was asked for and of what limits it, and which of them that was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from provisioning.policy.approvals import Approval
from provisioning.policy.asked import Asked
from schemas.environments import Environment

YEARS = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long from now on (`ttl`), and why not longer."""

    ttl: timedelta
    why: str


def lifetime(environment: Environment, asked: Asked, extending: tuple[Approval, ...]) -> Lifetime:
    """Return the time in force; `extending` are the approvals to live longer that count.

    An environment's most is of the whole life, so that what a sandbox has lived already is taken off.
    """
    limits = [_asked_for(environment, asked)]
    limits.append(Lifetime(environment.ttl_most - asked.age, f"{spoken(environment.ttl_most)} in all are the most in {environment.name}"))
    if extending and asked.age + limits[0].ttl > environment.extend_alone:
        last = max(extending, key=lambda approval: approval.until)
        alone = Lifetime(environment.extend_alone - asked.age, f"{spoken(environment.extend_alone)} in all are the most without approval")
        approved = Lifetime(last.until - asked.now, f"the approval by {last.by} ends then")
        limits.append(max(alone, approved, key=lambda limit: limit.ttl))
    if asked.bundle_expires is not None:
        limits.append(Lifetime(asked.bundle_expires - asked.now, "the bundle expires then"))
    return min(limits, key=lambda limit: limit.ttl)


def _asked_for(environment: Environment, asked: Asked) -> Lifetime:
    if asked.ttl is not None:
        return Lifetime(asked.ttl, "as asked for")
    if asked.action == "reset" and asked.expires_at is not None:
        return Lifetime(asked.expires_at - asked.now, "as before")
    return Lifetime(environment.ttl_default, f"{spoken(environment.ttl_default)} are the default in {environment.name}")


def spoken(length: timedelta) -> str:
    """Return a length of time for people, to the minute: `3d`, `2d 4h`, `30m`."""
    minutes = round(abs(length) / timedelta(minutes=1))
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"))
    text = " ".join(f"{number}{unit}" for number, unit in parts if number) or f"{abs(length).total_seconds():g}s"
    return f"-{text}" if length < timedelta(0) else text
