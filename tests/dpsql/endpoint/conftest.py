"""One endpoint over the shop for the tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dpsql.endpoint import Server
from tests.dpsql.endpoint.serving import service_over, serving


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the shop, in the clear, with a budget that is never spent."""
    pytest.importorskip("pygwire")
    folder: Path = tmp_path_factory.mktemp("endpoint")
    with serving(service_over(folder)) as server:
        yield server
