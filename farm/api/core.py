"""What all requests share: the farm's connections, the gate, and calls made in one go."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from farm.api.gate import Gate
from farm.api.orders import Intake, Order
from farm.api.together import Together
from farm.api.urls import Urls
from farm.api.watch import Watch
from farm.apikey import ApiKey
from farm.audit import Audit
from farm.blobs import DirectoryBlobs
from farm.client import Farm
from farm.keyring import Keyring
from farm.ledger import Ledger
from farm.polls import Seen, look
from farm.quota import Pacer
from farm.settings import Settings

#: Calls to the ledger, the disk and hosts that go on side by side.
THREADS = 32
#: Requests without a key that are noted a second: nobody fills the disk by asking.
STRANGERS = 10.0
#: Tenants whose connections are kept.
TENANTS = 256


class Api:
    """The parts of one API server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="farm-api")
        # A batch of traces is asked after by its id: it has to be one of the ledger's.
        self.own = Farm(settings=settings.model_copy(update={"trace_cache": "off"}))
        self.ledger = Ledger(self.own.ledger.client, self.own.ledger.where)
        self.blobs: DirectoryBlobs = self.own.blobs
        self.urls = Urls(settings)
        self.audit = Audit.of(settings)
        self.gate = Gate(Together(self._keys, self.pool).ask, settings.quotas)
        self.watch = Watch(self.ledger, self.pool)
        #: Streams of events that are open, by key.
        self.streams: Counter[str] = Counter()
        #: Bodies that were whole when their files were of this time.
        self.looked_at: dict[str, int] = {}
        #: How often it is noted that somebody without a key was refused.
        self.strangers = Pacer(STRANGERS)
        self._farms: dict[str, Farm] = {}
        self._looks = Together(self._look, self.pool)
        self.intake = Intake(settings, self.ledger, self.blobs)
        self._submissions = Together(self.intake, self.pool)

    async def look(self, namespace: str, id: str) -> Seen:
        """Return a job of this tenant; raises UnknownJob."""
        return await self._looks.ask((namespace, id))

    async def submit(self, order: Order) -> str:
        """Return the id of the job, which is durable by then; raises why it is not accepted."""
        return await self._submissions.ask(order)

    def farm(self, namespace: str) -> Farm:
        """Return the farm as a tenant sees it."""
        if namespace not in self._farms:
            if len(self._farms) >= TENANTS:
                self._farms.pop(next(iter(self._farms))).close()
            self._farms[namespace] = self.own.of(namespace)
            self._farms[namespace].quota = self.gate.quota(namespace)
        return self._farms[namespace]

    def close(self) -> None:
        """Let go of connections and threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for farm in [self.own, *self._farms.values()]:
            farm.close()
        self.audit.close()

    def _keys(self, secrets: Sequence[str]) -> list[ApiKey | None]:
        return Keyring(self.ledger).find(secrets)

    def _look(self, asked: Sequence[tuple[str, str]]) -> list[Seen | Exception]:
        return [*look(self.ledger, asked)]
