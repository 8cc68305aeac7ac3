"""Routes for who watches over the service. They are open to all, and name no person and no sandbox."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from companyos.api.answers import Alive, Ready
from companyos.api.problems import answers
from companyos.api.service import Serving

router = APIRouter(tags=["health"])

_UNEXPECTED: dict[int | str, dict[str, Any]] = {status: said for status, said in answers().items() if status == 500}
_TEXT = "text/plain"


@router.get("/healthz", summary="Say whether the service is alive", responses=_UNEXPECTED)
async def healthz() -> Alive:
    """Answer, while the process does."""  # not in one of the threads, which may all be loading something
    return Alive(status="alive")


@router.get(
    "/readyz",
    summary="Say whether the service can do its work",
    responses={503: {"description": "Something cannot be reached.", "model": Ready}, **_UNEXPECTED},
)
def readyz(service: Serving) -> Ready:
    """Tell whether the control database and the hosts of sandboxes can be reached; why not stands in the log."""
    failing = service.readiness.failures()
    said = Ready(status="not ready" if failing else "ready", failing=sorted(failing))
    return JSONResponse(said.model_dump(), 503) if failing else said  # type: ignore[return-value]


@router.get(
    "/metrics",
    summary="Give figures to Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Figures in the text format of Prometheus.", "content": {_TEXT: {"schema": {"type": "string"}}}},
        **_UNEXPECTED,
    },
)
def metrics(service: Serving) -> Response:
    """Give sandboxes by state, sweeps, creates and requests."""
    return Response(service.metrics.exposition(), media_type="text/plain; version=0.0.4")
