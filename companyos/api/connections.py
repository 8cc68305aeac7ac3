"""Connections of clients, none of whom keeps one for longer than it takes to ask and to be answered."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 500  # connections at once: below the 1,024 files that a process may usually have open
ASKING = 20.0  # seconds for a whole request, from the connection or its first byte on
TAKING = 60.0  # seconds for a client to go on reading an answer


class Connection(H11Protocol):
    """A connection that is given up when its client sends a request, or takes an answer, too slowly; how long an answer takes is ours."""

    _asking: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait_for_request()
        if self.transport.is_closing():  # what it sent is no HTTP
            self._wait_for_reader()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taking is not None and not self.transport.is_closing():
            self._taking.cancel()
            self._taking = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_reader()
        elif self.conn.their_state is h11.SEND_BODY:  # of a request that came with the one before
            self._wait_for_request()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._wait_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._asking, self._taking, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()

    def _wait_for_request(self) -> None:
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            if self._asking is not None:
                self._asking.cancel()
                self._asking = None
        elif self._asking is None:
            self._asking = self.loop.call_later(ASKING, self.transport.abort)

    def _wait_for_reader(self) -> None:
        """A transport that is closed stays open until all is read, too."""
        if self._taking is None:
            self._taking = self.loop.call_later(TAKING, self.transport.abort)
