"""Carry messages: the Celery app, its queues and what is set on both.

Celery is transport here, never the ledger. It may lose a message and may repeat one; the
scheduler sends again what nobody took, and a lease refuses what comes twice. So nothing is
acknowledged late, nothing is retried, and no result comes back this way.
"""

from typing import Any

from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from redis import RedisError

from farm import address
from farm.errors import LedgerDown
from farm.settings import ZKVM

#: The one queue that all trace workers share.
TRACE = "trace"

#: Which lane carries a kind of step. A lane of a slot is a queue of its own: a shared list would
#: hand one worker two steps while its neighbour idles.
LANES = {"execute": "execute", "prove": "prove", "keccak": "prove", "wrap": "wrap"}
LANES |= {"join": "fold", "resolve": "fold", "union": "fold"}

#: Which lanes a kind of worker consumes.
CONSUMED = {"risc0": ("prove", "fold", "wrap"), "execute": ("execute",)}

app = Celery("farm")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    event_serializer="json",
    result_backend=None,
    task_ignore_result=True,
    task_create_missing_queues=True,
    task_send_sent_event=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # A worker outlives its broker, however long that is away.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Flower deadlocks with fewer than it asks at once.
    broker_pool_limit=10,
    broker_transport_options={
        # The ledger knows what was not done: Celery's own bookkeeping costs three times the
        # message, and would repeat what takes longer than its patience.
        "ack_emulation": False,
        # Without these a half-open connection is waited on for ever.
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # A sender wants to know that the broker is away, not to wait inside the library.
        "max_retries": 1,
        "interval_start": 0.1,
        "interval_max": 0.1,
    },
)


def connect(broker_url: str) -> Celery:
    """Return the app, talking to this broker from now on."""
    spelled = broker_url.startswith("redis+socket:")
    app.conf.update(broker_url=broker_url if spelled else address.for_celery(broker_url))
    # Connections that were kept lead to the broker before.
    vars(app).pop("amqp", None)
    vars(app).update(_pool=None)
    return app


def queue_of(kind: str, slot: str) -> str:
    """Return the queue that carries steps of this kind to a slot."""
    return f"{LANES[kind]}@{ZKVM}.{slot}" if kind in LANES else TRACE


def queues_of(worker: str, slot: str) -> list[str]:
    """Return the queues that a worker of this kind consumes."""
    lanes = CONSUMED.get(worker)
    return [f"{lane}@{ZKVM}.{slot}" for lane in lanes] if lanes else [TRACE]


def send_step(
    app: Celery, queue: str, task: str, kwargs: dict[str, Any], repr: str, **how: Any
) -> None:
    """Hand a message to the broker; `repr` is what Flower shows of it, `how` as Celery takes it.

    Raises LedgerDown, within seconds, when the broker does not take it.
    """
    try:
        app.send_task(
            task,
            kwargs=kwargs,
            queue=queue,
            argsrepr="",
            kwargsrepr=repr,
            retry=False,
            ignore_result=True,
            **how,
        )
    except (OperationalError, KombuError, OSError) as error:
        raise LedgerDown(shown(app.conf.broker_url), error) from error


def length(app: Celery, queue: str) -> int:
    """Return how many messages wait in a queue; raises LedgerDown."""
    try:
        with app.pool.acquire(block=True) as acquired:
            connection: Any = acquired  # the types know the channels of AMQP alone
            return int(connection.default_channel.client.llen(queue))
    except (RedisError, OperationalError, KombuError, OSError) as error:
        raise LedgerDown(shown(app.conf.broker_url), error) from error


def shown(broker_url: str) -> str:
    """Return a broker's address without its password, for texts."""
    return address.shown(broker_url.replace("redis+socket:", "unix:"))
