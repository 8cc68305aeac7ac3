"""`companyos mask`: its commands, each in a module of its own."""

from __future__ import annotations

from companyos.cli import Lazy

PLACES: dict[str, tuple[str, str, str]] = {
    "anonymize": ("companyos.mask_anonymize", "anonymize", "Make a file k-anonymous, l-diverse or t-close."),
}

mask = Lazy("mask", places=PLACES, help="Find personal data, mask it irreversibly, and prove that nothing is left.")
