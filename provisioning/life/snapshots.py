"""Making a bundle of what a sandbox holds now."""

from __future__ import annotations

from functools import partial

import bundles
from bundles import BuiltBundle, Bundle, Store
from bundles.errors import ReferenceUnknown
from provisioning.errors import WrongState
from provisioning.hosts.base import Telling
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from provisioning.snapshots import present
from schemas.errors import InputError


def snapshot(platform: Platform, sandbox: Sandbox, *, tag: str | None, actor: str, why: str, on_progress: Telling = None) -> BuiltBundle:
    """Build a bundle of the present data of a ready sandbox, tag it (`KIND:ID` unless `tag` says otherwise) and return it.

    It is of the same kind as the bundle that the sandbox was made from, and expires with that. The tag of an earlier snapshot is moved.
    Raises WrongState, InputError (the tag, a type that a bundle cannot hold), TargetFailure where the database cannot be read,
    ContentInvalid and StoreFailure.
    """
    if sandbox.state != "ready" or sandbox.quarantined or platform.now >= sandbox.expires_at:
        state = "quarantined" if sandbox.quarantined else "expired" if sandbox.state == "ready" else sandbox.state
        raise WrongState(f"{sandbox.id} is {state}; only of a ready sandbox a snapshot can be taken")
    bundle = bundles.open(f"bundle@{sandbox.bundle_digest}", platform.store)
    tag = tag or f"{bundle.kind}:{sandbox.id}"
    _require_free(platform, tag)
    weeks = int((sandbox.receipt or {}).get("shifted_weeks", 0))
    host = platform.host(sandbox.host)
    address = host.admin_address(platform.place(sandbox))
    built, left_out = host.run(partial(_built, address, bundle, weeks, platform.store, tag), on_progress)
    platform.on_step("snapshot built")
    with platform.control.write() as connection:
        details = {
            "reference": built.reference,
            "manifest_digest": built.manifest_digest,
            "content_digest": built.content_digest,
            "left_out": list(left_out),
        }
        platform.event(connection, "snapshot taken", sandbox, actor=actor, why=why, details=details)
    return built


def _built(
    address: str, bundle: Bundle, weeks: int, store: Store, tag: str, on_progress: Telling = None
) -> tuple[BuiltBundle, tuple[str, ...]]:
    """Build a bundle of what the database at `address` holds; return it, and what did not stay of the schema of the earlier one."""
    with present(address, bundle, shifted_weeks=weeks) as source:
        built = bundles.build(source, store=store, tag=tag, expires=bundle.expires, on_progress=on_progress)
        return built, source.left_out


def _require_free(platform: Platform, tag: str) -> None:
    """Raise InputError where the tag stands for what others seed from: a snapshot is named by its sandbox's owner, a seed is not."""
    try:
        there = bundles.open(tag, platform.store)
    except ReferenceUnknown:
        return
    if "snapshot_of" not in there.provenance:
        raise InputError(
            f"'{tag}' is a bundle that is no snapshot; give the snapshot another tag, such as snapshot:{tag.rpartition(':')[2]}"
        )
