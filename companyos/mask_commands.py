"""`companyos mask`: its commands, each in a module of its own."""

from __future__ import annotations

from companyos.cli import Lazy

PLACES = {
    "risk": ("companyos.mask_risk", "risk", "Measure how safe and how useful a table of people is."),
}

mask = Lazy("mask", places=PLACES, help="Find personal data, mask it irreversibly, and prove that nothing is left.")
