"""A ledger in a dictionary with sets in it: receipts are looked at, and members gathered."""

import msgspec
from fake_ledger import World
from sessions import hexed, job, ref, session, spec

from farm import events as e
from farm.claim import RECURSION_ROOT
from farm.job import Asked
from farm.session import Gathered
from farm.set_builder import Member, united
from farm.wire import Assumed


class SetWorld(World):
    """Looks at receipts, and gathers, when it is told to."""

    def __init__(self, *args):
        #: Receipts to be looked at, what is to be gathered, and who is in each set.
        self.inspecting, self.gathering, self.sets = [], [], {}
        super().__init__(*args)

    def restart(self):
        self.inspecting, self.gathering = [], []
        super().restart()

    def ask(self, *names, relied=None, count=1, **given):
        """Submit a set of these receipts and jobs; its guest has so many segments."""
        wanted = spec("set", members=[Asked(name, hexed("image")) for name in names], **given)
        facts = session(wanted, job(wanted, 99), relied=relied or {})
        self.sessions[facts.name], self.counts[facts.name] = facts, count
        self.tell(e.SessionSeen(facts))
        return facts.name

    def inspect(self, shown=None):
        """Say what a receipt proves: by its reference, a program's journal."""
        asked = self.inspecting.pop(0)
        shown = shown or (Member(hexed("image"), asked.ref.partition("-")[0]), ref("journal"))
        self.tell(e.Inspected(asked.session, asked.ref, shown))

    def gather(self, error=None):
        asked = self.gathering.pop(0)
        self.tell(e.SetGathered(asked.session, error or Gathered(ref("stdin"), ref("roster"))))

    def executed(self, name):
        record = super().executed(name)
        if name not in self.sets:
            return record
        members = {one.place: Member(one.image_id, one.digest) for one in self.sets[name]}
        claim = united([members[place] for place in sorted(members.keys() - {-1})])
        assumed = Assumed(claim, RECURSION_ROOT, hexed("resolved"))
        return msgspec.structs.replace(record, assumptions=[assumed])

    def guest(self, name):
        places = {one.place for one in self.sets.get(name, ())} - {-1}
        return super().guest(name)._replace(members=len(places))

    def step(self):
        if self.inspecting:
            self.inspect()
        elif self.gathering:
            self.gather()
        else:
            return super().step()
        return True

    def on_inspect(self, asked):
        self.inspecting.append(asked)

    def on_gather(self, asked):
        self.gathering.append(asked)
        before = self.sets.setdefault(asked.session, asked.members)
        assert before == asked.members, "a set that is gathered again is the same"

    def on_keep(self, keep):
        self.keep(keep.session, gathered=keep.gathered)
