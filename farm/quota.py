"""What a tenant may use of a farm by way of the API, and how often a key may ask. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt

#: The name of what counts for every namespace that is not named itself.
ANYBODY = "*"
#: Seconds of asking at the full rate that one who was silent may do at once.
BURST_SECONDS = 2.0


class Quota(BaseModel):
    """Limits of one tenant; 0 is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Jobs open at once.
    jobs: NonNegativeInt = 1000
    #: Cycles that its executions may take in a day of UTC; the last one may go over it.
    cycles: NonNegativeInt = 0
    #: Bytes of programs, inputs and receipts that it has uploaded.
    bytes: NonNegativeInt = 64 << 30
    #: Requests a second, of each of its keys.
    rate: NonNegativeFloat = 0.0
    #: Streams of events open at once, of each of its keys.
    streams: NonNegativeInt = Field(default=2000)


def of(quotas: Mapping[str, Quota], namespace: str) -> Quota:
    """Return what counts for a namespace: its own, else that of anybody."""
    return quotas.get(namespace) or quotas.get(ANYBODY) or Quota()


class Pacer:
    """Lets so many requests a second through, by the time it is told."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, max(1.0, rate * BURST_SECONDS)
        self._left, self._then = self._most, 0.0

    def wait(self, now: float) -> float:
        """Return 0 for a request that may be done now, else the seconds until one may be."""
        if not self._rate:
            return 0.0
        self._left = min(self._most, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0


def until_midnight(now: float) -> int:
    """Return the seconds until the next day of UTC begins, from a unix time."""
    return int(86400 - now % 86400) + 1
