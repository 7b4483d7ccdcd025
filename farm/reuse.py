"""Prove no trace twice: take from a cache what it has, prove the rest, put both in order.

`Reuse` stands before whatever proves: a function, or a farm that is sent a batch and waited for.
Where the cache does not pay (farm/worth.py says), batches pass untouched. Where it does, equal
rows of a batch are proved once, and what another batch is proving is waited for instead.
"""

import time
from collections.abc import Callable

from farm.cache import Stats
from farm.columns import Inputs, Outputs
from farm.flight import Once, Wait
from farm.holding import Holding, Store
from farm.partial import Partial, Submit
from farm.rows import picked, states
from farm.worth import SAMPLE, Use, Worth

#: Says what proving so many rows with so many states together costs, in seconds.
Price = Callable[[str, int, int], float]


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

    def prove(self, inputs: Inputs, prove: Callable[[Inputs], Outputs]) -> Outputs:
        """Return the proofs of a batch, made by `prove` where they are not held."""
        return self.start(inputs, lambda missing: lambda timeout: prove(missing))(None)

    def start(self, inputs: Inputs, submit: Submit) -> Wait:
        """Send what is missing on its way by `submit`; return how to wait for all rows."""
        cost = self._price(inputs.program, len(inputs), states(inputs)) if self._price else 0.0
        use = self.worth.choose(len(inputs), cost) if self.worth else Use.ALL
        return self.use(use, inputs, submit, cost)

    def use(self, use: Use, inputs: Inputs, submit: Submit, cost: float) -> Wait:
        """Do as `start` does, with a decision that was made: `inputs` cost so many seconds."""
        if use is Use.NONE or not len(inputs):
            self._holding.count(0, len(inputs))
            return submit(inputs)
        if use is Use.SAMPLE and self.worth:
            return Once(self._sampled(self.worth, inputs, submit, cost))
        return Once(Partial(self._holding, inputs, submit, cost).wait)

    def stats(self) -> Stats:
        """Return what it did so far; a row that was not looked up counts as a miss."""
        return self._holding.stats()

    def _sampled(self, worth: Worth, inputs: Inputs, submit: Submit, cost: float) -> Wait:
        """Prove the whole batch, while some of its rows tell whether the cache would pay."""
        store, clock = self._holding.store, self._holding.clock
        wait, began = submit(inputs), clock()
        chosen = store.keyer.sample(inputs, SAMPLE)
        sampled = clock()
        found = store.look(inputs.pick(chosen))
        firsts, _ = found.keys.different()
        looked = clock()

        def finish(timeout: float | None) -> Outputs:
            done, landed = wait(timeout), clock()
            fresh = picked(done, chosen[found.rows[firsts]])
            store.keep(found.keys[firsts], fresh, found.version)
            kept = clock()
            spent = looked - began + kept - landed
            worth.look.observe(len(chosen), looked - sampled)
            worth.keep.observe(len(firsts), kept - landed)
            worth.probe.observe(len(inputs), spent)
            worth.earn(cost)
            hits = len(found.outputs) + len(found.keys) - len(firsts)
            worth.settle(Use.SAMPLE, len(chosen), hits, 0.0, spent)
            self._holding.count(0, len(inputs), -spent)
            return done

        return finish
