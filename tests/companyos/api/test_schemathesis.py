"""Requests made up from the OpenAPI document: no server error, and nothing that the document does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import use_after_free
from serving import Served, wanted
from yard import ALICE, Yard

from companyos.api.application import openapi_document

LEFT_OUT = [use_after_free]  # what was removed is shown on purpose: as deleted, with why
NAMES = [*range(200, 300), 401, 403, 404, 409, 422]  # 422: names of bundles, templates and flags are not in the document
made_up_ones = partial(
    settings,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[tuple[Served, dict[str, str]]]:
    """A service that has sandboxes, and the header of an administrator."""
    folder = tmp_path_factory.mktemp("made-up")
    (folder / "store").symlink_to(built / "store")
    yard = Yard(folder, changed={"quota": 10_000})
    templates = yard.platform.environments.templates
    flags = {"onboarding": False, "async-billing": False}
    templates["feature-default"] = replace(templates["plain"], name="feature-default", flags=flags)  # that of the examples
    with Served(yard) as served:
        token = served.token(ALICE, "admin")
        served.client(token).post("/sandboxes", json=wanted())
        PRESENT.app = served.app
        yield served, {"Authorization": f"Bearer {token}"}
    yard.close()


class _Present:
    """The application that is served just now: the document has to be there before."""

    app: object

    async def __call__(self, scope, receive, send) -> None:
        await self.app(scope, receive, send)


PRESENT = _Present()
CONFIG = schemathesis.Config.from_dict({"request-timeout": 300, "checks": {"positive_data_acceptance": {"expected-statuses": NAMES}}})
operations = schemathesis.openapi.from_dict(openapi_document(), config=CONFIG)
operations.app = PRESENT


def at_each_operation(function):
    """Parametrize over the operations of the document, each under its own name."""
    found = [operation.ok() for operation in operations.get_all_operations()]
    return pytest.mark.parametrize("operation", [pytest.param(operation, id=operation.label) for operation in found])(function)


def ask(operation, headers: dict[str, str], examples: int) -> None:
    """Make up requests of an operation, and hold each answer to the document."""

    def call(case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

    made_up_ones(max_examples=examples)(given(case=operation.as_strategy())(call))()


@at_each_operation
def test_made_up_requests_meet_no_server_error(made_up, operation) -> None:
    ask(operation, made_up[1], 2)


@pytest.mark.slow
@at_each_operation
def test_many_made_up_requests_meet_no_server_error(made_up, operation) -> None:
    ask(operation, made_up[1], 100)
