"""A client that says what it is told to, byte by byte, with pygwire for what it has to understand."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from pygwire import FrontendConnection
from pygwire import messages as m

from tests.dpsql.endpoint.serving import PASSWORD


class RawClient:
    """A connection to the endpoint; `log_in` makes a session of it."""

    def __init__(self, port: int, seconds: float = 20.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._connection = FrontendConnection()
        self.number, self.key = 0, b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def log_in(self, user: str = "ana", password: str = PASSWORD, **options: str) -> list[Any]:
        """Log in by SCRAM and return what the server said; the last message is ReadyForQuery or ErrorResponse."""
        from scramp import ScramClient

        self.send(m.StartupMessage(params={"user": user, **options}))
        said = self.read_until(m.AuthenticationSASL, m.ErrorResponse)
        if isinstance(said[-1], m.ErrorResponse):
            return said
        client = ScramClient(["SCRAM-SHA-256"], user, password)
        self.send(m.SASLInitialResponse(mechanism="SCRAM-SHA-256", data=client.get_client_first().encode()))
        client.set_server_first(self.read_until(m.AuthenticationSASLContinue)[-1].data.decode())
        self.send(m.SASLResponse(data=client.get_client_final().encode()))
        said = self.read_until(m.ReadyForQuery, m.ErrorResponse)
        for message in said:
            if isinstance(message, m.AuthenticationSASLFinal):
                client.set_server_final(message.data.decode())
            if isinstance(message, m.BackendKeyData):
                self.number, self.key = message.process_id, message.secret_key
        return said

    def send(self, *messages: Any) -> None:
        self.socket.sendall(b"".join(self._connection.send(message) for message in messages))

    def read_until(self, *kinds: type) -> list[Any]:
        """Return the messages up to the first of `kinds`."""
        found: list[Any] = []
        while True:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("the server hung up")
            for message in self._connection.receive(data):
                found.append(message)
            if any(isinstance(message, kinds) for message in found):
                return found

    def query(self, sql: str) -> list[Any]:
        """Ask by the simple protocol."""
        self.send(m.Query(query_string=sql))
        return self.read_until(m.ReadyForQuery)

    def hung_up(self) -> bool:
        """Whether the server closes the connection, whatever it says before."""
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionError:
            return True
        return True


def kinds(said: Sequence[Any]) -> list[str]:
    """The names of messages."""
    return [type(message).__name__ for message in said]


def rows(said: Sequence[Any]) -> list[list[bytes | None]]:
    """The rows among messages."""
    return [message.columns for message in said if isinstance(message, m.DataRow)]


def fault(said: Sequence[Any]) -> m.ErrorResponse | None:
    """The error among messages."""
    return next((message for message in said if isinstance(message, m.ErrorResponse)), None)


def code(said: Sequence[Any]) -> str | None:
    """The SQLSTATE among messages."""
    found = fault(said)
    return None if found is None else found.code
