"""The bounds within which the endpoint serves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds of the endpoint: times in seconds, sizes in bytes.

    `startup` is the time until a client has logged in, `idle` between two of its messages, `write` for it to take an answer. A failed
    log-in is answered after `login_delay`; after `logins` failures within `login_window` from an address, or for a name, further ones
    are turned away unheard.
    """

    connections: int = 200
    per_analyst: int = 50
    startup: float = 10.0
    idle: float = 3600.0
    write: float = 60.0
    statement: float = 300.0
    startup_bytes: int = 10_000
    message_bytes: int = 1_048_576
    prepared: int = 1000
    prepared_bytes: int = 8_388_608
    parameters: int = 1000
    catalog_rows: int = 100_000
    login_delay: float = 1.0
    logins: int = 10
    login_window: float = 60.0
