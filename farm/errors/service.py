"""Name what a farm says of itself and of jobs: full, away, ended, not up."""

from farm.errors.root import FarmError, Transient


class Busy(Transient):
    """Intake is full."""

    template = "{0} is over its cap of {1}: the farm is busy, retry after {2} s"


class OverQuota(Busy):
    """A tenant has as much as its quota allows."""

    template = "{0}: the quota of {1} is used up; retry after {2} s"


class TooFast(Busy):
    """An API key asks more often than it may."""

    template = "{0} asks more than {1} times a second; retry after {2} s"


class NoKey(FarmError):
    """No API key came with a request, or one that is not known."""

    template = "a valid API key is needed, in x-api-key ({0}); `farm key add` makes one"


class NotAllowed(FarmError):
    """The scopes of an API key do not hold what is asked for."""

    template = "API key {0} has no scope {1}; `farm key add --scope {1}` makes one that has"


class UnknownUpload(FarmError):
    """Nothing was uploaded under this name."""

    template = "no {0} {1} was uploaded; upload it first"


class ApiFailed(FarmError):
    """The API of a farm gave no answer that can be used."""

    template = "the API at {0} answers {1}: {2}"


class LedgerDown(Transient):
    """The ledger's server does not answer."""

    template = "the server at {0} does not answer ({1}); is the farm up? see `farm up`"


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


class NoAnswer(FarmError):
    """What was asked for is nothing that a job has, or has yet."""

    template = "job {0} is {1}: it has no {2}"


class JobOpen(FarmError):
    """It has not ended."""

    template = "job {0} is {1}: cancel it first (`farm cancel {0}`)"


class ReceiptSwept(FarmError):
    """A job's receipt is past its time."""

    template = "the receipt of job {0} is not kept any more; submit the same again to prove it anew"


class WrongLedger(FarmError):
    """The blobs are named by another ledger."""

    template = (
        "the blobs in {0} are those of ledger {1}, not of the one at {2}: nothing is swept; "
        "if that ledger is gone for good, delete {3}"
    )


class WrongStore(FarmError):
    """The ledger belongs to another blob store."""

    template = (
        "the ledger at {0} belongs to blob store {1}, and {2} is another (id {3}); "
        "give all machines of a farm one folder of blobs, or each farm a ledger of its own"
    )


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
