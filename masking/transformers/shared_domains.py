"""The domains of e-mail addresses that enough persons share to tell nobody who one of them is."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from masking.keyed import KeyedHash

_WORDS = 2


class SharedDomains:
    """Counts the different persons of each domain, over all columns that it is shown, up to the number that is `enough`.

    Holds keyed hashes of those persons: at most `enough` for each domain, of which one that has as many needs none any more.
    """

    def __init__(self, key: KeyedHash, enough: int) -> None:
        self._key, self._enough = key, enough
        self._persons: dict[str, set[bytes]] = {}
        self._shared: set[str] = set()

    def see(self, domains: pa.Array, persons: pa.Array) -> None:
        """Count a batch: the domain of each address and the text that tells whose it is; rows in which either is null do not count."""
        pairs = pa.table({"domain": domains, "person": persons})
        open_ = pc.invert(pc.is_in(pairs["domain"], value_set=pa.array(sorted(self._shared), pa.string())))
        known = pc.and_(pc.is_valid(pairs["domain"]), pc.is_valid(pairs["person"]))
        different = pairs.filter(pc.and_(open_, known)).group_by(["domain", "person"]).aggregate([])
        if not different.num_rows:
            return
        hashes = self._key.digests(different["person"].combine_chunks(), 8 * _WORDS)
        for domain, person in zip(different["domain"].to_pylist(), hashes):
            if domain not in self._shared:
                persons_of = self._persons.setdefault(domain, set())
                persons_of.add(person.tobytes())
                if len(persons_of) >= self._enough:
                    self._shared.add(domain)
                    del self._persons[domain]

    @property
    def shared(self) -> Collection[str]:
        """The domains that have enough persons."""
        return self._shared
