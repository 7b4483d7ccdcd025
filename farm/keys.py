"""Name every key of the ledger: what it holds, who writes it, how long it lives.

key                  type    holds                                           written by lives
farm:epoch           string  number of the scheduler in charge               scheduler  always
farm:scheduler       string  who holds the epoch                             scheduler  its lease
farm:seq             string  counter: which job is older                     client     always
farm:events          stream  what the scheduler has not handled yet          all        handled
farm:outbox          list    messages to give to Celery (JSON)               scheduler  until sent
farm:taken           string  "<epoch> <n>": who took messages out last       scheduler  always
farm:open            set     ids of jobs that have not ended                 all        until ended
farm:sessions        set     names of sessions that are running              all        until ended
farm:batches         set     ids of trace batches that are running           client     until ended
farm:held            string  bytes that trace batches hold in scratch        all        always
farm:holders         zset    "<batch> <bytes>" by when they have expired     all        SCRATCH
farm:open_sets       zset    jobs that wait to be in a set, by when they did scheduler  closed
farm:closed          hash    job of a set -> its spec, until it is handed in scheduler  handed in
farm:guests          hash    image id -> Registered (JSON)                   client     always
farm:api_keys        hash    digest of an API key -> ApiKey (JSON)           client     always
farm:tenants         hash    open:, spent: or bytes:<ns> -> what it uses     all        always
farm:recent          list    ids of the newest jobs, newest first            client     RECENT
farm:slots           hash    slot -> Slot (JSON)                             worker     gone
farm:beats           hash    "slot:.." and "step:.." -> counter              worker     watched
farm:observations    stream  what steps have cost, not learned from yet      worker     OBSERVED
farm:models          hash    kind of step -> its cost model (JSON)          scheduler  always
farm:about           hash    its id, the blob store's id, the last sweep     all        always
farm:sweeper         string  whose turn it is to sweep                       sweeper    its turn
farm:job:<id>        hash    a job: state, spec, times, outcome              all        RETAINED
farm:changes:<id>    stream  what became of a job or batch, for who waits    all        KEPT
farm:key:<job key>   hash    running session or answer of equal jobs         all        RETAINED
farm:uploads:<ns>    hash    id -> Upload (JSON)                              client     deleted
farm:mine:<ns>       zset    ids of a tenant's jobs by when they came        client     RETAINED
farm:idem:<ns>:<key> string  id of the job a client's own key made           client     RETAINED
farm:session:<name>  hash    a session: state, spec, how execution ended     all        KEPT
farm:waiters:<name>  set     ids of the jobs that wait for a session         all        until ended
farm:segments:<name> hash    index -> segment, keccak:<index> -> request     worker     KEPT
farm:nodes:<name>    hash    step -> reference of its output, bound once     scheduler* KEPT
farm:steps:<name>    hash    step -> StepState (JSON)                        all        KEPT
farm:batch:<id>      hash    a trace batch; its chunks are steps and nodes   client     KEPT
farm:blob:<ref>      string  columns and results of trace (scratch server)   all        SCRATCH
farm:proof:<ns>:<k>  string  a trace proof that took long (scratch server)   client     PROOFS

KEPT and RETAINED count from the end of the thing. Batches of one client may share a stream of
changes: their ids are "<its name>.<number>". *The nodes of a trace batch are bound by its
workers. All but blobs and proofs is changed by the functions of farm/lua alone. Other bodies
are never here: a reference names a blob of the store. The sweep (retention.py) keeps every blob
that a hash names in whatever field, a job's for as long as the job, any other hash's
`farm:<kind>:<name>` for as long as the session <name>; and by the settings keep_* it lets go
before RETAINED and KEPT are over, or later. An empty proof notes
that its trace was asked for.
"""

#: Seconds that a finished job, and the answer of its key, can be asked for.
RETAINED = 30 * 24 * 3600
#: Seconds that the inner life of what has ended stays to be looked at.
KEPT = 24 * 3600
#: Seconds that what nobody fetches stays in the scratch server.
SCRATCH = 3600
#: Seconds that a trace proof can be used again by other processes.
PROOFS = 3600
#: How many of the newest jobs a listing can show.
RECENT = 1000
#: About how many batches of observations wait for a scheduler; older ones make room.
OBSERVED = 1000

EPOCH = "farm:epoch"
SCHEDULER = "farm:scheduler"
SEQ = "farm:seq"
EVENTS = "farm:events"
OUTBOX = "farm:outbox"
TAKEN = "farm:taken"
OPEN = "farm:open"
SESSIONS = "farm:sessions"
BATCHES = "farm:batches"
HELD = "farm:held"
HOLDERS = "farm:holders"
GUESTS = "farm:guests"
API_KEYS = "farm:api_keys"
TENANTS = "farm:tenants"
OPEN_SETS = "farm:open_sets"
CLOSED = "farm:closed"
RECENT_JOBS = "farm:recent"
SLOTS = "farm:slots"
BEATS = "farm:beats"
OBSERVATIONS = "farm:observations"
MODELS = "farm:models"
ABOUT = "farm:about"
SWEEPER = "farm:sweeper"


def blob(ref: str) -> str:
    """Return the key of a body in the scratch server."""
    return f"farm:blob:{ref}"


def proof(namespace: str, key: str) -> str:
    """Return the key of a trace proof in the scratch server."""
    return f"farm:proof:{namespace}:{key}"


def job(id: str) -> str:
    """Return the key of a job."""
    return f"farm:job:{id}"


def changes(id: str) -> str:
    """Return the key of what is read by who waits; batches `a.1` and `a.2` share that of `a`."""
    return f"farm:changes:{id.partition('.')[0]}"


def answer(job_key: str) -> str:
    """Return the key of the answer, or the running session, of equal jobs."""
    return f"farm:key:{job_key}"


def idempotency(namespace: str, key: str) -> str:
    """Return the key of a client's own name for a job."""
    return f"farm:idem:{namespace}:{key}"


def uploads(namespace: str) -> str:
    """Return the key of what a tenant has uploaded."""
    return f"farm:uploads:{namespace}"


def mine(namespace: str) -> str:
    """Return the key of a tenant's jobs, by when they came."""
    return f"farm:mine:{namespace}"


def session(name: str) -> str:
    """Return the key of a session."""
    return f"farm:session:{name}"


def waiters(name: str) -> str:
    """Return the key of the jobs that wait for a session."""
    return f"farm:waiters:{name}"


def segments(name: str) -> str:
    """Return the key of what the execution of a session has recorded (JSON)."""
    return f"farm:segments:{name}"


def keccak(index: int | str) -> str:
    """Return the field of `farm:segments:<name>` of a keccak request."""
    return f"keccak:{index}"


def nodes(name: str) -> str:
    """Return the key of the outputs bound in a session or batch."""
    return f"farm:nodes:{name}"


def steps(name: str) -> str:
    """Return the key of the steps of a session or batch."""
    return f"farm:steps:{name}"


def batch(id: str) -> str:
    """Return the key of a trace batch."""
    return f"farm:batch:{id}"


def slot_beat(slot: str) -> str:
    """Return the field of `farm:beats` that a slot counts up."""
    return f"slot:{slot}"


def step_beat(session: str, step: str, attempt: int) -> str:
    """Return the field of `farm:beats` that a leased step counts up."""
    return f"step:{session}:{step}:{attempt}"


def parsed(key: str) -> tuple[str, str]:
    """Return kind and name of a key: job, j12 of farm:job:j12; the name may be empty."""
    _, kind, *name = key.split(":", 2)
    return kind, "".join(name)


def inner(name: str) -> list[str]:
    """Return the keys of a session's inner life, in the order the functions take them."""
    return [session(name), waiters(name), segments(name), nodes(name), steps(name)]


def home(name: str, step: str) -> str:
    """Return the key that says whether a step's session, or its trace batch, still runs."""
    return batch(name) if step.startswith("trace:") else session(name)
