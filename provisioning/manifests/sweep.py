"""The nightly sweep as a CronJob.

Source: Kubernetes, "CronJob" (batch/v1) and "Pod Security Standards", restricted.
"""

from __future__ import annotations

import re
from typing import Any

from provisioning.manifests.names import object_name
from provisioning.manifests.rendering import RESTRICTED
from schemas.errors import InputError

SETTINGS_SECRET = "companyos-settings"
NAME = "companyos-sweep"
_FIELD = r"(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?"
_FIELDS = re.compile(rf"{_FIELD}(,{_FIELD})*")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}")
_LABELS = {"app.kubernetes.io/managed-by": "companyos", "app.kubernetes.io/name": NAME}


def render_sweep(image: str, *, schedule: str = "17 3 * * *", namespace: str = "companyos") -> list[dict[str, Any]]:
    """Return the Kubernetes objects that run `companyos sandbox sweep` at `schedule` (five fields of cron, UTC) in a container of `image`.

    The Secret `companyos-settings` gives the pod its environment variables: COMPANYOS_CONTROL and the URLs of the hosts. Raises
    InputError for a schedule, image or namespace that is none.
    """
    fields = schedule.split()
    if len(fields) != 5 or not all(_FIELDS.fullmatch(field) for field in fields):
        raise InputError(f"'{schedule[:80]}' is no schedule; write five fields as in cron: '17 3 * * *' is 03:17 every night (UTC)")
    if not _IMAGE.fullmatch(image):
        raise InputError(f"'{image[:80]}' is no container image; name one such as registry.example.com/companyos:1.0")
    if object_name(namespace) != namespace:
        raise InputError(f"'{namespace[:80]}' is no namespace: small letters, digits and hyphens, at most 63")
    place = {"namespace": namespace, "labels": _LABELS}
    labels = {"app.kubernetes.io/managed-by": "companyos", **RESTRICTED}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, **place}, "automountServiceAccountToken": False},
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": NAME, **place},
            "spec": {
                "schedule": " ".join(fields),
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 7,
                "jobTemplate": {"spec": {"backoffLimit": 2, "activeDeadlineSeconds": 3600, "template": _pod(image)}},
            },
        },
    ]


def _pod(image: str) -> dict[str, Any]:
    container = {
        "name": "sweep",
        "image": image,
        "args": ["sandbox", "sweep", "--json"],
        "envFrom": [{"secretRef": {"name": SETTINGS_SECRET}}],
        "env": [{"name": "COMPANYOS_HOME", "value": "/data"}, {"name": "TMPDIR", "value": "/data"}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "metadata": {"labels": _LABELS},
        "spec": {
            "serviceAccountName": NAME,
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    }
