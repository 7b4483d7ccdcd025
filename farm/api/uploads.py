"""The farm's own API for uploads: bodies in one request, and out again."""

import msgspec
from starlette.responses import Response

from farm.api import answers, bodies
from farm.api.bonsai_uploads import image_id, name
from farm.api.call import Call
from farm.errors import BadInput
from farm.uploads import Kind, Upload, new_name

#: The kinds of uploads by their places in paths.
KINDS: dict[str, Kind] = {"images": "image", "inputs": "input", "receipts": "receipt"}


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


async def body(call: Call) -> Response:
    """Give an upload back."""
    found = await call.thread(call.uploads.get, *_named(call))
    return await bodies.give(call, found.ref)


async def delete(call: Call) -> Response:
    """Forget an upload; jobs of it go on."""
    await call.thread(call.uploads.drop, *_named(call))
    return Response(status_code=204)


def _named(call: Call) -> tuple[Kind, str]:
    kind = KINDS.get(call.part("kind"))
    if kind is None:
        raise BadInput(f"{call.part('kind')!r} is not one of {', '.join(KINDS)}")
    id = call.part("id")
    return kind, image_id(id) if kind == "image" else name(id)


def _posted(upload: Upload) -> Response:
    return answers.json(Uploaded(upload.id, upload.size), 201)
