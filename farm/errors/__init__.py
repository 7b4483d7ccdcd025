"""Everything the farm raises on purpose.

FarmError
├── Transient               trying again may help; the scheduler re-sends exactly these
│   ├── Busy                intake is full
│   │   ├── OverQuota       a tenant has as much as its quota allows
│   │   └── TooFast         an API key asks more often than it may
│   ├── LedgerDown          the ledger's server does not answer
│   ├── BlobMissing         a blob is not in the store, or not whole
│   ├── StoreFailed         what had to be kept cannot be written
│   ├── HostDied            the host child ended in the middle of a step
│   ├── StepHung            the host child stopped making progress
│   ├── StepTooLong         the host child was still at work at the step's time limit
│   ├── WorkerLost          a worker stopped renewing its step
│   └── ExecutionDiffers    a guest was executed again and did not do the same
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
│   ├── HostFailed          a proving step failed in the host
│   └── HostLacks           no host of the farm was built with what is asked for
├── SegmentTooLarge         no slot has the memory for a segment of this size
├── KernelMissing           there is no trace kernel, or one of another version
├── VerificationFailed      a receipt does not prove its claim
│   ├── BadReceipt          the bytes are not a whole receipt
│   ├── WrongClaim          a valid receipt of something else
│   └── WrongKind           fake, trace or simulated where risc0 is asked for
│       └── NoReceipt       the job was only executed
├── NoMembers               nobody of those asked for can be in the set
├── UnknownJob              there is no such job
├── UnknownUpload           nothing was uploaded under this name
├── NoKey                   no API key came with a request, or one that is not known
├── NotAllowed              the scopes of an API key do not hold what is asked for
├── ApiFailed               the API of a farm gave no answer that can be used
├── JobOpen                 it has not ended
├── NoAnswer                what was asked for is nothing that a job has, or has yet
├── ReceiptSwept            a job's receipt is past its time
├── JobFailed               a job ended without a receipt
│   ├── JobAborted          it was cancelled
│   └── JobTimedOut         its deadline passed
├── WrongPassword           the ledger refused the password
├── WrongLedger             the blobs are named by another ledger
├── WrongStore              the ledger belongs to another blob store
├── UnsafeLedger            the ledger's server may lose what it was given
├── AlreadyRunning          a farm with this state folder is up already
├── PortInUse               an address the farm needs is taken
├── StartFailed             a process of the farm does not stay up
└── WaitTimeout             waiting ended before the job did

The class is the code: it travels by name between processes, so an error is rebuilt
from its name and arguments and never from its text.
"""

from farm.errors.given import (
    AssumptionMissing,
    BadInput,
    BadProgram,
    BadSetting,
    BadTrace,
    CycleLimitReached,
    GuestFailed,
    GuestPanicked,
    ImageMismatch,
    InputTooLarge,
)
from farm.errors.proving import (
    BadReceipt,
    BlobMissing,
    ExecutionDiffers,
    HostDied,
    HostError,
    HostFailed,
    HostLacks,
    HostMismatch,
    HostMissing,
    KernelMissing,
    NoMembers,
    NoReceipt,
    SegmentTooLarge,
    StepHung,
    StepTooLong,
    StoreFailed,
    VerificationFailed,
    WorkerLost,
    WrongClaim,
    WrongKind,
)
from farm.errors.root import FarmError, Transient
from farm.errors.service import (
    AlreadyRunning,
    ApiFailed,
    Busy,
    JobAborted,
    JobFailed,
    JobOpen,
    JobTimedOut,
    LedgerDown,
    NoAnswer,
    NoKey,
    NotAllowed,
    OverQuota,
    PortInUse,
    ReceiptSwept,
    StartFailed,
    TooFast,
    UnknownJob,
    UnknownUpload,
    UnsafeLedger,
    WaitTimeout,
    WrongLedger,
    WrongPassword,
    WrongStore,
)

__all__ = [
    "AlreadyRunning",
    "ApiFailed",
    "AssumptionMissing",
    "BadInput",
    "BadProgram",
    "BadReceipt",
    "BadSetting",
    "BadTrace",
    "BlobMissing",
    "Busy",
    "CycleLimitReached",
    "ExecutionDiffers",
    "FarmError",
    "GuestFailed",
    "GuestPanicked",
    "HostDied",
    "HostError",
    "HostFailed",
    "HostLacks",
    "HostMismatch",
    "HostMissing",
    "ImageMismatch",
    "InputTooLarge",
    "JobAborted",
    "JobFailed",
    "JobOpen",
    "JobTimedOut",
    "KernelMissing",
    "LedgerDown",
    "NoAnswer",
    "NoKey",
    "NoMembers",
    "NoReceipt",
    "NotAllowed",
    "OverQuota",
    "PortInUse",
    "ReceiptSwept",
    "SegmentTooLarge",
    "StartFailed",
    "StepHung",
    "StepTooLong",
    "StoreFailed",
    "TooFast",
    "Transient",
    "UnknownJob",
    "UnknownUpload",
    "UnsafeLedger",
    "VerificationFailed",
    "WaitTimeout",
    "WorkerLost",
    "WrongClaim",
    "WrongKind",
    "WrongLedger",
    "WrongPassword",
    "WrongStore",
]
