"""The ASGI application: its routes, its answers to errors, and the document that tells of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from companyos import __version__
from companyos.api import answers, health_routes, platform_routes, sandbox_routes
from companyos.api.answers import Problem
from companyos.api.problems import of_http, of_ours, of_validation
from companyos.api.service import Service
from companyos.api.watching import Watching
from schemas.errors import CompanyOSError

_DESCRIPTION = """Isolated databases, seeded from bundles, by policy, for a limited time.

Every request but those about health carries `Authorization: Bearer TOKEN`. An owner acts on their own sandboxes; what is somebody else's
answers as if it were not there. Errors are problem documents (RFC 9457)."""
_TAGS = [
    {"name": "sandboxes", "description": "Made, listed, shown, extended, reset, snapshot and removed."},
    {"name": "platform", "description": "Environments, approvals, sweeps, demo tenants and the audit ledger."},
    {"name": "health", "description": "For who watches over the service; without a token."},
]


def application(service: Service) -> FastAPI:
    """Return the application that serves these sandboxes."""
    app = _routes()
    app.state.service = service
    app.add_exception_handler(CompanyOSError, of_ours)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_middleware(Watching, service=service)
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document, of which nothing depends on a machine."""
    return _routes().openapi()


def _routes() -> FastAPI:
    app = FastAPI(
        title="CompanyOS sandboxes",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,  # their pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.routes = [*app.routes]
    for router in (sandbox_routes.router, platform_routes.router, health_routes.router):
        app.include_router(router)
        app.state.routes += router.routes

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                tags=app.openapi_tags,
                license_info=app.license_info,
                routes=app.routes,
            )
            _, schemas = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
            made["components"]["schemas"].update(schemas["$defs"])
            for name, schema in made["components"]["schemas"].items():
                if "example" in schema and hasattr(answers, name):  # get_openapi drops what is null from them
                    schema["example"] = getattr(answers, name).model_config["json_schema_extra"]["example"]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    return app
