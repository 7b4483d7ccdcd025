"""A ledger in a dictionary, and workers that do as they are told: the scheduler's opposite."""

import msgspec
from fake_proofs import Guest, Proofs
from sessions import executed, job, keccak, ref, segment, session, slot

from farm import events as e
from farm.assign import Limits
from farm.errors import ExecutionDiffers, HostDied
from farm.job import State
from farm.lengths import DEEPEST
from farm.scheduler import Scheduler

LIMITS = Limits(attempts=4, step_seconds=60, bytes_in_flight=1 << 40)


class World:
    """Applies what the scheduler says, and checks what must always hold."""

    def __init__(self, limits=LIMITS):
        self.limits = limits
        #: Seconds between two events.
        self.tick = 0.01
        self.scheduler = Scheduler(limits)
        self.scheduler.handle(e.Restored())
        self.sessions = {}
        self.counts = {}
        #: Of sessions that want hashes, how many requests; the receipts that they rely on.
        self.keccaks, self.receipts = {}, {}
        #: Which of the things that a guest may do it does now, and did in what is in the ledger.
        self.does, self.did = {}, {}
        self.slots = {}
        #: Steps that were sent and have not come back.
        self.out = {}
        self.verifying = []
        self.finalizing = []
        self.ended = {}
        self.proofs = Proofs()
        self.closed = {}
        self.sent = []

    def tell(self, event):
        if isinstance(event, e.SlotSeen | e.SlotGone):
            for name, step in self.scheduler.losing(event):
                if name in self.sessions:
                    state = self.sessions[name].steps[step].state
                    self.scheduler.floor.states[name, step] = state
        self.scheduler.floor.now += self.tick
        told = self.scheduler.handle(event)
        for instruction in told:
            getattr(self, "on_" + type(instruction).__name__.lower())(instruction)
        self.check()
        return told

    def restart(self):
        self.scheduler = Scheduler(self.limits)
        self.verifying, self.finalizing = [], []
        for one in self.slots.values():
            self.tell(e.SlotSeen(one))
        for facts in list(self.sessions.values()):
            self.tell(e.SessionSeen(facts))
        self.tell(e.Restored())

    def compare(self):
        """Let the scheduler compare what it remembers with the ledger."""
        for facts in list(self.sessions.values()):
            self.tell(e.SessionSeen(facts))

    def lapse(self):
        """Let the missing beats of what nobody works on be noticed."""
        for key, attempt in self.scheduler.under_way().items():
            if key not in self.out:
                self.tell(e.StepLost(*key, attempt, leased=True))

    # What clients and workers do.

    def submit(self, spec, count=1, seq=1):
        facts = session(spec, job(spec, seq))
        self.sessions[facts.name], self.counts[facts.name] = facts, count
        self.tell(e.SessionSeen(facts))
        return facts.name

    def up(self, slot):
        self.slots[slot.name] = slot
        self.out = {key: sent for key, sent in self.out.items() if sent.message.slot != slot.name}
        self.tell(e.SlotSeen(slot))

    def down(self, name):
        del self.slots[name]
        self.out = {key: sent for key, sent in self.out.items() if sent.message.slot != name}
        self.tell(e.SlotGone(name))

    def lease(self, key):
        message = self.out[key].message
        slot = self.slots[message.slot]
        self.change(key, state="LEASED", incarnation=slot.incarnation)

    def mute(self, key):
        """Do a step whose event gets lost."""
        told, self.tell = self.tell, lambda event: None
        self.done(key)
        self.tell = told

    def done(self, key):
        name, step = key
        if step == "execute" and self.differs(name):
            self.fail(key, ExecutionDiffers("segment 0"))
            return
        sent = self.out.pop(key)
        if step == "execute":
            for index in range(self.counts[name]):
                self.segment(name, index, sent.message.attempt)
            for index in range(self.keccaks.get(name, 0)):
                self.keccak(name, index, sent.message.attempt)
            self.change(key, state="DONE")
            record = self.executed(name)
            self.keep(name, executed=record)
            self.tell(e.Executed(name, sent.message.attempt, record))
        else:
            guest = self.guest(name) if name in self.did else None  # of a set, before it runs
            output = self.proofs.make(sent.message, guest)
            record = self.change(key, state="REPORTED", ref=output)
            self.tell(e.StepReported(name, step, record))

    def segment(self, name, index, attempt=1, **how):
        if not self.sessions[name].segments:
            self.did[name] = self.does.get(name, 1)
        record = segment(index, execution=self.did[name], **how)
        segments = self.sessions[name].segments | {index: record}
        self.keep(name, segments=segments)
        self.tell(e.SegmentFound(name, attempt, index, record))

    def part(self, key):
        """Let an execution come to its first segment."""
        name, step = key
        if step == "execute" and not self.differs(name):
            self.segment(name, 0, self.out[key].message.attempt)

    def otherwise(self, key):
        """Let the guest do something else when it is executed again."""
        self.does[key[0]] = self.does.get(key[0], 1) + 1

    def differs(self, name):
        return self.sessions[name].segments and self.did[name] != self.does.get(name, 1)

    def keccak(self, name, index, attempt=1):
        keccaks = self.sessions[name].keccaks | {index: keccak(index)}
        self.keep(name, keccaks=keccaks)
        self.tell(e.KeccakFound(name, attempt, index, keccak(index)))

    def executed(self, name):
        given = self.receipts.get(name, ())
        return executed(self.counts[name], self.keccaks.get(name, 0), given)

    def guest(self, name):
        """Return what the last execution of a session has made, or will have."""
        relied = tuple(one.ref for one in self.executed(name).assumptions)
        return Guest(self.did[name], self.counts[name], self.keccaks.get(name, 0), relied)

    def lose(self, key):
        sent = self.out.pop(key)
        self.tell(e.StepLost(*key, sent.message.attempt, leased=True))

    def fail(self, key, error=None):
        self.out.pop(key)
        error = error or HostDied(key[1], "signal SIGKILL", "")
        facts = msgspec.json.encode(error.facts).decode()
        record = self.change(key, state="FAILED", code=error.code, facts=facts)
        self.tell(e.StepReported(*key, record))

    def verify(self, *, ok=True, error=None):
        asked = self.verifying.pop(0)
        at = (asked.session, asked.step, asked.attempt)
        self.tell(e.Verified(*at, asked.ref) if ok else e.Refused(*at, error))

    def finalize(self, error=None):
        asked = self.finalizing.pop(0)
        self.tell(e.Finalized(asked.session, "" if error else ref("receipt"), error))

    def change(self, key, **what):
        name, step = key
        record = msgspec.structs.replace(self.sessions[name].steps[step], **what)
        self.keep(name, steps=self.sessions[name].steps | {step: record})
        return record

    def keep(self, name, **what):
        self.sessions[name] = msgspec.structs.replace(self.sessions[name], **what)

    def settle(self):
        """Do all that is to be done, and all that follows from it."""
        while self.step():
            pass

    def step(self):
        """Do the next thing that is to be done; return whether there was one."""
        if self.verifying:
            self.verify()
        elif self.finalizing:
            self.finalize()
        elif self.out:
            self.done(next(iter(self.out)))
        else:
            return False
        return True

    # What the scheduler says.

    def on_send(self, sent):
        message = sent.message
        key = (message.session, message.step)
        assert key not in self.out, f"{key} is under way already"
        assert message.slot in self.slots
        before = self.sessions[message.session].steps.get(message.step)
        assert message.attempt == (before.attempt if before else 0) + 1
        if message.kind == "prove":
            index = int(message.step.partition(":")[2].partition("-")[0])
            record = self.sessions[message.session].segments[index]
            assert message.args["claim"] == record.claim.digest()
        self.out[key] = sent
        self.sent.append(sent)
        steps = self.sessions[message.session].steps | {message.step: sent.record}
        self.keep(message.session, steps=steps)

    def on_verify(self, asked):
        self.verifying.append(asked)

    def on_bind(self, bind):
        key = (bind.session, bind.step)
        self.change(key, state="DONE")
        nodes = self.sessions[bind.session].nodes
        self.keep(bind.session, nodes={bind.step: bind.ref} | nodes)

    def on_giveup(self, lost):
        assert self.sessions[lost.session].steps[lost.step].attempt == lost.attempt
        self.change((lost.session, lost.step), state="GONE", tries=lost.tries)

    def on_unbind(self, unbind):
        nodes = dict(self.sessions[unbind.session].nodes)
        del nodes[unbind.step]
        self.keep(unbind.session, nodes=nodes)
        self.change((unbind.session, unbind.step), state="GONE")

    def on_discard(self, discard):
        facts = self.sessions[discard.session]
        self.keep(facts.name, segments={}, keccaks={}, nodes={}, executed=None)
        for step in facts.steps:
            self.change((facts.name, step), state="GONE")
        self.out = {key: sent for key, sent in self.out.items() if key[0] != facts.name}

    def on_finalize(self, asked):
        self.finalizing.append(asked)
        self.proofs.check(asked, self.guest(asked.session))

    def on_commit(self, asked):
        self.finalizing.append(asked)

    def on_close(self, close):
        self.closed[close.session] = close
        del self.sessions[close.session]
        self.out = {key: sent for key, sent in self.out.items() if key[0] != close.session}

    def on_finish(self, finish):
        assert finish.job not in self.ended, "a job has one end"
        self.ended[finish.job] = finish
        if finish.state is State.TIMED_OUT:
            left = [job for job in self.sessions[finish.session].waiters if job.id != finish.job]
            self.keep(finish.session, waiters=left)

    def on_reattach(self, reattach):
        self.reattached = reattach

    def on_progress(self, progress):
        assert progress.jobs

    def on_strike(self, strike):
        self.struck = strike

    def check(self):
        first = {}
        for sent in self.out.values():
            first.setdefault(sent.message.slot, []).append(sent)
        for name, work in first.items():
            lanes = self.slots[name].lanes if name.startswith("execute") else 1 + DEEPEST
            assert len(work) <= lanes, "a slot has more than its credit"
        proving = [work[0].message for work in first.values() if work[0].message.kind != "execute"]
        cores = [core for message in proving for core in message.args["cores"]]
        assert len(cores) == len(set(cores)), "a core works on one step"
        assert all(message.width == max(1, len(message.args["cores"])) for message in proving)


def small_farm():
    """Return a world of two proving slots and one that executes."""
    world = World()
    for number in range(2):
        world.up(slot(number))
    world.up(slot(0, kind="execute"))
    return world
