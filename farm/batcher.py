"""Hand in the jobs that carry others: their input is the list of all inputs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from farm import batched
from farm.blobs import DirectoryBlobs
from farm.errors import FarmError
from farm.events import Event, Uncarried
from farm.instructions import Carry
from farm.job import JobSpec, new_id, new_seed
from farm.ledger import Ledger
from farm.server import Server
from farm.settings import Settings

log = structlog.get_logger()

#: Most cycles that a limit can name; and more jobs than are ever open, for this one brings no work.
MOST = (1 << 63) - 1


class Batcher:
    """One thread: it waits for the disk and the ledger, and the scheduler does not."""

    def __init__(self, settings: Settings, server: Server, report: Callable[[Event], None]) -> None:
        self._ledger = Ledger(server.client, server.where)
        self._blobs = DirectoryBlobs(settings.state / "blobs")
        self._report = report
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batcher")

    def ask(self, asked: Carry) -> None:
        """Hand a job in some time later; the ledger tells of it. Reports Uncarried if it cannot."""
        self._thread.submit(self._carry, asked)

    def close(self) -> None:
        """Drop what has not begun."""
        self._thread.shutdown(cancel_futures=True)

    def _carry(self, asked: Carry) -> None:
        try:
            job = self._submit(asked)
            log.info("carried together", jobs=len(asked.sessions), by=job)
        except FarmError as error:
            self._report(Uncarried(asked.sessions, error))
        except Exception as error:
            log.exception("batcher failed")
            self._report(Uncarried(asked.sessions, FarmError(f"batcher: {error!r}")))

    def _submit(self, asked: Carry) -> str:
        specs = asked.specs
        body = batched.stdin([self._blobs.get(spec.input) for spec in specs])
        made = JobSpec(
            id=new_id(),
            seed=new_seed(),
            input=self._blobs.put(body),
            inputs=[spec.input for spec in specs],
            carries=[*asked.sessions],
            priority=max(spec.priority for spec in specs),
            cycle_limit=min(MOST, sum(spec.cycle_limit for spec in specs)),
            input_limit=max(len(body), *(spec.input_limit for spec in specs)),
            **{name: getattr(specs[0], name) for name in _SHARED},
        )
        return self._ledger.submit(made, cap=MOST).job


#: What all have in common.
_SHARED = ("namespace", "kind", "receipt", "image_id", "program", "po2")
