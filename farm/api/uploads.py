"""The farm's own API for uploads: bodies in one request, and out again."""

import msgspec
from starlette.responses import Response

from farm.api import answers, bodies
from farm.api.bonsai_uploads import deleted, known_image, name
from farm.api.call import Call
from farm.uploads import Kind, Upload, new_name


class Uploaded(msgspec.Struct):
    """What an upload is called from now on, and its bytes."""

    id: str
    size: int


async def post_image(call: Call) -> Response:
    """Take a program; its name is the image id that it has."""
    return _posted(await bodies.take_image(call, ""))


async def post_input(call: Call) -> Response:
    """Take an input: the guest's stdin as it is."""
    return _posted(await bodies.take_input(call, new_name()))


async def post_receipt(call: Call) -> Response:
    """Take a receipt that guests may rely on, or sets have for a member."""
    return _posted(await bodies.take_receipt(call, new_name()))


async def listing(call: Call) -> Response:
    """List this tenant's uploads, oldest first."""
    return answers.json(await call.thread(call.uploads.all))


async def image(call: Call) -> Response:
    """Give a program back."""
    return await _given(call, "image", known_image(call.part("image_id")))


async def input(call: Call) -> Response:
    """Give an input back."""
    return await _given(call, "input", name(call.part("uuid")))


async def receipt(call: Call) -> Response:
    """Give a receipt back that was uploaded."""
    return await _given(call, "receipt", name(call.part("uuid")))


async def delete_receipt(call: Call) -> Response:
    """Forget a receipt that was uploaded; jobs that rely on it go on."""
    return await deleted(call, "receipt", name(call.part("uuid")))


async def _given(call: Call, kind: Kind, id: str) -> Response:
    found = await call.thread(call.uploads.get, kind, id)
    return await bodies.give(call, found.ref)


def _posted(upload: Upload) -> Response:
    return answers.json(Uploaded(upload.id, upload.size), 201)
