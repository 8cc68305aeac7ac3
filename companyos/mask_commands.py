"""`companyos mask`: its commands, each in a module of its own."""

from __future__ import annotations

from companyos.cli import Lazy

PLACES: dict[str, tuple[str, str, str]] = {
    "plan": ("companyos.mask_plan", "plan", "Propose a policy for a live database, or show what changed since."),
    "run": ("companyos.mask_run", "run", "Mask a live database into a sanitized bundle, with a proof."),
    "scan": ("companyos.mask_scan", "scan", "Look in a bundle for personal values of a live database."),
    "certificate": ("companyos.mask_certificate", "certificate", "Show the certificate of a sanitized bundle."),
    "find": ("companyos.mask_find", "find", "Find personal values in free text."),
    "anonymize": ("companyos.mask_anonymize", "anonymize", "Make a file k-anonymous, l-diverse, t-close."),
    "risk": ("companyos.mask_risk", "risk", "Measure how safe and how useful a table of people is."),
}

mask = Lazy("mask", places=PLACES, help="Find personal data, mask it irreversibly, and prove that nothing is left.")
