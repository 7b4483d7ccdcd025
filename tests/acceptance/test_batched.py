"""Batched guests do for each input what the single ones do; the real executor runs them."""

from hashlib import sha256

import pytest
from goldens import BLOBS

from farm import batched, packed, u32, u64, words
from farm.errors import GuestPanicked
from farm.host import HostChild

INPUTS = {
    "fibonacci": [words(u64(n), u64(n + 1), u32(10 + n)) for n in range(50)],
    "sha256": [words(packed(bytes(n))) for n in range(50)],
}


@pytest.fixture(scope="module")
def child(host):
    child = HostChild(host)
    yield child
    child.close()


def execute(child, guest, stdin):
    parts = [(BLOBS / f"{guest}.bin").read_bytes(), stdin]
    return child.request("execute", {"po2": 20, "proved": False}, parts)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
@pytest.mark.parametrize("guest", ["fibonacci", "sha256"])
def test_each_output_is_that_of_the_single_guest(child, guest, count):
    inputs = INPUTS[guest][:count]
    singles = [bytes(execute(child, guest, one).parts[0]) for one in inputs]
    answer = execute(child, f"{guest}-batch", batched.stdin(inputs))
    assert answer.parts[0] == batched.journal([*zip(inputs, singles, strict=True)])
    digests = [sha256(one).hexdigest() for one in inputs]
    assert [one.digest for one in batched.outputs(bytes(answer.parts[0]))] == digests


@pytest.mark.parametrize("bad", [b"", b"four", INPUTS["fibonacci"][0][:-1]])
def test_one_bad_input_stops_all(child, bad):
    with pytest.raises(GuestPanicked):
        execute(child, "fibonacci-batch", batched.stdin([INPUTS["fibonacci"][0], bad]))


def test_fifty_together_take_a_small_part_of_the_rows_that_they_take_alone(child):
    inputs = INPUTS["fibonacci"]
    alone = sum(execute(child, "fibonacci", one).done["cycles"]["total"] for one in inputs)
    together = execute(child, "fibonacci-batch", batched.stdin(inputs)).done["cycles"]["total"]
    assert together * 10 <= alone
