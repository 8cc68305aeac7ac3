"""What is done for every request: a limit on its body, an id, a line in the log, its figures, an answer to what nobody foresaw."""

from __future__ import annotations

import logging
import re
import time
import traceback
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from companyos.api.problems import UNEXPECTED, failures, problem
from companyos.api.service import Service

log = logging.getLogger("companyos.access")

_TOKENS = re.compile(r"cos_[\w-]+|eyJ[\w-]*\.[\w.-]+")
_LONGEST = 200
LARGEST_BODY = 64 * 1024


class Watching:
    """The outermost layer. It writes down nothing of the headers and the query of a request, where tokens may be."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._metrics = service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = str(uuid.uuid4())
        scope.setdefault("state", {})["id"] = id
        began = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, _limited(scope, receive), sending)
        except Exception as error:
            failures.error("%s failed: %s", id, where(error))
            if status:
                raise _BrokenOff from None
            await problem(UNEXPECTED, "see the log of the service", id)(scope, receive, sending)
        finally:
            self._count(scope, status, time.perf_counter() - began, id)

    def _count(self, scope: Scope, status: int, seconds: float, id: str) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH") else "other"
        self._metrics.requests.labels(method, route, str(status or "broken off")).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        log.info("%s %s %s %s %.0f ms", id, method, shown(scope["path"]), status or "broken off", seconds * 1000)


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Refuse a body that says it is too large before any of it is read, and one that does not say so as soon as it is."""
    said = Headers(scope=scope).get("content-length", "0")
    too_large = not said.isdecimal() or len(said) > 9 or int(said) > LARGEST_BODY
    read = 0

    async def receiving() -> Message:
        nonlocal read
        if too_large:
            raise HTTPException(413)
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return receiving


class _BrokenOff(Exception):
    """An answer that failed when it was half sent."""


def route_of(scope: Scope) -> str:
    """Return the route that answers, such as `/sandboxes/{id}`; paths that clients make up are all `other`."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", "other"))


def shown(path: str) -> str:
    """Return a path as the log shows it: in one line, not too long, without what looks like a token."""
    hidden = _TOKENS.sub("***", path)
    return hidden[:_LONGEST].encode("unicode_escape").decode()


def where(error: BaseException) -> str:
    """Return the type of an error and the places that it went through; its text, which may hold anything, stays out of the log."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at " + " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-12:]))
