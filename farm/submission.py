"""Make a job of what a client asks for: kinds, limits, and the bodies that are to be stored."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from farm import request, segment_size, set_builder_program, verify
from farm.asked import Candidates, Given
from farm.blobs import reference
from farm.errors import BadInput, HostLacks, ImageMismatch, InputTooLarge, NoReceipt
from farm.guests import Known
from farm.job import Asked, JobSpec, new_id, new_seed
from farm.ledger import Ledger
from farm.receipt import Receipt
from farm.request import Program
from farm.settings import PO2, Settings

#: Most members of a set: its execution is over 400 million cycles then.
MOST = 10_000


class Submission:
    """One request; `bodies` are to be stored once it is found good.

    `images` are the image ids of programs that are known, by their references; `known` is what
    was read of the farm lately.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, images: dict[str, str], known: Known | None = None
    ) -> None:
        self._settings, self._ledger, self._images = settings, ledger, images
        self._known = known or Known(ledger)
        self.bodies: dict[str, bytes] = {}

    def kinds(self, mode: str, receipt: str) -> dict[str, Any]:
        """Return the kind of the job and of its receipt.

        Raises BadInput for kinds there are not, HostLacks for a receipt that no host can make.
        """
        found = request.kinds(mode, receipt)
        if self._settings.simulated:
            return request.simulated(found)
        if found["receipt"] == "groth16":
            provers = [slot for slot in self._known.slots() if slot.kind == "risc0"]
            if provers and not any("groth16" in slot.features for slot in provers):
                raise HostLacks("groth16", "groth16", "succinct")
        return found

    def limits(self, po2: int | None, cycle_limit: int | None) -> dict[str, Any]:
        """Return the size of segments and the limits of the guest, as asked or as set."""
        own = self._settings
        return {
            # Without one it is chosen once the rest is checked.
            "po2": PO2[0] if po2 is None else po2,
            "cycle_limit": own.cycle_limit if cycle_limit is None else cycle_limit,
            "input_limit": own.input_limit,
        }

    def sized(self, spec: JobSpec) -> JobSpec:
        """Return the job with segments of the size that the setting and the slots make of it."""
        slots = self._known.slots()
        po2 = segment_size.choose(self._settings.segment_po2, slots, spec.cycle_limit)
        return msgspec.structs.replace(spec, po2=po2)

    def given(self, program: Program, input: bytes, image_id: str | None) -> dict[str, Any]:
        """Return whose job it is, its program and its input.

        Raises BadProgram, ImageMismatch or InputTooLarge.
        """
        body = request.body(program, self._settings.program_limit)
        if len(input) > self._settings.input_limit:
            raise InputTooLarge(len(input), self._settings.input_limit)
        ref = self._name(body)
        return self.stored(self._image(body, ref, image_id), ref, self._name(input))

    def stored(self, image_id: str, program: str, input: str) -> dict[str, Any]:
        """Return the same for a program and an input that are in the store."""
        return {
            "id": new_id(),
            "seed": new_seed(),
            "namespace": self._settings.namespace,
            "image_id": image_id,
            "program": program,
            "input": input,
        }

    def batched(self, image_id: str, kinds: Mapping[str, str], relied: bool) -> dict[str, Any]:
        """Return whether a job is one of many that its guest takes together.

        Raises BadInput for one that relies on others, which such a guest's cannot.
        """
        if kinds["kind"] == "simulated":
            return {}
        guest = self._known.guest(image_id)
        if guest is None or not guest.batch:
            return {}
        if relied:
            raise BadInput("assumptions: a guest that takes a list of inputs is given none")
        return {"batch": True}

    def members(self, given: Iterable[Given], kinds: Mapping[str, str]) -> list[Asked]:
        """Return who is asked to be in a set, in the order given."""
        status, kind = self._ledger.status, kinds["receipt"]
        return Candidates(status, self._settings.namespace, kind, self.bodies).read(given)

    def a_set(self, members: Sequence[Asked], kinds: dict[str, Any], **how: Any) -> JobSpec:
        """Return the job that makes a set of these members.

        Raises BadInput for nobody, for too many, and for a kind of job that has no receipts.
        """
        if kinds["kind"] == "execute":
            raise BadInput("a set is of receipts: its mode is risc0 or trace")
        if not members:
            raise BadInput("a set of receipts: no members were given")
        if len(members) > MOST:
            text = f"make sets of at most {MOST} of the {len(members)} members, and one of those"
            raise BadInput(f"a set of receipts: {text}")
        program = self.given(set_builder_program.read(), b"", None)
        return request.checked(**program | kinds | how | {"members": members, "input": ""})

    def joins(self, name: str, value: float, kinds: Mapping[str, str]) -> dict[str, Any]:
        """Return which open set a job is to join, and what it is worth there.

        Raises BadInput for a name that is none, and for a job whose receipt no set can have.
        """
        if not name:
            return {}
        if not re.fullmatch(r"\+?[\w.-]{1,64}", name):
            raise BadInput(f"aggregate: {name!r} is no name of 1 to 64 letters, digits, - or .")
        if kinds["receipt"] not in ("succinct", "trace", "simulated"):
            raise BadInput(f"aggregate: a set has no receipts of kind {kinds['receipt']}")
        return {"aggregate": name, "value": value}

    def assumption(self, given: Given, kinds: Mapping[str, str]) -> str:
        """Return the name of what the guest may rely on: a job's id, or a receipt's reference.

        Raises WrongKind, NoReceipt, UnknownJob, or BadInput for a job that has ended badly.
        """
        plays = bool(self._settings.simulated)
        if isinstance(given, Receipt | bytes):
            raw, kind = request.assumed(given)
            request.fits(kind, kinds, simulated=plays)
            return self._name(raw)
        id = given if isinstance(given, str) else given.id
        view = self._ledger.status(id)
        if error := view.error():
            raise BadInput(f"assumption: job {id}: {error}")
        if view.spec.kind == "execute":
            raise NoReceipt(id)
        request.fits(view.spec.receipt, kinds, simulated=plays)
        return id

    def _name(self, body: bytes) -> str:
        ref = reference(body)
        self.bodies[ref] = body
        return ref

    def _image(self, program: bytes, ref: str, expected: str | None) -> str:
        if ref not in self._images:
            self._images[ref] = verify.image_id(program, self._settings)
        if expected is not None and expected.lower() != self._images[ref]:
            raise ImageMismatch(self._images[ref], expected)
        return self._images[ref]
