"""Who somebody is: an owner that the file of environments knows, and their groups."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.policy.asked import Who
from schemas.environments import Environments
from schemas.errors import InputError, nearest

LONGEST_NAME = 320  # of an address: 64 characters, an @ and 255 (RFC 3696)


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's; addresses that differ in case are."""
    return one.strip().casefold() == other.strip().casefold()


def find_owner(environments: Environments, name: str, groups: Iterable[str] = ()) -> Who:
    """Return who has this name, in lower case, with their groups: those of the file, and those that a token says, in `groups`.

    An entry of their own goes before that of their domain. Raises InputError for who is in neither and brings no groups.
    """
    name = name.strip().casefold()
    if len(name) > LONGEST_NAME:
        raise InputError(f"an owner's address has at most {LONGEST_NAME} characters; '{name[:40]}...' has {len(name):,}")
    known = {owner.casefold(): listed for owner, listed in environments.owners.items()}
    own = None if "*" in name else known.get(name, known.get(f"*@{name.rpartition('@')[2]}") if _is_address(name) else None)
    brought = tuple(groups)
    if own is None and (not brought or not name or "*" in name):
        listed = f"; known are {', '.join(known)}" if len(known) <= 12 else ""
        hint = nearest(name, _meant(name, known)) or f"{listed}; more go under `owners:` in the environments' file (docs/environments.md)"
        raise InputError(f"unknown owner '{name[:80]}'{hint}")
    return Who(name, tuple(dict.fromkeys((*(own or ()), *brought))))


def owner_now(environments: Environments, name: str) -> Who:
    """Return the owner of what is there already, with the groups of the file; in none where it does not know them (any more)."""
    try:
        return find_owner(environments, name)
    except InputError:
        return Who(name)


def _meant(name: str, known: Iterable[str]) -> list[str]:
    """Who may have been meant: the owners with a name of their own, and whoever has an address, at the domains that are known."""
    if "*" in name or not _is_address(name):
        return [owner for owner in known if "*" not in owner]
    return [owner.replace("*", name.partition("@")[0]) for owner in known]


def _is_address(name: str) -> bool:
    local, at, domain = name.partition("@")
    return bool(local and at and domain) and "@" not in domain and not any(c.isspace() or not c.isprintable() for c in name)
