"""Describe the API: an OpenAPI 3.1 document, made of the table of routes and their types. Pure."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from importlib import metadata
from typing import TYPE_CHECKING, Any

import msgspec

from farm.api.answers import Problem
from farm.apikey import SCOPES

if TYPE_CHECKING:
    from farm.api.routes import Route

#: What parts of paths look like.
PARTS = {
    "image_id": "^(0x)?[0-9a-fA-F]{64}$",
    "ref": "^[0-9a-f]{64}-[0-9]{1,15}$",
}
#: The same for all others.
NAME = "^[0-9a-z-]{1,64}$"
_REFS = "#/components/schemas/{name}"
ABOUT = (
    "Prove RISC Zero programs on a farm. What does not begin with /v1 is the API that Bonsai's "
    "clients know. A key goes into the header x-api-key; its scopes are " + ", ".join(SCOPES) + "."
)


def document(routes: Iterable["Route"]) -> dict[str, Any]:
    """Return the description of these routes."""
    table = list(routes)
    types = [kind for route in table for kind in _types(route)]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem], schema_hook=lambda kind: {"description": "Any JSON."}, ref_template=_REFS
    )
    known = dict(zip(map(str, types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known)
    version = metadata.version("proving-farm")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Proving farm", "version": version, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"key": []}, {"bearer": []}],
    }


def _types(route: "Route") -> list[Any]:
    """Return the types whose bodies are JSON."""
    return [kind for kind in (route.answer, route.body, route.query) if _is_json(kind)]


def _is_json(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str)


def _operation(route: "Route", known: dict[str, Any]) -> dict[str, Any]:
    handler = route.handler
    found: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": (handler.__doc__ or "").partition("\n")[0],
        "description": f"Scope: {route.scope}.",
        "tags": ["farm" if route.path.startswith("/v1") else "bonsai"],
        "parameters": [*_parts(route.path), *_query(route)],
        "responses": {str(one): _answer(route, one, known) for one in route.statuses},
    }
    problem = {"application/json": {"schema": {"$ref": _REFS.format(name="Problem")}}}
    for range, text in (("4XX", "It cannot be done as asked."), ("503", "Try again later.")):
        found["responses"][range] = {"description": text, "content": problem}
    if route.body is not None:
        found["requestBody"] = {
            "required": not route.optional,
            "content": _content(route.body, known),
        }
    return found


def _parts(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": PARTS.get(name, NAME)},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(route: "Route") -> list[dict[str, Any]]:
    if route.query is None:
        return []
    _, parts = msgspec.json.schema_components([route.query], ref_template=_REFS)
    fields = parts[route.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]


def _answer(route: "Route", status: int, known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if route.answer is not None and status != HTTPStatus.NO_CONTENT:
        found["content"] = _content(route.answer, known)
    return found


def _content(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {}}
    return {"application/json": {"schema": known[str(kind)]}}
