"""What a connection leaves behind."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest
import uvicorn
from uvicorn.server import ServerState

from companyos.api.connections import Connection


@pytest.mark.parametrize("why", [None, ConnectionResetError()], ids=["closed", "reset"])
def test_a_lost_connection_leaves_no_timer(why: Exception | None) -> None:
    async def lost() -> None:
        config = uvicorn.Config(Mock(), http=Connection, log_config=None)
        config.load()
        transport = Mock(is_closing=Mock(return_value=False))
        connection = Connection(config, ServerState(), {}, asyncio.get_running_loop())
        connection.connection_made(transport)
        connection.pause_writing()
        connection.on_response_complete()
        timers = [connection._asking, connection._taking, connection.timeout_keep_alive_task]
        connection.connection_lost(why)
        assert all(timer is not None and timer.cancelled() for timer in timers)

    asyncio.run(lost())
