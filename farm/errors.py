"""Everything the farm raises on purpose.

FarmError
├── Transient               trying again may help; the scheduler re-sends exactly these
│   ├── Busy                intake is full
│   ├── LedgerDown          the ledger's server does not answer
│   ├── BlobMissing         a blob is not in the store, or not whole
│   ├── StoreFailed         what had to be kept cannot be written
│   ├── HostDied            the host child ended in the middle of a step
│   ├── StepHung            the host child stopped making progress
│   ├── StepTooLong         the host child was still at work at the step's time limit
│   └── WorkerLost          a worker stopped renewing its step
├── BadInput                what the caller gave cannot be used
│   ├── BadProgram          neither an ELF file nor a program blob
│   ├── ImageMismatch       the program is not the one that was named
│   ├── InputTooLarge       the input is over the limit
│   ├── BadTrace            a trace program or its witness is not valid
│   └── BadSetting          a setting cannot be used
├── GuestFailed             the guest itself did not end well
│   ├── GuestPanicked       the guest stopped with a panic or an illegal step
│   ├── CycleLimitReached   the guest was still running at its cycle limit
│   └── AssumptionMissing   the guest relied on a claim that has no receipt
├── HostError               the host subprocess gave no receipt
│   ├── HostMissing         there is no host binary
│   ├── HostMismatch        the host speaks another version
│   └── HostFailed          a proving step failed in the host
├── KernelMissing           there is no trace kernel, or one of another version
├── VerificationFailed      a receipt does not prove its claim
│   ├── BadReceipt          the bytes are not a whole receipt
│   ├── WrongClaim          a valid receipt of something else
│   └── WrongKind           fake, trace or simulated where risc0 is asked for
├── UnknownJob              there is no such job
├── JobFailed               a job ended without a receipt
│   ├── JobAborted          it was cancelled
│   └── JobTimedOut         its deadline passed
├── WrongPassword           the ledger refused the password
├── UnsafeLedger            the ledger's server may lose what it was given
├── AlreadyRunning          a farm with this state folder is up already
├── PortInUse               an address the farm needs is taken
├── StartFailed             a process of the farm does not stay up
└── WaitTimeout             waiting ended before the job did

The class is the code: it travels by name between processes, so an error is rebuilt
from its name and arguments and never from its text.
"""


class FarmError(Exception):
    """Root of everything the farm raises on purpose."""

    #: Text made from the arguments; `{0}` is the first.
    template = "{0}"

    def __init__(self, *facts: object) -> None:
        super().__init__(*facts)
        self.facts = facts

    def __str__(self) -> str:
        try:
            return self.template.format(*self.facts)
        except IndexError:  # facts from another version: show them all rather than none
            return " ".join(map(str, self.facts))

    @property
    def code(self) -> str:
        """The class name: what is stored, sent and shown as the kind of the error."""
        return type(self).__name__

    @classmethod
    def named(cls, code: str, facts: list[object]) -> "FarmError":
        """Return the error whose class is `code`; an unknown code comes back as FarmError."""
        found = _by_name(cls).get(code)
        return found(*facts) if found else FarmError(f"{code}: {' '.join(map(str, facts))}")


def _by_name(root: type[FarmError]) -> dict[str, type[FarmError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _by_name(child)
    return found


class Transient(FarmError):
    """Trying again may help; the scheduler re-sends exactly these."""


class Busy(Transient):
    """Intake is full."""

    template = "{0} is over its cap of {1}: the farm is busy, retry after {2} s"


class LedgerDown(Transient):
    """The ledger's server does not answer."""

    template = "the server at {0} does not answer ({1}); is the farm up? see `farm up`"


class BlobMissing(Transient):
    """A blob is not in the store, or not whole."""

    template = "blob {0}: {1}"


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
    """The guest itself did not end well."""


class GuestPanicked(GuestFailed):
    """The guest stopped with a panic or an illegal step."""

    template = "guest panicked: {0}"


class CycleLimitReached(GuestFailed):
    """The guest was still running at its cycle limit."""

    template = "guest was still running at its limit of {0} cycles"


class AssumptionMissing(GuestFailed):
    """The guest relied on a claim that has no receipt."""

    template = "guest relied on a claim without a receipt: {0}"


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


class StoreFailed(Transient):
    """What had to be kept cannot be written."""

    template = "cannot write {0}: {1}"


class UnknownJob(FarmError):
    """There is no such job."""

    template = "no job {0} in this farm"


class JobFailed(FarmError):
    """A job ended without a receipt."""

    template = "job {0} failed: {1}"


class JobAborted(JobFailed):
    """It was cancelled."""

    template = "job {0} was cancelled: {1}"


class JobTimedOut(JobFailed):
    """Its deadline passed."""

    template = "job {0} passed its deadline: {1}"


class WrongPassword(FarmError):
    """The ledger refused the password."""

    template = "the ledger at {0} refused the password; check FARM_LEDGER_URL"


class UnsafeLedger(FarmError):
    """The ledger's server may lose what it was given."""

    template = "the ledger at {0} {1}; {2}"


class AlreadyRunning(FarmError):
    """A farm with this state folder is up already."""

    template = "a farm is up already in {0} (process {1}); stop it with `farm down`"


class PortInUse(FarmError):
    """An address the farm needs is taken."""

    template = "{0} is in use; {1}"


class StartFailed(FarmError):
    """A process of the farm does not stay up."""

    template = "{0} does not start: {1}; its log is {2}"


class WaitTimeout(FarmError):
    """Waiting ended before the job did."""

    template = "job {0} is still {1} after {2} s"
