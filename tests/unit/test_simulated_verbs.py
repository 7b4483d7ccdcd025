"""What simulated receipts carry, and what is refused of them: as the real host does."""

import pytest
from simulating import PROGRAM, ask, joined, prove, run, whole

from farm import simulated_receipts, verify
from farm.errors import (
    AssumptionMissing,
    BadInput,
    BadReceipt,
    CycleLimitReached,
    GuestPanicked,
    HostFailed,
    ImageMismatch,
    InputTooLarge,
    WrongClaim,
    WrongKind,
)
from farm.simulated_verbs import image_id

IMAGE = image_id(PROGRAM)


def test_a_session_ends_in_a_receipt_that_verifies():
    ran = run(segments=5)
    shown = ask("verify", whole(ran), form="receipt", image_id=IMAGE)
    assert (shown.done["kind"], shown.parts) == ("simulated", [ran.parts[0]])
    assert shown.done["digest"] == ran.done["digest"]
    assert len(ran.parts[0]) == 32


def test_a_simulated_receipt_is_never_one_of_risc0():
    with pytest.raises(WrongKind, match="of kind simulated, not risc0"):
        verify.verify(whole(run()), IMAGE)
    with pytest.raises(WrongKind, match="of kind trace, not simulated"):
        ask("verify", b"PFT1" + bytes(60))


def test_two_executions_give_segments_that_never_fit_together():
    one, other = run(segments=2, entropy="one"), run(segments=2, entropy="other")
    assert one.done["digest"] == other.done["digest"]
    with pytest.raises(HostFailed, match="join: the second receipt does not go on"):
        ask("join", prove(one.segments[0]), prove(other.segments[1]))


@pytest.mark.parametrize("pair", [(1, 0), (0, 2), (0, 0)])
def test_only_neighbours_are_joined(pair):
    proved = [prove(segment) for segment in run(segments=3).segments]
    with pytest.raises(HostFailed, match="host join"):
        ask("join", *(proved[at] for at in pair))


def test_a_claim_that_was_not_asked_for_is_refused_before_the_work():
    ran = run(segments=2)
    segment, wrong = ran.segments[0].parts[0], "ab" * 32
    for verb in ("preflight", "prove"):
        with pytest.raises(WrongClaim, match=f"not claim {wrong}"):
            ask(verb, segment, claim=wrong)
    with pytest.raises(WrongClaim, match=f"not claim {wrong}"):
        ask("verify", prove(ran.segments[0]), form="succinct", claim=wrong)


def test_a_receipt_of_another_program_or_journal_is_refused():
    ran = run(segments=2)
    with pytest.raises(WrongClaim, match=f"image {IMAGE}, not image"):
        ask("verify", whole(ran), image_id="11" * 32)
    with pytest.raises(WrongClaim, match="a good end with this journal"):
        ask("finalize", joined(ran), b"another journal", image_id=IMAGE)
    with pytest.raises(WrongClaim, match="a good end with this journal"):
        ask("finalize", prove(ran.segments[0]), ran.parts[0], image_id=IMAGE)


def test_bytes_that_were_cut_or_changed_are_no_receipt():
    good = whole(run())
    for bad in (good[:-1], good[:20], b"", good[:-2] + b"x" + good[-1:], b"risc0" * 20):
        with pytest.raises(BadReceipt):
            ask("verify", bad)
    with pytest.raises(BadReceipt, match="a simulated receipt is no segment"):
        ask("prove", good)


def test_a_file_counts_as_long_as_what_it_plays():
    segment = run().segments[0].parts[0]
    assert simulated_receipts.length(segment) == 4_000_000
    assert simulated_receipts.length(prove(run().segments[0])) == 223_000
    assert simulated_receipts.length(b"program") == 7


def test_a_preflight_is_done_once_and_used_once():
    (segment,), kept = run().segments[0].parts, set()
    assert ask("prove", segment, kept=kept).work.before == 0.3
    assert ask("preflight", segment, kept=kept).work == (0.3, 0, 0)
    assert ask("prove", segment, kept=kept).work.before == 0
    assert ask("prove", segment, kept=kept).work.before == 0.3


def test_a_guest_that_assumes_needs_the_receipt_and_is_conditional_until_resolved():
    inner = whole(run(journal=4, entropy="inner"))
    digest = ask("verify", inner).done["digest"]
    with pytest.raises(AssumptionMissing, match=digest):
        run(assumes=[digest])
    ran = run(segments=2, assumes=[digest], relied_on=[inner])
    root = joined(ran)
    with pytest.raises(WrongClaim):
        ask("finalize", root, ran.parts[0], image_id=IMAGE)
    with pytest.raises(HostFailed, match="does not assume"):
        ask("resolve", root, whole(run(journal=5)))
    (step,) = ran.done["assumptions"]
    resolved = ask("resolve", root, inner, claim=step["digest"]).parts[0]
    assert ask("verify", resolved, form="succinct").done["digest"] == ran.done["digest"]
    assert ask("finalize", resolved, ran.parts[0], image_id=IMAGE).done["kind"] == "simulated"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_keccak_requests_unite_into_what_the_guest_relies_on(count):
    from farm.session import Span
    from farm.shapes import KECCAKS

    ran = run(segments=2, keccaks=count)
    proved = [ask("prove-keccak", *one.parts, claim=one.facts["digest"]) for one in ran.requests]

    def united(span):
        if span.end - span.start == 1:
            return proved[span.start].parts[0]
        return ask("union", *(united(half) for half in KECCAKS.halves(span))).parts[0]

    (step,) = ran.done["assumptions"]
    root = united(Span(0, count))
    assert ask("verify", root, form="succinct").done["digest"] == step["claim"]
    resolved = ask("resolve", joined(ran), root).parts[0]
    assert ask("verify", resolved, form="succinct").done["digest"] == ran.done["digest"]


def test_what_a_verb_cannot_do_is_said():
    with pytest.raises(HostFailed, match="host wrap: not simulated"):
        ask("wrap", b"")


@pytest.mark.parametrize(
    ("cycles", "sizes"),
    [(1, [14]), (1 << 14, [14]), ((1 << 14) + 1, [16]), (1 << 18, [18]), ((1 << 18) + 1, [18, 14])],
)
def test_the_last_segment_is_as_small_as_it_can_be(cycles, sizes):
    ran = run(po2=18, cycles=cycles)
    assert [one.facts["po2"] for one in ran.segments] == sizes
    assert ran.done["cycles"]["user"] == cycles


def test_segments_take_as_long_as_the_profile_executes():
    assert run(segments=3).segments[2].seconds == pytest.approx((1 << 21) / 70.5e6)


def test_a_guest_of_which_nothing_is_proved_takes_its_time_and_passes_nothing_on():
    claim = "ab" * 32
    ran = run(segments=3, keccaks=2, assumes=[claim], limits={"proved": False, "assumed": [claim]})
    assert (ran.segments, ran.requests) == ([], [])
    assert ran.done["segments"] == 3
    assert [one["proven"] for one in ran.done["assumptions"]] == [False, False]
    with pytest.raises(HostFailed, match="which its caller does not prove"):
        run(keccaks=1, limits={"keccak": False})


def test_a_guest_that_fails_has_written_why():
    with pytest.raises(GuestPanicked) as failed:
        run(panics="oh")
    assert failed.value.bodies == [b"", b"guest panicked: oh\n"]


def test_what_is_wrong_with_a_guest_is_said_as_the_real_host_does():
    with pytest.raises(GuestPanicked, match="oh"):
        run(segments=2, panics="oh")
    with pytest.raises(CycleLimitReached):
        run(segments=2, limits={"cycle_limit": 1 << 21})
    with pytest.raises(InputTooLarge):
        run(limits={"input_limit": 1})
    with pytest.raises(ImageMismatch):
        run(limits={"image_id": "11" * 32})
    with pytest.raises(BadInput, match="po2 15"):
        run(po2=15)
    with pytest.raises(BadInput, match="JSON object"):
        run(nonsense=1)
