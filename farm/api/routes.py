"""Every route of the API in one table: who may ask, what is taken, what is answered."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Literal, NamedTuple

from starlette.responses import Response

from farm.api import (
    answers,
    batches,
    bonsai_sessions,
    bonsai_state,
    bonsai_uploads,
    events,
    jobs,
    keys,
    openapi,
    sets,
    uploads,
)
from farm.api.call import Call
from farm.apikey import ApiKey
from farm.job import BatchView, Change, JobView
from farm.uploads import Upload

Handler = Callable[[Call], Awaitable[Response]]

#: Bodies that are no JSON, by what they are said to be.
BYTES, TEXT, EVENTS = "application/octet-stream", "text/plain", "text/event-stream"


class Route(NamedTuple):
    """One route. Types of `body` and `answer` are JSON, texts are other media types."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    scope: Literal["submit", "read", "admin"]
    answer: Any = None
    body: Any = None
    query: Any = None
    #: Statuses of an answer that is good.
    statuses: tuple[int, ...] = (200,)
    #: Whether the body may be left out: of an input, that is one of no bytes.
    optional: bool = False
    #: Whether it changes anything, and so stands in the audit log.
    writes: bool = False


def _get(path: str, handler: Handler, answer: Any = None, **more: Any) -> Route:
    return Route("GET", path, handler, more.pop("scope", "read"), answer, **more)


def _post(path: str, handler: Handler, answer: Any, body: Any = None, **more: Any) -> Route:
    scope = more.pop("scope", "submit")
    return Route("POST", path, handler, scope, answer, body, writes=True, **more)


def _put(path: str, handler: Handler, *, optional: bool = False) -> Route:
    statuses = (200, 204)
    return Route("PUT", path, handler, "submit", None, BYTES, None, statuses, optional, writes=True)


#: An input that is left out is one of no bytes.
_STDIN: dict[str, Any] = {"statuses": (201,), "optional": True}


def _delete(path: str, handler: Handler, scope: Literal["submit", "admin"] = "submit") -> Route:
    return Route("DELETE", path, handler, scope, statuses=(204,), writes=True)


_b, _u = bonsai_sessions, bonsai_uploads

#: What Bonsai's clients know. What is asked for most comes first: routes are tried in order.
BONSAI = (
    _get("/sessions/status/{uuid}", _b.status, bonsai_state.SessionStatus),
    _post("/sessions/create", _b.create, _b.Created, _b.NewSession),
    _get("/sessions/logs/{uuid}", _b.logs, TEXT),
    _get("/sessions/stop/{uuid}", _b.stop, scope="submit", writes=True),
    _get("/sessions/exec_only_journal/{uuid}", _b.journal, BYTES, statuses=(200, 206)),
    _get("/images/upload/{image_id}", _u.image_url, _u.UploadUrl, statuses=(200, 204)),
    _put("/images/upload/{image_id}", _u.put_image),
    _delete("/images/{image_id}", _u.delete_image),
    _get("/inputs/upload", _u.input_url, _u.NewUpload, scope="submit"),
    _put("/inputs/upload/{uuid}", _u.put_input, optional=True),
    _delete("/inputs/{uuid}", _u.delete_input),
    _get("/receipts/upload", _u.receipt_url, _u.NewUpload, scope="submit"),
    _put("/receipts/upload/{uuid}", _u.put_receipt),
    _get("/receipts/{uuid}", _b.receipt_url, _u.UploadUrl),
    _get("/receipts/stark/receipt/{uuid}", _b.receipt, BYTES, statuses=(200, 206)),
    _get("/receipts/groth16/receipt/{uuid}", _b.receipt, BYTES, statuses=(200, 206)),
    _post("/snark/create", _b.create_snark, _b.Created, _b.NewSnark),
    _get("/snark/status/{uuid}", _b.snark_status, bonsai_state.SnarkStatus),
    _get("/version", _b.versions, _b.Versions),
    _get("/user/quotas", _b.quotas, _b.Quotas),
)

#: What only this farm has.
NATIVE = (
    _get("/v1/jobs/{id}", jobs.status, JobView),
    _post("/v1/jobs", jobs.submit, JobView, jobs.NewJob, statuses=(201,)),
    _get("/v1/jobs", jobs.listing, jobs.Listing, query=jobs.Search),
    _post("/v1/jobs/{id}/cancel", jobs.cancel, jobs.Cancelled),
    _get("/v1/jobs/{id}/changes", jobs.changes, list[Change], query=jobs.Since),
    _get("/v1/jobs/{id}/events", events.events, EVENTS),
    _get("/v1/jobs/{id}/receipt", jobs.receipt, BYTES, statuses=(200, 206)),
    _get("/v1/jobs/{id}/journal", jobs.journal, BYTES, statuses=(200, 206)),
    _get("/v1/jobs/{id}/logs", jobs.logs, jobs.Written),
    _get("/v1/jobs/{id}/blobs/{ref}", sets.blob, BYTES, statuses=(200, 206)),
    _get("/v1/jobs/{id}/members", sets.members, list[sets.Member]),
    _post("/v1/sets", sets.submit, JobView, sets.NewSet, statuses=(201,)),
    _post("/v1/batches", batches.submit, BatchView, batches.NewBatch, statuses=(201,)),
    _get("/v1/batches/{id}", batches.status, BatchView),
    _get("/v1/batches/{id}/results", batches.results, list[batches.Proof]),
    _post("/v1/batches/{id}/cancel", batches.cancel, jobs.Cancelled),
    _post("/v1/images", uploads.post_image, uploads.Uploaded, BYTES, statuses=(201,)),
    _post(
        "/v1/inputs", uploads.post_input, uploads.Uploaded, BYTES, statuses=(201,), optional=True
    ),
    _post("/v1/receipts", uploads.post_receipt, uploads.Uploaded, BYTES, statuses=(201,)),
    _get("/v1/uploads", uploads.listing, list[Upload]),
    _get("/v1/images/{image_id}", uploads.image, BYTES, statuses=(200, 206)),
    _delete("/v1/images/{image_id}", bonsai_uploads.delete_image),
    _get("/v1/inputs/{uuid}", uploads.input, BYTES, statuses=(200, 206)),
    _delete("/v1/inputs/{uuid}", bonsai_uploads.delete_input),
    _get("/v1/receipts/{uuid}", uploads.receipt, BYTES, statuses=(200, 206)),
    _delete("/v1/receipts/{uuid}", uploads.delete_receipt),
    _get("/v1/usage", jobs.used, jobs.Used),
    _get("/v1/keys", keys.listing, list[ApiKey], scope="admin"),
    _post("/v1/keys", keys.add, keys.MadeKey, keys.NewKey, scope="admin", statuses=(201,)),
    _delete("/v1/keys/{id}", keys.revoke, "admin"),
)


async def description(call: Call) -> Response:
    """Give this description of the API."""
    return answers.json(described())


ROUTES = (*BONSAI, *NATIVE, _get("/v1/openapi.json", description, dict[str, Any]))


@cache
def described() -> dict[str, Any]:
    """Return the description of all routes."""
    return openapi.document(ROUTES)
