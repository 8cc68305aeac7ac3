"""Messages over one socket, within bounds of size and time, framed and checked by pygwire."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dpsql.endpoint.limits import Limits
from dpsql.endpoint.sqlstates import Fault

if TYPE_CHECKING:
    from pygwire.messages import PGMessage

BUFFER = 65_536
LOGIN_BYTES = 16_384


class Gone(Exception):
    """The client is gone, or too slow."""


class Wire:
    """One client's connection. A message is read as a whole only once its length is known to be within the limit."""

    def __init__(self, connected: socket.socket, limits: Limits) -> None:
        from pygwire import BackendConnection, ConnectionPhase

        self._socket = connected
        self._limits = limits
        self._connection = BackendConnection()
        self._phases = ConnectionPhase
        self._out = bytearray()
        self.encrypted = False

    def start_tls(self, context: ssl.SSLContext, deadline: float) -> None:
        """Go on encrypted. What a client sent in the clear after asking for TLS is never read as its words."""
        self.flush()
        self._socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            self._socket = context.wrap_socket(self._socket, server_side=True)
        except (OSError, ValueError) as error:
            raise Gone from error
        self.encrypted = True

    def read(self, deadline: float) -> PGMessage:
        """Return the next message.

        Raises Gone at the end of the connection or at the `deadline` (of the monotonic clock, for the first byte once logged in), and a
        fatal Fault 08P01 for bytes that are no message, or for one that is too long.
        """
        from pygwire import ProtocolError

        starting = self._connection.phase == self._phases.STARTUP
        header = self._exactly(1, deadline)
        if self._logged_in:
            deadline = time.monotonic() + self._limits.write
        header += self._exactly(3 if starting else 4, deadline)
        length = int.from_bytes(header[-4:])
        most = self._limits.startup_bytes if starting else self._limits.message_bytes if self._logged_in else LOGIN_BYTES
        if length < (8 if starting else 4) or length > most:
            raise Fault("08P01", f"a message of {length:,} bytes is not taken; at most {most:,} are", fatal=True)
        body = self._exactly(length - 4, deadline)
        try:
            found = list(self._connection.receive(header + body))
        except (ProtocolError, ValueError, IndexError, OverflowError) as error:
            raise Fault("08P01", "the bytes are no message that is expected here", fatal=True) from error
        if len(found) != 1:
            raise Fault("08P01", "the bytes are no message that is expected here", fatal=True)
        return found[0]

    @property
    def _logged_in(self) -> bool:
        return self._connection.phase not in (
            self._phases.STARTUP,
            self._phases.AUTHENTICATING,
            self._phases.AUTHENTICATING_SASL_INITIAL,
            self._phases.AUTHENTICATING_SASL_CONTINUE,
        )

    def _exactly(self, count: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Gone
            self._socket.settimeout(left)
            try:
                piece = self._socket.recv(min(count - len(found), BUFFER))
            except (OSError, ValueError) as error:
                raise Gone from error
            if not piece:
                raise Gone
            found += piece
        return bytes(found)

    def send(self, message: PGMessage) -> None:
        """Send a message, at the latest with the next `flush`."""
        self._out += self._connection.send(message)
        if len(self._out) >= BUFFER:
            self.flush()

    def send_last(self, message: PGMessage) -> None:
        """Send a message whatever was said before; the connection is not used after it."""
        self._out += message.to_wire()
        self.flush()

    def flush(self) -> None:
        """Send what waits; Gone where the client does not take it in time."""
        if not self._out:
            return
        self._socket.settimeout(self._limits.write)
        try:
            self._socket.sendall(self._out)
        except (OSError, ValueError) as error:
            raise Gone from error
        self._out.clear()

    def hang_up(self) -> None:
        """Make a read that waits, in another thread, end."""
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:
            return

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
