"""Name what is wrong with what was given: a program, an input, a setting, the guest itself."""

from collections.abc import Sequence

from farm.errors.root import FarmError


class BadInput(FarmError):
    """What the caller gave cannot be used."""


class BadProgram(BadInput):
    """Neither an ELF file nor a program blob."""

    template = "program: {0}; give a RISC-V ELF or a blob built for zkVM {1}"


class ImageMismatch(BadInput):
    """The program is not the one that was named."""

    template = "program has image id {0}, not {1}"


class InputTooLarge(BadInput):
    """The input is over the limit."""

    template = "input of {0} bytes is over the limit of {1}"


class BadTrace(BadInput):
    """A trace program or its witness is not valid."""


class BadSetting(BadInput):
    """A setting cannot be used."""

    template = "setting {0}: {1}"


class GuestFailed(FarmError):
    """The guest itself did not end well; after the first fact, where its output is kept."""

    #: Its stdout and stderr, as they come from the host; they do not travel with the error.
    bodies: Sequence[bytes] = ()

    def keeping(self, refs: Sequence[str]) -> "GuestFailed":
        """Return the error with where its stdout and stderr are kept."""
        return type(self)(self.facts[0], *refs)

    @property
    def written(self) -> tuple[str, str] | None:
        """Where its stdout and stderr are kept, None where they are not."""
        refs = [str(ref) for ref in self.facts[1:]]
        return (refs[0], refs[1]) if len(refs) == 2 else None


class GuestPanicked(GuestFailed):
    """The guest stopped with a panic or an illegal step."""

    template = "guest panicked: {0}"


class CycleLimitReached(GuestFailed):
    """The guest was still running at its cycle limit."""

    template = "guest was still running at its limit of {0} cycles"


class AssumptionMissing(GuestFailed):
    """The guest relied on a claim that has no receipt."""

    template = "guest relied on a claim without a receipt: {0}"
