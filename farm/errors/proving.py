"""Name what goes wrong while proving: hosts, the kernel, blobs, steps, receipts."""

from farm.errors.root import FarmError, Transient


class BlobMissing(Transient):
    """A blob is not in the store, or not whole."""

    template = "blob {0}: {1}"


class StoreFailed(Transient):
    """What had to be kept cannot be written."""

    template = "cannot write {0}: {1}"


class HostDied(Transient):
    """The host child ended in the middle of a step."""

    template = "host {0}: the child ended with {1}: {2}"


class StepHung(Transient):
    """The host child stopped making progress."""

    template = "host {0}: no progress for {1} s, child killed"


class StepTooLong(Transient):
    """The host child was still at work at the step's time limit."""

    template = "host {0}: still at work at its limit of {1} s, child killed"


class WorkerLost(Transient):
    """A worker stopped renewing its step."""

    template = "step {0}: its worker {1} stopped answering"


class ExecutionDiffers(Transient):
    """A guest was executed again and did not do the same."""

    template = "host execute: {0} differs from an earlier execution's"


class HostError(FarmError):
    """The host subprocess gave no receipt."""


class HostMissing(HostError):
    """There is no host binary."""

    template = "no farm-host at {0}; build it with `make host` or set FARM_HOST"


class HostMismatch(HostError):
    """The host speaks another version."""

    template = "farm-host at {0} speaks {1}, the farm needs {2}; build it again with `make host`"


class HostFailed(HostError):
    """A proving step failed in the host."""

    template = "host {0}: {1}"


class HostLacks(HostError):
    """No host of the farm was built with what is asked for."""

    template = "no host of this farm can make a {0} receipt: none has feature {1}; ask for {2}"


class SegmentTooLarge(FarmError):
    """No slot has the memory for a segment of this size."""

    template = "{0}: no slot holds a segment that large, only up to 2^{1} cycles"


class KernelMissing(FarmError):
    """There is no trace kernel, or one of another version."""

    template = "no trace kernel at {0}: {1}; build it with `make kernel` or set FARM_KERNEL"


class VerificationFailed(FarmError):
    """A receipt does not prove its claim."""


class BadReceipt(VerificationFailed):
    """The bytes are not a whole receipt."""

    template = "receipt: {0}"


class WrongClaim(VerificationFailed):
    """A valid receipt of something else."""

    template = "receipt proves {0}, not {1}"


class WrongKind(VerificationFailed):
    """Fake, trace or simulated where risc0 is asked for."""

    template = "receipt is of kind {0}, not {1}"


class NoReceipt(WrongKind):
    """The job was only executed."""

    template = "job {0} was only executed: it has a journal and cycles, and no receipt"


class NoMembers(FarmError):
    """Nobody of those asked for can be in the set."""

    template = "a set of {0} members: none of them can be in it, the first because {1}"
