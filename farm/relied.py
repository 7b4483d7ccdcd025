"""Say what a guest may rely on: receipts that were given, and those that other jobs will make.

Pure. A job that relies on others is not executed before these have SUCCEEDED.
"""

from collections.abc import Iterable, Mapping

from farm import open_sets
from farm.job import JobSpec, JobView, State
from farm.session import Relied


def is_job(name: str) -> bool:
    """Return whether an assumption is named by a job, not by a receipt's reference."""
    return "-" not in name


def relied(view: JobView | None, namespace: str) -> Relied:
    """Return what a job gives to one of this namespace that relies on it."""
    there = view is not None and namespace in (view.spec.namespace, _shared(view.spec))
    if not view or not there:
        return Relied(None)
    return Relied(view.state, view.receipt, batch_journal(view.stats) or view.journal)


def batch_journal(stats: Mapping[str, object]) -> str:
    """Return the journal of the receipt that a job shares with others, "" for one of its own."""
    place = stats.get("batch")
    return str(place["journal"]) if isinstance(place, dict) else ""


def _shared(spec: JobSpec) -> str:
    """Return the namespace of the set that a job joins, if tenants share that."""
    return open_sets.home(spec.namespace, spec.aggregate)


class Given:
    """What the guest of one session may rely on, in the order of the request."""

    def __init__(self, assumptions: Iterable[str]) -> None:
        self._known = {
            name: Relied(None) if is_job(name) else Relied(State.SUCCEEDED, name)
            for name in assumptions
        }

    @property
    def awaited(self) -> list[str]:
        """The jobs that have still to succeed."""
        return [name for name, one in self._known.items() if one.state is not State.SUCCEEDED]

    @property
    def receipts(self) -> list[str]:
        """The references of receipts."""
        return [one.receipt for one in self._known.values() if one.receipt]

    def note(self, found: Mapping[str, Relied]) -> None:
        """Note how the jobs are that it relies on; a job that is not there is ABORTED."""
        for name in self._known.keys() & found.keys():
            if self._known[name].receipt:  # it has given what it had to give
                continue
            gone = found[name].state is None
            self._known[name] = Relied(State.ABORTED) if gone else found[name]

    def lost(self) -> str:
        """Return the first job that gives nothing any more, in words; "" for none."""
        for name, one in self._known.items():
            if one.state and one.state.ended and one.state is not State.SUCCEEDED:
                return f"job {name}, which this one relies on, is {one.state}"
            if one.state is State.SUCCEEDED and not one.receipt:
                return f"job {name}, which this one relies on, has its receipt no more"
        return ""
