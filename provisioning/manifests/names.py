"""Names, labels and annotations that every Kubernetes object of a sandbox has.

Source: Kubernetes, "Object Names and IDs" (RFC 1123 labels) and "Labels and Selectors" (syntax of values).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from provisioning.life.sandbox import Sandbox

LONGEST = 63
DOMAIN = "companyos.io"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_DIGITS = 8


def object_name(text: str) -> str:
    """Return `text` where it is an RFC 1123 label (at most 63 characters), else one made of it that no other text has."""
    if len(text) <= LONGEST and _NAME.fullmatch(text):
        return text
    return _made(re.sub(r"[^a-z0-9]+", "-", text.lower()), text)


def label_value(text: str) -> str:
    """Return `text` where it may be the value of a label, else a value made of it that no other text has."""
    if len(text) <= LONGEST and _VALUE.fullmatch(text):
        return text
    return _made(re.sub(r"[^A-Za-z0-9_.]+", "-", text), text)


def _made(readable: str, text: str) -> str:
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    stem = readable[: LONGEST - _DIGITS - 1].strip("-_.")
    return f"{stem}-{digest}" if stem else f"x-{digest}"


def namespace_of(sandbox: Sandbox) -> str:
    """Return the namespace of a sandbox."""
    return object_name(f"companyos-{sandbox.id}")


def labels_of(sandbox: Sandbox) -> dict[str, str]:
    """Return what objects are found by; the end of the sandbox is written as `20261128T040000Z`, since a label has no colons."""
    return {
        "app.kubernetes.io/managed-by": "companyos",
        f"{DOMAIN}/sandbox": label_value(sandbox.id),
        f"{DOMAIN}/owner": label_value(sandbox.owner),
        f"{DOMAIN}/environment": label_value(sandbox.environment),
        f"{DOMAIN}/template": label_value(sandbox.template),
        f"{DOMAIN}/kind": label_value(sandbox.kind),
        f"{DOMAIN}/expires": f"{sandbox.expires_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
    }


def annotations_of(sandbox: Sandbox) -> dict[str, str]:
    """Return what people read, and `janitor/expires`, by which kube-janitor removes a namespace when its time is over."""
    expires = rfc3339(sandbox.expires_at)
    return {
        f"{DOMAIN}/owner": sandbox.owner,
        f"{DOMAIN}/bundle": sandbox.bundle_digest,
        f"{DOMAIN}/expires": expires,
        f"{DOMAIN}/why-expires": sandbox.why_expires,
        "janitor/expires": expires,
    }


def rfc3339(moment: datetime) -> str:
    """Return a moment as `2026-11-28T04:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def named(sandbox: Sandbox, api: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    """Return an object in the namespace of a sandbox, with its labels."""
    metadata: Mapping[str, Any] = {"name": name, "namespace": namespace_of(sandbox), "labels": labels_of(sandbox)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}
