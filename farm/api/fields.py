"""What fields of requests have to look like; the description of the API says the same."""

from typing import Annotated, Literal

from msgspec import Meta

#: 64 hex digits; some clients write 0x before them.
ImageId = Annotated[str, Meta(pattern="^(0x)?[0-9a-fA-F]{64}$")]
#: Of an upload or a job.
Name = Annotated[str, Meta(pattern="^[0-9a-z-]{1,64}$")]
#: Of an upload, or none.
MaybeName = Annotated[str, Meta(pattern="^[0-9a-z-]{0,64}$")]
#: Of a tenant.
Namespace = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,64}$")]
#: Of an open set, or none; with a plus one that tenants share.
SetName = Annotated[str, Meta(pattern="^([+]?[A-Za-z0-9_.-]{1,64})?$")]
#: What a caller calls something.
Title = Annotated[str, Meta(max_length=256)]
#: Names and values that a caller gives a job.
Labels = Annotated[
    dict[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_.:/-]{1,64}$")],
        Annotated[str, Meta(max_length=256)],
    ],
    Meta(max_length=16),
]
#: Segments have 2^this cycles.
Po2 = Literal[14, 16, 17, 18, 19, 20, 21, 22]
CycleLimit = Annotated[int, Meta(ge=1, le=(1 << 63) - 1)]
Priority = Annotated[int, Meta(gt=-(1 << 31), lt=1 << 31)]
#: Where a job is (farm/job.py), or anywhere.
AnyState = Literal[
    "", "BUFFERED", "ACCEPTED", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"
]
#: Id of a change: "<milliseconds>-<number>".
Place = Annotated[str, Meta(pattern="^[0-9]{1,18}(-[0-9]{1,18})?$")]
