"""Requests made up from the OpenAPI document: no server error, and nothing that the document does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import use_after_free
from serving import Served, wanted
from yard import ALICE, Yard

from companyos.api.application import openapi_document

LEFT_OUT = [use_after_free]  # what was removed is shown on purpose: as deleted, with why
NAMES = [*range(200, 300), 401, 403, 404, 409, 422]  # 422: names of bundles, templates and flags are not in the document
QUICK = dict(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])

config = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": NAMES}}})
document = schemathesis.openapi.from_dict(openapi_document(), config=config)


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
        yield served, {"Authorization": f"Bearer {token}"}
    yard.close()


def _held(case: schemathesis.Case, made_up: tuple[Served, dict[str, str]]) -> None:
    served, headers = made_up
    case.operation.schema.app = served.app
    case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)


@document.parametrize()
@settings(max_examples=8, **QUICK)
def test_made_up_requests_meet_no_server_error(made_up, case) -> None:
    _held(case, made_up)


@pytest.mark.slow
@document.parametrize()
@settings(max_examples=300, **QUICK)
def test_many_made_up_requests_meet_no_server_error(made_up, case) -> None:
    _held(case, made_up)
