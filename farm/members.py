"""Say who is in a set: of those that were asked for, all whose receipts are there and hold.

Pure. Places are given in the order of the request, as far as nothing before is unknown. Who proves
the same as another has the other's place.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from farm.errors import FarmError, JobFailed, NoMembers, ReceiptSwept, UnknownJob, WrongClaim
from farm.job import Asked, State
from farm.relied import is_job
from farm.session import Relied
from farm.set_builder import Member


class Leaf(NamedTuple):
    """The receipt of one member, and the digest of what it proves."""

    ref: str
    claim: str


class Entry(msgspec.Struct, frozen=True):
    """What became of one that was asked for; `place` is -1 for who is not in the set."""

    name: str
    place: int = -1
    image_id: str = ""
    #: SHA-256 of its journal, and where that is if the farm has it.
    digest: str = ""
    journal: str = ""
    #: Why it is not in the set.
    code: str = ""
    facts: list[object] = []

    def error(self) -> FarmError | None:
        """Return why it is not in the set, None if it is."""
        return FarmError.named(self.code, self.facts) if self.code else None


class Members:
    """All that were asked to be in one set."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked, self._named = asked, {one.name: one for one in reversed(asked)}
        #: Who has a place, or has none, as far as nothing before is unknown.
        self.entries: list[Entry] = []
        #: The receipts in the set, by their places.
        self.leaves: list[Leaf] = []
        #: What is known of those whose turn has not come.
        self._found: dict[str, Entry | tuple[Member, str, str]] = {}
        self._places: dict[Member, int] = {}
        self._advance()

    @property
    def awaited(self) -> list[str]:
        """The jobs that have still to end."""
        return [name for name in self._unknown() if is_job(name)]

    @property
    def unseen(self) -> dict[str, str]:
        """The receipts that have still to be looked at, with the programs that they may be of."""
        unknown = (name for name in self._unknown() if not is_job(name))
        return {name: self._named[name].image_id for name in unknown}

    @property
    def complete(self) -> bool:
        """Whether it is known of all whether they are in the set."""
        return len(self.entries) == len(self._asked)

    def note(self, found: Mapping[str, Relied]) -> None:
        """Note how jobs are."""
        for name in (found.keys() & self._named.keys()) - self._found.keys():
            if ended := _ended(self._named[name], found[name]):
                self._found[name] = ended
        self._advance()

    def judge(self, ref: str, shown: tuple[Member, str] | FarmError) -> None:
        """Note what a receipt proves, and where its journal is; or why it cannot be in the set."""
        known = _out(ref, shown) if isinstance(shown, FarmError) else (shown[0], ref, shown[1])
        self._found[ref] = known
        self._advance()

    def none(self) -> NoMembers | None:
        """Return why there is no set: nobody is left to be in it; None if there is one."""
        if self.leaves or not self._asked or not self.complete:
            return None
        first = next(filter(None, (entry.error() for entry in self.entries)), FarmError())
        return NoMembers(len(self.entries), f"{first}")

    def _unknown(self) -> list[str]:
        rest = self._asked[len(self.entries) :]
        return [one.name for one in rest if not one.code and one.name not in self._found]

    def _advance(self) -> None:
        for one in self._asked[len(self.entries) :]:
            known = _refused(one) if one.code else self._found.get(one.name)
            if known is None:
                return
            self.entries.append(known if isinstance(known, Entry) else self._enter(one, *known))

    def _enter(self, one: Asked, member: Member, receipt: str, journal: str) -> Entry:
        if one.image_id not in ("", member.image_id):  # the same receipt, said to be of another
            return _out(one.name, WrongClaim(f"image {member.image_id}", f"image {one.image_id}"))
        place = self._places.setdefault(member, len(self.leaves))
        if place == len(self.leaves):
            self.leaves.append(Leaf(receipt, member.claim))
        return Entry(one.name, place, member.image_id, member.journal_digest, journal)


def _ended(one: Asked, how: Relied) -> Entry | tuple[Member, str, str] | None:
    """Return what comes of a job, None while it runs."""
    if how.state is None:
        return _out(one.name, UnknownJob(one.name))
    if not how.state.ended:
        return None
    if how.state is not State.SUCCEEDED:
        return _out(one.name, JobFailed(one.name, f"it is {how.state}"))
    if not how.receipt:
        return _out(one.name, ReceiptSwept(one.name))
    digest = how.journal.partition("-")[0]
    return Member(one.image_id, digest), how.receipt, how.journal


def _refused(one: Asked) -> Entry:
    return Entry(one.name, image_id=one.image_id, code=one.code, facts=one.facts)


def _out(name: str, error: FarmError) -> Entry:
    return Entry(name, code=error.code, facts=list(error.facts))
