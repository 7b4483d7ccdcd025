"""Prove no trace twice: take from a cache what it has, prove the rest, put both in order.

`Reuse` stands before whatever proves: a function, or a farm that is sent a batch and waited for.
Where the cache does not pay (farm/worth.py says), batches pass untouched. Where it does, equal
rows of a batch are proved once, and what another batch is proving is waited for instead.
"""

import time
from collections.abc import Callable

from farm.cache import Stats
from farm.columns import Inputs, Outputs
from farm.flight import Once, Sent
from farm.follow import Progress
from farm.holding import Holding, Store
from farm.partial import Partial, Submit
from farm.rows import states
from farm.worth import SAMPLE, Use, Worth

#: Says what proving so many rows with so many states together costs, in seconds.
Price = Callable[[str, int, int], float]
#: Proves a batch.
Prove = Callable[[Inputs], Outputs]


class Reuse:
    """A cache before a prover; safe to use from several threads.

    `worth` decides for each batch, by its cost as `price` has it; None uses the cache always.
    `clock` measures what the cache itself costs, in the same seconds.
    """

    def __init__(
        self,
        store: Store,
        worth: Worth | None = None,
        price: Price | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.worth, self._price = worth, price
        self._holding = Holding(store, worth, clock)

    def prove(self, inputs: Inputs, prove: Prove) -> Outputs:
        """Return the proofs of a batch, made by `prove` where they are not held."""
        return self.start(inputs, here(prove)).wait()

    def start(self, inputs: Inputs, submit: Submit) -> Sent:
        """Send what is missing on its way by `submit`; return how to wait for all rows.

        Where nothing is taken from the cache, that is what `submit` has returned.
        """
        cost = self._price(inputs.program, len(inputs), states(inputs)) if self._price else 0.0
        use = self.worth.choose(len(inputs), cost) if self.worth else Use.ALL
        return self.use(use, inputs, submit, cost)

    def use(self, use: Use, inputs: Inputs, submit: Submit, cost: float) -> Sent:
        """Do as `start` does, with a decision that was made: `inputs` cost so many seconds."""
        if use is Use.ALL and len(inputs):
            return Once(Partial(self._holding, inputs, submit, cost))
        sent, spent = submit(inputs), 0.0
        if use is Use.SAMPLE and self.worth and len(inputs):
            spent = self._sample(self.worth, inputs, cost)
        self._holding.count(0, len(inputs), -spent)
        return sent

    def stats(self) -> Stats:
        """Return what it did so far; a row that was not looked up counts as a miss."""
        return self._holding.stats()

    def _sample(self, worth: Worth, inputs: Inputs, cost: float) -> float:
        """See by some of the rows whether the cache would pay; return the seconds that took."""
        store, clock = self._holding.store, self._holding.clock
        began = clock()
        chosen = store.keyer.sample(inputs, SAMPLE)
        sampled = clock()
        found = store.look(inputs.pick(chosen))
        firsts, _ = found.keys.different()
        looked = clock()
        # Their proofs are for others to wait for: that they were asked for before says enough.
        known = store.noted(found.keys[firsts])
        spent = clock() - began
        worth.look.observe(len(chosen), looked - sampled)
        worth.probe.observe(len(inputs), spent)
        worth.earn(cost)
        hits = len(found.outputs) + len(found.keys) - len(firsts) + known
        worth.settle(Use.SAMPLE, len(chosen), hits, 0.0, spent)
        return spent


class _Here:
    """Proofs that are made where they are waited for."""

    def __init__(self, prove: Prove, inputs: Inputs) -> None:
        self._prove, self._inputs = prove, inputs

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        return self._prove(self._inputs)

    def cancel(self) -> bool:
        return False


def here(prove: Prove) -> Submit:
    """Return what sends batches to `prove`, in the thread that waits for them."""
    return lambda inputs: _Here(prove, inputs)
