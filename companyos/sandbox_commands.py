"""`companyos sandbox`: its commands, each in a module of its own."""

from __future__ import annotations

from companyos.cli import Lazy

PLACES: dict[str, tuple[str, str, str]] = {
    "create": ("companyos.sandbox_create", "create", "Make an isolated database, seeded from a bundle, for a time."),
    "list": ("companyos.sandbox_show", "list_sandboxes", "List sandboxes."),
    "show": ("companyos.sandbox_show", "show", "Show all that is recorded of a sandbox."),
    "why": ("companyos.sandbox_show", "why", "Say why a sandbox is kept, idle, refused or about to go, and when."),
    "connect": ("companyos.sandbox_connect", "connect", "Open psql or another shell, or print the URL."),
    "extend": ("companyos.sandbox_change", "extend", "Let a sandbox live longer."),
    "reset": ("companyos.sandbox_change", "reset", "Give a sandbox its data anew."),
    "delete": ("companyos.sandbox_change", "delete", "Remove a sandbox with all that is of it."),
    "snapshot": ("companyos.sandbox_snapshot", "snapshot", "Make a bundle of the present data of a sandbox."),
    "restore": ("companyos.sandbox_create", "restore", "Make a sandbox from a snapshot."),
    "approve": ("companyos.sandbox_approve", "approve", "Approve what somebody else may not do alone."),
    "sweep": ("companyos.sandbox_sweep", "sweep", "Remove sandboxes that are expired or idle."),
    "reconcile": ("companyos.sandbox_sweep", "reconcile", "Finish or undo what a crash left."),
    "policy": ("companyos.sandbox_policy", "policy", "Show what is allowed where, and why something would be refused."),
    "manifests": ("companyos.sandbox_manifests", "manifests", "Print the Kubernetes objects that isolate a sandbox."),
}

sandbox = Lazy("sandbox", places=PLACES, help="Make, look after and remove isolated databases seeded from bundles.")
