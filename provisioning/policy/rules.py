"""The rules that hold for everybody, each one small function that says what is wrong, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from provisioning.expiry import has_expired
from provisioning.policy.case import Case, Setting
from provisioning.policy.change_windows import is_open, next_opening
from provisioning.policy.lifetime import YEARS, spoken
from schemas.environments import Egress
from schemas.plurals import counted
from schemas.production import is_production

ALL = frozenset({"create", "extend", "reset"})
LOADS = ALL - {"extend"}
LIVES = ALL - {"reset"}

Check = Callable[[Case], Iterator[str]]


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule: its name, what it finds wrong, and the actions that it holds for."""

    name: str
    check: Check
    actions: frozenset[str] = ALL


def production(case: Case) -> Iterator[str]:
    """Nothing is ever loaded into production, whatever a file says, nor where `loads` is false."""
    if is_production(case.environment.name) or not case.environment.loads:
        yield f"nothing is ever loaded into {case.environment.name}"


def data_class(case: Case) -> Iterator[str]:
    """A bundle's kind is one that the environment takes."""
    kind, environment = case.asked.bundle_kind, case.environment
    if kind not in environment.classes:
        allowed = " and ".join(environment.classes) or "nothing"
        yield f"{kind} data may not be in {environment.name}; allowed there is {allowed}"


def approval(case: Case) -> Iterator[str]:
    """Others than the owner have approved the loading, as many as the data's class needs."""
    needed = case.environment.classes.get(case.asked.bundle_kind, 0)
    given = sorted({a.by.casefold() for a in case.loading})
    if len(given) < needed:
        have = f"there {'is' if len(given) == 1 else 'are'} {len(given)} ({', '.join(given)})" if given else "there is none"
        number = f"{needed} approval{'s' if needed > 1 else ''}"
        yield f"{case.asked.bundle_kind} data in {case.environment.name} needs {number} by others than the owner and who asks; {have}"


def template_approved(case: Setting) -> Iterator[str]:
    """Somebody approved the template's infrastructure and its data."""
    for what, by in (("infrastructure", case.template.approved_infrastructure), ("data", case.template.approved_data)):
        if not by:
            yield f"nobody has approved the {what} of template {case.template.name}"


def seed(case: Case) -> Iterator[str]:
    """The bundle is one that the template may hold."""
    wanted = case.asked.seed.replace("@", ":", 1) if "@" in case.asked.seed else case.asked.seed
    wanted = wanted if ":" in wanted else f"{wanted}:latest"
    if not any(_is_of(pattern, wanted) for pattern in case.template.seeds):
        yield f"template {case.template.name} may hold {', '.join(case.template.seeds)}, and not {case.asked.seed}"


def _is_of(pattern: str, wanted: str) -> bool:
    name, _, version = pattern.partition(":")
    wanted_name, _, wanted_version = wanted.partition(":")
    return fnmatchcase(wanted_name, name) and version in ("*", wanted_version)


def owner_group(case: Case) -> Iterator[str]:
    """The owner is in a group that may own sandboxes there."""
    groups, owner = case.environment.owner_groups, case.asked.owner
    if "*" not in groups and not set(groups) & set(owner.groups):
        theirs = ", ".join(owner.groups) or "no group"
        yield f"sandboxes in {case.environment.name} are for {', '.join(groups)}, and {owner.name} is in {theirs}"


def quota(case: Case) -> Iterator[str]:
    """The owner has not as many live sandboxes there as are allowed, where another is to be made."""
    live, most = case.asked.live, case.environment.quota
    if case.asked.sandbox is None and live >= most:
        hint = "; delete one first" if live else ""
        has = counted(live, "live sandbox", "live sandboxes")
        yield f"{case.asked.owner.name} has {has} in {case.environment.name}, and {most} are the most{hint}"


def ttl(case: Case) -> Iterator[str]:
    """A sandbox lives for more than nothing and for less than years."""
    asked, life = case.asked.ttl, case.life
    if asked is not None and asked <= timedelta(0):
        yield f"the time to live must be above zero, and {spoken(asked)} was asked for"
    elif asked is not None and asked > YEARS:
        most = spoken(case.environment.ttl_most)
        yield f"no sandbox lives for years, and {spoken(asked)} was asked for; {most} in all are the most in {case.environment.name}"
    elif life.ttl <= timedelta(0) and not has_expired(case.asked.bundle_expires, case.asked.now):
        yield f"nothing is left of its time: {life.why}"


def bundle_expiry(case: Case) -> Iterator[str]:
    """The bundle has not come to its own end."""
    if has_expired(case.asked.bundle_expires, case.asked.now):
        yield f"the bundle expired at {case.asked.bundle_expires:%Y-%m-%d %H:%M} UTC"


def extension(case: Case) -> Iterator[str]:
    """A life longer than an owner may ask for alone has somebody else's approval, and an extension makes it longer."""
    asked, alone = case.asked, case.environment.extend_alone
    possible = asked.ttl is None or timedelta(0) < asked.ttl <= YEARS
    if possible and asked.age + case.life.ttl > alone and not case.extending:
        whole = spoken(asked.age + case.life.ttl)
        yield f"a life of {whole} is more than the {spoken(alone)} that an owner may ask for alone; somebody else has to approve it"
    if asked.action == "extend" and asked.expires_at is not None and asked.now + case.life.ttl <= asked.expires_at:
        yield f"it lives until {asked.expires_at:%Y-%m-%d %H:%M} UTC already, and can live no longer: {case.life.why}"


def collectors(case: Setting) -> Iterator[str]:
    """The template is observed by all that the environment requires."""
    missing = [name for name in case.environment.collectors if name not in case.template.collectors]
    if missing:
        yield f"{case.environment.name} requires the collectors {', '.join(missing)}, which template {case.template.name} has not"


def egress(case: Setting) -> Iterator[str]:
    """The template reaches nothing that the environment does not let it reach."""
    allowed, wanted = case.environment.egress, case.template.egress or Egress()
    if allowed.default == "allow":
        return
    if wanted.default == "allow":
        yield f"{case.environment.name} denies what leaves a sandbox, and template {case.template.name} allows it"
    elif more := [exception for exception in wanted.exceptions if exception not in allowed.exceptions]:
        yield f"{case.environment.name} does not let sandboxes reach {', '.join(more)}, as template {case.template.name} does"


def change_window(case: Case) -> Iterator[str]:
    """An environment with a change window is changed within it."""
    window, now = case.environment.change_window, case.asked.now
    if window is not None and not is_open(window, now):
        yield f"{case.environment.name} is changed within its window, which opens at {next_opening(window, now):%a %Y-%m-%d %H:%M %Z}"


RULES: tuple[PolicyRule, ...] = (
    PolicyRule("production", production),
    PolicyRule("data-class", data_class),
    PolicyRule("approval", approval, LOADS),
    PolicyRule("template-approved", template_approved),
    PolicyRule("seed", seed, LOADS),
    PolicyRule("owner-group", owner_group),
    PolicyRule("quota", quota, frozenset({"create"})),
    PolicyRule("ttl", ttl, LIVES),
    PolicyRule("bundle-expiry", bundle_expiry),
    PolicyRule("extension", extension, LIVES),
    PolicyRule("collectors", collectors),
    PolicyRule("egress", egress),
    PolicyRule("change-window", change_window, LOADS),
)

# those that depend on nothing but the file, so that it can be told of them before anybody asks
OF_THE_FILE: tuple[tuple[str, Callable[[Setting], Iterator[str]]], ...] = (
    ("template-approved", template_approved),
    ("collectors", collectors),
    ("egress", egress),
)
