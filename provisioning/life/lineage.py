"""What a bundle is a snapshot of: a recall is of all that came of a bundle, too."""

from __future__ import annotations

from bundles import Bundle


def lineage(bundle: Bundle) -> tuple[str, ...]:
    """Return the manifest digests of a bundle, of what it is a snapshot of, of what that is a snapshot of, and so on."""
    found, said = [bundle.manifest_digest], bundle.provenance
    while (of := said.get("snapshot_of")) is not None:
        found.append(of["manifest_digest"])
        said = of["provenance"]
    return tuple(found)
