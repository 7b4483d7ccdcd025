"""The commands that look after jobs: ls, cancel, rm."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from farm import cli_print
from farm.errors import BadInput, FarmError
from farm.job import State

if TYPE_CHECKING:
    from farm.client import Farm
    from farm.listing import Listed

app = typer.Typer()

Jobs = Annotated[list[str], typer.Argument(help="Ids of jobs or batches.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

HEADINGS = ("job", "state", "segments", "age", "kind", "tenant", "error", "")


@app.command("ls")
def list_jobs(
    state: Annotated[
        list[str] | None, typer.Option(help="Only those in this state; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many lines.")] = 20,
    all_tenants: Annotated[bool, typer.Option(help="Those of other namespaces, too.")] = False,
    json: Json = False,
) -> None:
    """List the newest jobs and trace batches: where each is, how far, and what went wrong."""
    from farm.listing import listed

    states = [_state(one) for one in state or ()]
    with _farm() as farm:
        if all_tenants:
            farm.ledger.namespace = ""
        found = listed(farm.ledger, states, limit)
    lines = cli_print.columns(HEADINGS, [_cells(one) for one in found]) if found else ["no jobs"]
    cli_print.data(msgspec.to_builtins(found), "\n".join(lines), json=json)


@app.command()
def cancel(jobs: Jobs, json: Json = False) -> None:
    """Cancel JOBS; others that wait for the same proof keep it."""
    with _farm() as farm:
        _each(jobs, lambda id: _cancelled(farm, id), json=json)


@app.command("rm")
def remove(jobs: Jobs, json: Json = False) -> None:
    """Forget JOBS that have ended: record, receipt, nodes. Blobs nobody needs go with a sweep."""
    from farm import removal

    def forget(farm: "Farm", id: str) -> tuple[dict[str, object], str]:
        if id.startswith("b"):
            removal.batch(farm.ledger, farm.scratch, id)
        else:
            removal.job(farm.ledger, id)
        return {"job": id, "removed": True}, f"{id} is removed"

    with _farm() as farm:
        _each(jobs, lambda id: forget(farm, id), json=json)


def _each(
    jobs: Sequence[str], do: Callable[[str], tuple[dict[str, object], str]], *, json: bool
) -> None:
    """Do it with each job; one that is refused is said, and the others are done."""
    facts, refused = [], False
    for id in jobs:
        try:
            fact, line = do(id)
        except FarmError as error:
            if len(jobs) == 1:
                raise
            fact, line, refused = {"job": id, "error": str(error)}, "", True
            typer.echo(f"farm: {error}", err=True)
        facts.append(fact)
        if line and not json:
            typer.echo(line)
    if json:
        cli_print.data(facts[0] if len(jobs) == 1 else facts, "", json=True)
    if refused:
        raise typer.Exit(1)


def _cancelled(farm: "Farm", id: str) -> tuple[dict[str, object], str]:
    from farm import parcels

    if id.startswith("b"):
        done = farm.ledger.trace_cancel(id)
        view = farm.ledger.trace_view(id)
        state = view.state
        if state is State.ABORTED:
            parcels.clear(view, farm.ledger, farm.scratch)
    else:
        done = farm.job(id).cancel()
        state = State.ABORTED if done else farm.job(id).status().state
    # Asked again, because the first answer got lost, say: it is cancelled, as was wished.
    done = done or state is State.ABORTED
    how = state.lower().replace("_", " ")
    line = f"{id} is cancelled" if done else f"{id} had ended already: {how}"
    return {"job": id, "cancelled": done}, line


def _state(text: str) -> State:
    try:
        return State(text.upper().replace("-", "_"))
    except ValueError:
        known = ", ".join(state.lower() for state in State)
        raise BadInput(f"state {text!r} is not one of {known}") from None


def _cells(one: "Listed") -> tuple[str, ...]:
    segments = str(one.segments or "")
    age = cli_print.ago(one.created).removesuffix(" ago")
    text = " ".join(one.text.split())  # a guest's panic may have lines of its own
    return one.id, one.state.lower(), segments, age, one.kind, one.tenant, one.code, text


def _farm() -> "Farm":
    # Loading it takes longer than most other commands.
    from farm.client import Farm

    return Farm()
