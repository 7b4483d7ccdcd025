"""Messages: what is sent is what is read, and another version or shape is refused."""

import msgspec
import pytest

from farm.errors import BadInput
from farm.wire import StepMessage, chunk_messages, step_message, together

MESSAGE = StepMessage(
    session="s",
    job="j12",
    step="prove:3-4",
    kind="prove",
    attempt=2,
    slot="risc0-box-0",
    width=2,
    inputs=["ab" * 32 + "-5"],
    args={"claim": "22" * 32},
    limit_s=60.0,
)


def test_a_message_survives_the_way():
    assert step_message(MESSAGE.kwargs()) == MESSAGE


def test_a_message_reads_as_its_step():
    assert str(MESSAGE) == "job j12 prove 3-4 width 2"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"v": 2}, "version 2, this worker reads 1"),
        ({"attempt": "two"}, "Expected `int`"),
        ({"extra": 1}, "unknown field `extra`"),
    ],
)
def test_what_this_worker_cannot_read_is_refused(change, text):
    with pytest.raises(BadInput, match=text):
        step_message(MESSAGE.kwargs() | change)


def test_a_message_without_a_field_is_refused():
    kwargs = MESSAGE.kwargs()
    del kwargs["session"]
    with pytest.raises(BadInput, match="missing required field `session`"):
        step_message(kwargs)


def test_chunks_of_a_trace_message_survive_the_way():
    other = msgspec.structs.replace(MESSAGE, session="t")
    kwargs = together([MESSAGE.kwargs(), other.kwargs()])
    assert chunk_messages(kwargs) == [MESSAGE, other]
    assert chunk_messages(MESSAGE.kwargs()) == [MESSAGE]


@pytest.mark.parametrize("change", [{"v": 2}, {"chunks": "all"}, {"chunks": [1]}, {"chunks": [{}]}])
def test_chunks_that_cannot_be_read_are_refused(change):
    with pytest.raises(BadInput):
        chunk_messages(together([MESSAGE.kwargs()]) | change)
