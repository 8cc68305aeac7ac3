"""How much the pods beside a sandbox may take: as much as one person's work on it needs, and storage as the sandbox itself.

Source: Kubernetes, "Resource Quotas" and "Limit Ranges".
"""

from __future__ import annotations

from typing import Any

from provisioning.life.sandbox import Sandbox
from provisioning.manifests.names import named

_QUOTA = {
    "pods": "10",
    "requests.cpu": "2",
    "requests.memory": "4Gi",
    "limits.cpu": "4",
    "limits.memory": "8Gi",
    "persistentvolumeclaims": "2",
    "services": "5",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
    "secrets": "10",
    "configmaps": "20",
    "count/jobs.batch": "10",
    "count/cronjobs.batch": "2",
}


def resource_quota(sandbox: Sandbox) -> dict[str, Any]:
    """Return the ResourceQuota: no load balancers and node ports, which would be ways in, and no more storage than the sandbox's limit."""
    return named(sandbox, "v1", "ResourceQuota", "sandbox", spec={"hard": {**_QUOTA, "requests.storage": _bytes(sandbox)}})


def limit_range(sandbox: Sandbox) -> dict[str, Any]:
    """Return the LimitRange, by which a container that asks for nothing gets a little."""
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "default": {"cpu": "500m", "memory": "512Mi"},
        "max": {"cpu": "2", "memory": "4Gi"},
    }
    claim = {"type": "PersistentVolumeClaim", "max": {"storage": _bytes(sandbox)}}
    return named(sandbox, "v1", "LimitRange", "sandbox", spec={"limits": [container, claim]})


def _bytes(sandbox: Sandbox) -> str:
    mebibytes, rest = divmod(sandbox.limits.bytes, 2**20)
    return f"{mebibytes}Mi" if not rest else str(sandbox.limits.bytes)
