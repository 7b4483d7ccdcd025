"""What a farm says of itself: the status other processes read, and lines for the operator."""

import os
from collections import Counter
from collections.abc import Callable, Sequence

from farm import flower, logs, running
from farm.child import Child, State
from farm.errors import StoreFailed
from farm.settings import Settings

#: Takes one line for the operator.
Say = Callable[[str], None]


class Report:
    """Publishes the state of the children and says each piece of news once."""

    def __init__(self, settings: Settings, notes: Sequence[str], say: Say) -> None:
        self._settings, self._notes, self._say = settings, list(notes), say
        self._told = False
        #: Set once the children are known.
        self.children: Sequence[Child] = ()

    def __call__(self, ready: bool, news: str) -> None:
        """Publish the status; say the news, and the summary once everything is up."""
        try:
            running.publish(self._settings.state, self.status(ready))
        except StoreFailed as error:  # a full disk is no reason to stop working
            self._say(str(error))
        if news:
            self._say(news)
        if ready and not self._told:
            self._told = True
            for line in summary(self._settings, self.status(ready)):
                self._say(line)

    def status(self, ready: bool) -> running.Status:
        """Return what other processes may know."""
        on = self._settings.flower
        return running.Status(
            pid=os.getpid(),
            ready=ready,
            processes=[
                running.ProcessStatus(c.process.name, c.pid, c.restarts, c.state)
                for c in self.children
            ],
            flower=flower.url(self._settings) if on else "",
            flower_password=str(flower.password_file(self._settings)) if on else "",
            api=_api(self._settings) if self._settings.api else "",
            notes=self._notes + [_refusal(c) for c in self.children if c.state is State.REFUSED],
        )


def summary(settings: Settings, status: running.Status) -> list[str]:
    """Return the lines of a farm that is up."""
    workers = [one.name for one in status.processes if one.pid and one.name[-1].isdigit()]
    kinds = Counter(name.rpartition("-")[0] for name in workers)
    lines = [
        f"the farm is up in {settings.state} (process {status.pid})",
        "workers: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
    ]
    if status.flower:
        password = f"password in {status.flower_password}"
        lines.append(f"Flower: {status.flower} (user {flower.USER}, {password})")
    if status.api:
        lines.append(f"API: {status.api} (`farm key add` makes a key)")
    return lines + status.notes


def _api(settings: Settings) -> str:
    scheme = "https" if settings.api_certificate else "http"
    address = settings.api_address
    host = f"[{address}]" if ":" in address else address
    return settings.api_url or f"{scheme}://{host}:{settings.api_port}"


def _refusal(child: Child) -> str:
    return f"{child.process.name} is off: {logs.last_line(child.log)}"
