"""A ledger in a dictionary with batched guests in it: jobs are carried, journals divided."""

from fake_ledger import World
from sessions import hexed, job, ref, session, spec

from farm import events as e


class BatchWorld(World):
    """Hands in the jobs that carry others, and divides journals, when it is told to."""

    def __init__(self, *args):
        self.carrying, self.dividing, self.carriers = [], [], []
        super().__init__(*args)

    def restart(self):
        self.carrying, self.dividing = [], []
        super().restart()

    def ask(self, number, **given):
        """Submit a job of the guest that takes a list."""
        wanted = spec(f"j{number}", input=ref(f"input {number}"), batch=True, **given)
        facts = session(wanted, job(wanted, number))
        self.sessions[facts.name], self.counts[facts.name] = facts, 1
        self.tell(e.SessionSeen(facts))
        return facts.name

    def wait(self, seconds=2.0):
        """Let time pass."""
        self.scheduler.floor.now += seconds
        self.compare()

    def carry(self, error=None):
        asked = self.carrying.pop(0)
        if error:
            self.tell(e.Uncarried(asked.sessions, error))
            return None
        inputs = [one.input for one in asked.specs]
        made = {"carries": [*asked.sessions], "inputs": inputs, "input": ref("list")}
        wanted = spec(f"c{len(self.carriers)}", **made)
        self.carriers.append(wanted)
        facts = session(wanted, job(wanted, 1000 + len(self.carriers)))
        self.sessions[facts.name], self.counts[facts.name] = facts, 1
        self.tell(e.SessionSeen(facts))
        return facts.name

    def divide(self, found=None):
        asked = self.dividing.pop(0)
        inputs = self.sessions[asked.session].spec.inputs
        outputs = tuple((one.partition("-")[0], ref(f"output of {one}")) for one in inputs)
        self.tell(e.Divided(asked.session, found or outputs))

    def step(self):
        if self.carrying:
            self.carry()
        elif self.dividing:
            self.divide()
        else:
            return super().step()
        return True

    def on_carry(self, asked):
        assert all(name in self.sessions for name in asked.sessions)
        self.carrying.append(asked)

    def on_divide(self, asked):
        self.dividing.append(asked)


def output(number):
    return ref(f"output of {ref(f'input {number}')}")


__all__ = ["BatchWorld", "hexed", "output"]
