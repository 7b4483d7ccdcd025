"""The API as an ASGI application: routes, each behind the gate, and errors as answers."""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Served

from farm.api import answers
from farm.api.answers import Problem
from farm.api.call import Call
from farm.api.core import Api
from farm.api.routes import ROUTES, Route
from farm.errors import FarmError

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
#: What is answered without a key: that the server is there, and nothing else.
HEALTH = "/health"


def build(api: Api) -> Starlette:
    """Return the application; `api` is closed with it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        api.close()

    paths: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = route
    served = [_served(api, path, methods) for path, methods in paths.items()]
    served.append(Served(HEALTH, _health, methods=["GET"]))
    handlers = {HTTPException: _refused, Exception: _failed}
    return Starlette(routes=served, lifespan=lifespan, exception_handlers=handlers)


def _served(api: Api, path: str, methods: dict[str, Route]) -> Served:
    async def endpoint(request: Request) -> Response:
        # A HEAD is a GET whose body the server leaves out.
        method = "GET" if request.method == "HEAD" else request.method
        return await _answer(api, methods[method], request)

    return Served(path, endpoint, methods=list(methods))


async def _answer(api: Api, route: Route, request: Request) -> Response:
    start, who = time.monotonic(), ""
    try:
        key = await api.gate.enter(request, route.scope)
        who = key.id
        response = await route.handler(Call(api, request, key))
    except FarmError as error:
        response = answers.problem(error)
    except ClientDisconnect:
        # Nobody hears it.
        response = Response(status_code=400)
    if response.status_code >= 400 and route.method in ("POST", "PUT"):
        # What is left of a body that was refused is not waited for.
        response.headers["connection"] = "close"
    noted = route.writes or response.status_code == 403
    if response.status_code == 401:
        noted = not api.strangers.wait(time.monotonic())
    if noted:
        seconds = round(time.monotonic() - start, 4)
        peer = request.client.host if request.client else ""
        what = f"{request.method} {request.url.path}"
        api.audit.note(who=who, what=what, status=response.status_code, peer=peer, seconds=seconds)
    return response


async def _health(request: Request) -> Response:
    return answers.json({"status": "ok"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = {404: "NoSuchPath", 405: "NoSuchMethod"}.get(error.status_code, "BadRequest")
    text = f"{request.method} {request.url.path}: {error.detail}; see /v1/openapi.json"
    return answers.json(Problem(kind, text), error.status_code, dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    log.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return answers.json(Problem("InternalErr", "the API failed; its log says how"), 500)
