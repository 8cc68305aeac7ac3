"""Fails where the locks no longer answer what pyproject.toml asks: `make lock-check`. Needs no network."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)\s*(?:;.*)?$")


def pins(name: str) -> dict[str, list[Version]]:
    """Return the pinned versions of each package of a lock."""
    found: dict[str, list[Version]] = {}
    for line in (ROOT / name).read_text("utf-8").splitlines():
        match = PIN.match(line.strip())
        if not match:
            raise SystemExit(f"{name}: '{line}' is no pin")
        found.setdefault(canonicalize_name(match[1]), []).append(Version(match[2]))
    return found


def problems() -> list[str]:
    """Return what does not fit between pyproject.toml and the two locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    base = project["project"]["dependencies"]
    extras = [r for group in project["project"]["optional-dependencies"].values() for r in group]
    dev = project["dependency-groups"]["dev"]
    locks = {"requirements.lock": base, "requirements-dev.lock": [*base, *extras, *dev]}
    found = []
    for lock, wanted in locks.items():
        pinned = pins(lock)
        for text in wanted:
            requirement = Requirement(text)
            versions = pinned.get(canonicalize_name(requirement.name), [])
            if not versions or not all(v in SpecifierSet(str(requirement.specifier), prereleases=True) for v in versions):
                found.append(f"{lock}: {text} is asked for and {versions or 'nothing'} is pinned")
    both, shared = pins("requirements.lock"), pins("requirements-dev.lock")
    found += [f"requirements-dev.lock: {n} differs from requirements.lock" for n, v in both.items() if shared.get(n) != v]
    return found


if __name__ == "__main__":
    if wrong := problems():
        sys.exit("the lock is not that of pyproject.toml; run `make lock`:\n" + "\n".join(wrong))
    print("the locks answer pyproject.toml")
