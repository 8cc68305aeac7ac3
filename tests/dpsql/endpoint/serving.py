"""A real endpoint over the shop, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from dpsql.accounting import Limit
from dpsql.endpoint import Limits, Server
from dpsql.ledger import open_ledger
from dpsql.service import Service
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, tables

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Keys:
    """What the server keeps of a password."""

    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int


def keys_of(password: str) -> Keys:
    """The verifier of a password, as scramp makes it."""
    from scramp import ScramMechanism

    return Keys(*ScramMechanism("SCRAM-SHA-256").make_auth_info(password))


@dataclass
class Known:
    """Analysts by name."""

    by_name: dict[str, Keys] = field(default_factory=lambda: {n: keys_of(PASSWORD) for n in ("ana", "bob")})

    def verifier(self, name: str) -> Keys | None:
        return self.by_name.get(name)


def service_over(folder: Path, engine: Any = None, limit: Limit | None = None) -> Service:
    """A service over the shop with a ledger of its own."""
    return Service(
        shop(),
        engine or engine_over(tables()),
        open_ledger(str(folder / "ledger.db"), str(folder / "anchor")),
        "shop",
        limit or Limit(1e12, 0.5),
    )


@contextmanager
def serving(service: Service, limits: Limits | None = None, **more: Any) -> Iterator[Server]:
    """Serve until the block ends; that the server then stops is checked."""
    server = Server(service, Known(), database="shop", port=0, limits=limits, **more)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()
