"""Bonsai's API for what is uploaded: images, inputs, and receipts that guests rely on."""

import re
from collections.abc import Awaitable, Callable

import msgspec
from starlette.responses import Response

from farm.api import answers, bodies
from farm.api.call import Call
from farm.errors import BadInput, UnknownUpload
from farm.uploads import Kind, Upload, new_name

_IMAGE = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_NAME = re.compile(r"[0-9a-z-]{1,64}")


#: Takes the body of a request under a name.
Take = Callable[[Call, str], Awaitable[Upload]]


class UploadUrl(msgspec.Struct):
    """Where to put a body."""

    url: str


class NewUpload(msgspec.Struct):
    """Where to put a body, and the name it has from then on."""

    url: str
    uuid: str


async def image_url(call: Call) -> Response:
    """Say where an image goes; 204 for one that is there already."""
    id = image_id(call.part("image_id"))
    if await call.thread(bodies.there, call, "image", id):
        return Response(status_code=204)
    return answers.json(UploadUrl(call.api.urls.of(call.request, f"/images/upload/{id}")))


async def put_image(call: Call) -> Response:
    """Take an image, if it has the image id that it is put under."""
    id = image_id(call.part("image_id"))
    return await _put(call, "image", id, bodies.take_image)


async def delete_image(call: Call) -> Response:
    """Forget an image; jobs of it go on."""
    return await deleted(call, "image", known_image(call.part("image_id")))


async def input_url(call: Call) -> Response:
    """Say where an input goes."""
    return _new(call, "inputs")


async def put_input(call: Call) -> Response:
    """Take an input: the guest's stdin as it is."""
    return await _put(call, "input", name(call.part("uuid")), bodies.take_input)


async def delete_input(call: Call) -> Response:
    """Forget an input; jobs of it go on."""
    return await deleted(call, "input", name(call.part("uuid")))


async def receipt_url(call: Call) -> Response:
    """Say where a receipt goes that guests may rely on."""
    return _new(call, "receipts")


async def put_receipt(call: Call) -> Response:
    """Take a receipt (bincode of Receipt or InnerAssumptionReceipt) that holds by itself."""
    return await _put(call, "receipt", name(call.part("uuid")), bodies.take_receipt)


def image_id(given: str) -> str:
    """Return an image id as the farm writes it; raises BadInput for what is none."""
    found = _IMAGE.fullmatch(given)
    if not found:
        raise BadInput(f"image id {given!r} is not 64 hex digits")
    return found[1].lower()


def known_image(given: str) -> str:
    """Return the same of an image that should be there; raises UnknownUpload for what is none."""
    found = _IMAGE.fullmatch(given)
    if not found:
        raise UnknownUpload("image", given)
    return found[1].lower()


def name(given: str) -> str:
    """Return the name of an input or receipt; raises BadInput for what can be none."""
    if not _NAME.fullmatch(given):
        raise BadInput(f"{given!r} is no name of an upload: ask for one first")
    return given


def _new(call: Call, path: str) -> Response:
    uuid = new_name()
    url = call.api.urls.of(call.request, f"/{path}/upload/{uuid}")
    return answers.json(NewUpload(url, uuid))


async def _put(call: Call, kind: Kind, id: str, take: Take) -> Response:
    """Take a body, unless it is there already."""
    if await call.thread(bodies.there, call, kind, id):
        return Response(status_code=204)
    await take(call, id)
    return Response()


async def deleted(call: Call, kind: Kind, id: str) -> Response:
    """Forget an upload."""
    await call.thread(call.uploads.drop, kind, id)
    return Response(status_code=204)
