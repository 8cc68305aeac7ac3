"""Who logs in: SCRAM-SHA-256 (RFC 5802, RFC 7677), and its answer to guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from threading import Lock
from typing import Any, Protocol

from dpsql.analysts import ITERATIONS
from dpsql.endpoint.limits import Limits
from dpsql.endpoint.sqlstates import Fault

MECHANISM = "SCRAM-SHA-256"
MOST_REMEMBERED = 10_000


class Verifier(Protocol):
    """What a server keeps of a password: enough to check it, not to know it."""

    @property
    def salt(self) -> bytes: ...
    @property
    def stored_key(self) -> bytes: ...
    @property
    def server_key(self) -> bytes: ...
    @property
    def iterations(self) -> int: ...


class Analysts(Protocol):
    """Who may log in."""

    def verifier(self, name: str) -> Verifier | None:
        """Return the verifier of the analyst `name`, None where there is no such analyst."""
        ...


class Login:
    """One log-in, message by message.

    A name that is not known is led through the same exchange with made-up keys, the same each time for the same name, so that names
    cannot be probed. libpq sends an empty name within SCRAM, since the startup message holds it; scramp reads none without a name, so
    one is put in and the text that is signed set back to what the client sent.
    """

    def __init__(self, analysts: Analysts, name: str, secret: bytes, certificate: bytes | None) -> None:
        from scramp import ScramMechanism

        known = analysts.verifier(name)
        if known is None:
            salt = hmac.digest(secret, b"salt" + name.encode(), "sha256")
            self._keys = (salt, secrets.token_bytes(32), secrets.token_bytes(32), ITERATIONS)
        else:
            self._keys = (known.salt, known.stored_key, known.server_key, known.iterations)
        self.known = known is not None
        self._certificate = certificate
        self._make = ScramMechanism
        self._server: Any = None

    @property
    def mechanisms(self) -> list[str]:
        """What the client may choose among; with TLS, the log-in can be bound to the channel."""
        return [MECHANISM] if self._certificate is None else [f"{MECHANISM}-PLUS", MECHANISM]

    def first(self, mechanism: str, message: bytes) -> bytes:
        """Take the client's first message and return the server's; Fault 28000 or 08P01 where it is none."""
        if mechanism not in self.mechanisms:
            raise Fault("28000", "this way to log in is not known here: SCRAM-SHA-256 is", fatal=True)
        text = self._text(message)
        flag, _, rest = text.partition(",")
        # a channel is bound where the client does so; one that only could bind it must learn that the server would have
        bound = self._certificate is not None and (mechanism != MECHANISM or flag == "y")
        binding = ("tls-server-end-point", self._certificate) if bound else None
        if flag.startswith("p=") != (mechanism != MECHANISM):
            raise Fault("08P01", "the log-in's flag for channel binding does not fit its mechanism", fatal=True)
        authzid, _, bare = rest.partition(",")
        parts = bare.split(",")
        if parts[0].startswith("n="):
            parts[0] = "n=analyst"
        self._server = self._guarded(lambda: self._make(mechanism).make_server(lambda _: self._keys, channel_binding=binding))
        self._guarded(lambda: self._server.set_client_first(f"{flag},{authzid},{','.join(parts)}"))
        self._server.client_first_bare = bare
        return str(self._guarded(self._server.get_server_first)).encode()

    def last(self, message: bytes) -> bytes | None:
        """Take the client's proof and return the server's, None where the proof is wrong."""
        from scramp import ScramException

        text = self._text(message)
        try:
            self._server.set_client_final(text)
        except ScramException:
            return None
        return str(self._server.get_server_final()).encode() if self.known else None

    def _guarded(self, step: Any) -> Any:
        from scramp import ScramException

        try:
            return step()
        except ScramException as error:
            raise Fault("08P01", "the log-in is not SCRAM as RFC 5802 has it", fatal=True) from error

    def _text(self, message: bytes) -> str:
        try:
            return message.decode()
        except UnicodeDecodeError as error:
            raise Fault("08P01", "the log-in is no text", fatal=True) from error


def certificate_digest(der: bytes) -> bytes:
    """The channel binding `tls-server-end-point` of a certificate (RFC 5929): its hash, by the hash of its signature."""
    from cryptography.x509 import load_der_x509_certificate

    used = load_der_x509_certificate(der).signature_hash_algorithm
    name = "sha256" if used is None or used.name in ("md5", "sha1") else used.name
    return hashlib.new(name, der).digest()


class Guessing:
    """Counts failed log-ins by address and by name, and says when to stop listening."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = Lock()

    def check(self, address: str, name: str) -> None:
        """Raise a fatal Fault 53300 where an address, or a name from anywhere, has failed too often of late."""
        now = time.monotonic()
        with self._lock:
            for key in (("address", address), ("name", name)):
                failures = self._failures.get(key, deque())
                while failures and failures[0] < now - self._limits.login_window:
                    failures.popleft()
                if len(failures) >= self._limits.logins:
                    raise Fault("53300", "too many failed log-ins; wait a minute", fatal=True)

    def failed(self, address: str, name: str) -> None:
        """Write down a failure."""
        now = time.monotonic()
        with self._lock:
            for key in (("address", address), ("name", name)):
                self._failures.setdefault(key, deque(maxlen=self._limits.logins)).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > MOST_REMEMBERED:
                self._failures.popitem(last=False)
