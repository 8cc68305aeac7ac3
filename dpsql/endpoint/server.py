"""The endpoint: it listens, gives every client a session in a thread of its own, and stops them all when it is told to."""

from __future__ import annotations

import hmac
import logging
import secrets
import socket
import ssl
from collections import Counter
from contextlib import suppress
from threading import Event, Lock, Thread

from dpsql.endpoint.catalog import Catalog
from dpsql.endpoint.limits import Limits
from dpsql.endpoint.login import Analysts, Guessing
from dpsql.endpoint.session import Session
from dpsql.endpoint.sqlstates import Fault
from dpsql.endpoint.wire import Gone, Wire
from dpsql.service import Service
from schemas.errors import InputError

log = logging.getLogger("dpsql.endpoint")
BACKLOG = 128
STARTING = 32  # connections beyond the most that may be logged in, for those who are logging in and for cancel requests
WAKING = 0.25  # seconds
FAREWELL = 5.0  # seconds that sessions have to end when the server stops


class Server:
    """Serves `service` under the name `database` at `host` and `port` (0 takes a free one).

    `tls` with its certificate's channel binding encrypts all connections. Raises InputError where the address cannot be had.
    """

    def __init__(
        self,
        service: Service,
        analysts: Analysts,
        *,
        database: str,
        host: str = "127.0.0.1",
        port: int = 5433,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        certificate: bytes | None = None,
    ) -> None:
        try:
            import pygwire  # noqa: F401
            import scramp  # noqa: F401
        except ImportError as error:
            raise InputError("the endpoint needs an extra; install it with: pip install 'companyos-data[server]'") from error
        self.service, self.analysts = service, analysts
        self.limits = limits or Limits()
        self.catalog = Catalog(service.declaration.schema, database)
        self.guessing = Guessing(self.limits)
        self.secret = secrets.token_bytes(32)
        self.tls, self.certificate = tls, certificate
        self._stopped = Event()
        self._lock = Lock()
        self._sessions: dict[int, tuple[Session, Thread]] = {}
        self._inside: dict[int, str] = {}
        try:
            self._listening = socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
        except (OSError, OverflowError) as error:
            raise InputError(f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}") from error

    @property
    def stopping(self) -> bool:
        """Whether the server was told to stop."""
        return self._stopped.is_set()

    @property
    def port(self) -> int:
        """The port that is listened at."""
        return int(self._listening.getsockname()[1])

    def serve(self) -> None:
        """Serve until `stop` is called from another thread or a signal's handler."""
        # a signal may come to another thread, and its handler waits until this one wakes
        self._listening.settimeout(WAKING)
        try:
            while not self._stopped.is_set():
                try:
                    connected, address = self._listening.accept()
                except TimeoutError:
                    continue
                except OSError:  # closed by `stop`, or no more files can be open, which may pass
                    if self.stopping:
                        break
                    self._stopped.wait(WAKING)
                    continue
                self._take(connected, str(address[0]))
        finally:
            self._end()

    def stop(self) -> None:
        """Stop listening; `serve` then ends the sessions and returns."""
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def enter(self, session: Session, analyst: str) -> None:
        """Count a session in; Fault 53300 where there are too many."""
        with self._lock:
            if len(self._inside) >= self.limits.connections:
                raise Fault("53300", "there are too many connections; try again later", fatal=True)
            if Counter(self._inside.values())[analyst] >= self.limits.per_analyst:
                raise Fault("53300", "you have too many connections; close some", fatal=True)
            self._inside[session.number] = analyst

    def cancel(self, number: int, key: bytes) -> None:
        """Stop what the session of that number runs, if the key is its own."""
        with self._lock:
            found = self._sessions.get(number)
        if found is not None and hmac.compare_digest(found[0].key, key) and found[0].asking is not None:
            found[0].asking.stop()

    def _take(self, connected: socket.socket, address: str) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connected, self.limits)
        with self._lock:
            full = len(self._sessions) >= self.limits.connections + STARTING
            number = next(n for n in iter(lambda: secrets.randbelow(2**31 - 1) + 1, 0) if n not in self._sessions)
        if full:
            self._turn_away(wire)
            return
        session = Session(wire, address, self, number, secrets.token_bytes(4))
        thread = Thread(target=self._run, args=(session,), name=f"session {number}", daemon=True)
        with self._lock:
            self._sessions[number] = (session, thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads
            with self._lock:
                del self._sessions[number]
            self._turn_away(wire)

    def _turn_away(self, wire: Wire) -> None:
        from pygwire.messages import ErrorResponse

        with suppress(Gone):
            wire.send_last(ErrorResponse(fields=Fault("53300", "there are too many connections; try again later", fatal=True).fields()))
        wire.close()

    def _run(self, session: Session) -> None:
        try:
            session.serve()
        finally:
            with self._lock:
                self._sessions.pop(session.number, None)
                self._inside.pop(session.number, None)

    def _end(self) -> None:
        with self._lock:
            left = list(self._sessions.values())
        for session, _ in left:
            session.stop()
        for _, thread in left:
            thread.join(FAREWELL)
        self.catalog.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
