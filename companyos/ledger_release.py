"""The release of a ledger that a person names: by its name there, by the first digits of its digest, or by a bundle's reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import InputError, followed, nearest, without_secrets

if TYPE_CHECKING:
    from dpsql.ledger import StoredLedger

FEWEST_DIGITS = 6


def known_release(ledger: StoredLedger, target: str, store: str | None) -> str:
    """Return the release that `target` names; InputError where the ledger knows none such."""
    known = ledger.releases()
    if target in known:
        return target
    if (address := without_secrets(target).replace(":***@", "@")) in known:
        return address
    digits = target.rpartition(":")[2]
    begun = [release for release in known if release.rpartition(":")[2].startswith(digits)]
    if len(digits) >= FEWEST_DIGITS and len(begun) == 1:
        return begun[0]
    digest = _digest(target, store)
    if digest is not None and digest in known:
        return digest
    if digest is not None:
        raise InputError(f"nothing was asked of '{target}' yet, as far as this ledger knows; `companyos dp budget` shows all its releases")
    raise InputError(f"the ledger knows no release '{address}'{followed(nearest(address, known), '`companyos dp budget` shows all')}")


def titled(release: str, store: str | None) -> str:
    """Return a release with the names that it has in the store before it, where it is a bundle there."""
    from bundles.store import Store
    from schemas.errors import CompanyOSError

    try:
        names = [tag.name for tag in Store(store).written() if tag.manifest_digest == release]
    except CompanyOSError:  # the ledger stands without it
        names = []
    return f"{', '.join(names)}  {release}" if names else release


def _digest(target: str, store: str | None) -> str | None:
    import bundles
    from schemas.errors import CompanyOSError

    try:
        return bundles.open(target, store).manifest_digest
    except CompanyOSError:
        return None
