"""All objects of one sandbox, in the order in which they are applied."""

from __future__ import annotations

from typing import Any

from provisioning.errors import WrongState
from provisioning.life.sandbox import Sandbox
from provisioning.manifests.limits import limit_range, resource_quota
from provisioning.manifests.names import DOMAIN, annotations_of, labels_of, named, namespace_of
from provisioning.manifests.network import network_policies
from schemas.environments import Environment, Environments, SandboxTemplate
from schemas.errors import InputError

DATABASE_SECRET = "companyos-database"
RESTRICTED = {
    f"pod-security.kubernetes.io/{what}": value
    for mode in ("enforce", "audit", "warn")
    for what, value in ((mode, "restricted"), (f"{mode}-version", "latest"))
}


def render(sandbox: Sandbox, environment: Environment, template: SandboxTemplate) -> list[dict[str, Any]]:
    """Return the Kubernetes objects that isolate what runs beside `sandbox`.

    The template's egress goes before the environment's. Raises WrongState for a sandbox that is gone or about to go, InputError for an
    egress exception that no NetworkPolicy can express.
    """
    if sandbox.state in ("deleting", "deleted", "failed"):
        raise WrongState(f"{sandbox.id} is {sandbox.state}; there is nothing to isolate")
    egress = environment.egress if template.egress is None else template.egress
    return [
        _namespace(sandbox),
        resource_quota(sandbox),
        limit_range(sandbox),
        _account(sandbox, "default"),
        _account(sandbox, "sandbox", secrets=[{"name": DATABASE_SECRET}]),
        *network_policies(sandbox, egress),
    ]


def render_under(environments: Environments, sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the objects of `sandbox` under what an environments' file says; InputError where it knows its template no more."""
    environment, template = environments.environments.get(sandbox.environment), environments.templates.get(sandbox.template)
    if environment is None or template is None:
        what = f"environment '{sandbox.environment}'" if environment is None else f"template '{sandbox.template}'"
        raise InputError(f"{sandbox.id} was made under the {what}, which the environments' file does not have (any more)")
    return render(sandbox, environment, template)


def _namespace(sandbox: Sandbox) -> dict[str, Any]:
    metadata = {
        "name": namespace_of(sandbox),
        "labels": {**labels_of(sandbox), **RESTRICTED},
        "annotations": {**annotations_of(sandbox), f"{DOMAIN}/database-secret": DATABASE_SECRET},
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _account(sandbox: Sandbox, name: str, **parts: Any) -> dict[str, Any]:
    """A ServiceAccount whose pods get no token of the cluster; `default` is that of pods that name none."""
    return named(sandbox, "v1", "ServiceAccount", name, automountServiceAccountToken=False, **parts)
