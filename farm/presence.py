"""Say that a slot is there, beat by beat, through outages of the ledger."""

import threading
from collections.abc import Callable

import structlog

from farm.errors import FarmError

log = structlog.get_logger()


class Presence:
    """A thread that announces a slot and then beats; `beat` returns whether the slot is known."""

    def __init__(
        self,
        up: Callable[[], object],
        beat: Callable[[], bool],
        down: Callable[[], object],
        seconds: float,
    ) -> None:
        self._up, self._beat, self._down, self._seconds = up, beat, down, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Announce the slot, now or as soon as the ledger is there; a second call is ignored."""
        if not self._thread.ident:
            self._thread.start()

    def stop(self) -> None:
        """Take the slot away, so that its steps need not wait for missed beats."""
        self._stop.set()
        if self._thread.ident:
            self._thread.join()
            self._quietly(self._down)

    def _run(self) -> None:
        known = bool(self._quietly(self._announce))
        while not self._stop.wait(self._seconds):
            found = self._quietly(self._beat if known else self._announce)
            if found is None:
                continue  # not heard: what the ledger knows of us is not changed by that
            # Forgotten: the ledger took us for dead, or is a new one.
            known = bool(found) or bool(self._quietly(self._announce))

    def _announce(self) -> bool:
        self._up()
        return True

    def _quietly(self, call: Callable[[], object]) -> object | None:
        try:
            return call()
        except FarmError as error:
            log.warning("slot not announced", error=str(error))
        except Exception:
            log.exception("slot not announced")
        return None
