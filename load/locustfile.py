"""What Locust loads: the users, and where this process keeps what it has measured.

    locust -f load/locustfile.py [BatchUser] [SingleUser] [Risc0User] [--headless -u 10 -t 30s]

Without names all three run, by weight. The farm is the one that FARM_* variables name.
"""

from pathlib import Path
from typing import Any, TextIO

from locust import events
from users import BatchUser, Risc0User, SingleUser, tally

__all__ = ["BatchUser", "Risc0User", "SingleUser"]

#: Proofs in a batch of a BatchUser: two messages.
ROWS = 32_768

_records: list[TextIO] = []


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    parser.add_argument("--rows", type=int, default=ROWS, help="proofs in one batch")
    parser.add_argument("--records", default="", help="folder for what is measured here")


@events.test_start.add_listener
def _open(environment: Any, **_: Any) -> None:
    if folder := environment.parsed_options.records:
        _records[:] = [(Path(folder) / "requests.csv").open("w")]
        print("ended,seconds,proofs,kind,failed", file=_records[0], flush=True)


@events.request.add_listener
def _record(
    request_type: str,
    response_time: float,
    response_length: int,
    exception: Exception | None,
    start_time: float,
    **_: Any,
) -> None:
    if _records:
        seconds = response_time / 1000
        line = f"{start_time + seconds:.6f},{seconds:.6f},{response_length},{request_type}"
        print(f"{line},{int(exception is not None)}", file=_records[0])


@events.quitting.add_listener
def _close(environment: Any, **_: Any) -> None:
    if folder := environment.parsed_options.records:
        for file in _records:
            file.close()
        tally.write(Path(folder) / "tally.json")
    if not tally.clean:
        environment.process_exit_code = 1
