"""What stands still is noticed; what only slept, or was never sent, is not."""

from sessions import job, spec

from farm.lapse import Deadlines, Lapsed, Watch


def watch():
    return Watch(beat_seconds=1, missed_beats=3, resend_seconds=10)


def lapsed(watch, times, counters, **given):
    return [one for now in times for one in watch.look(now, ["a"], counters(now), **given)]


def test_a_counter_that_moves_never_lapses():
    assert lapsed(watch(), range(100), lambda now: {"a": now}) == []


def test_a_counter_that_stands_still_lapses_once():
    seen = watch()
    assert lapsed(seen, range(4), lambda now: {"a": 7}) == []
    assert lapsed(seen, [4], lambda now: {"a": 7}) == [Lapsed("a", True)]
    assert lapsed(seen, [5], lambda now: {"a": 7}) == []


def test_a_message_that_nobody_takes_has_longer():
    seen = watch()
    assert lapsed(seen, range(11), lambda now: {}) == []
    assert lapsed(seen, [11], lambda now: {}) == [Lapsed("a", False)]


def test_a_message_that_could_not_be_sent_is_not_late():
    assert lapsed(watch(), range(100), lambda now: {}, sent=False) == []


def test_a_step_has_all_its_time_from_when_it_is_taken():
    seen = watch()
    assert lapsed(seen, range(9), lambda now: {}) == []
    assert lapsed(seen, range(9, 12), lambda now: {"a": 1}) == []


def test_a_long_sleep_is_not_many_missed_beats():
    seen = watch()
    assert lapsed(seen, [0, 1, 1000], lambda now: {"a": 7}) == []


def test_a_deadline_passes_once():
    deadlines = Deadlines()
    deadlines.note("s", [job(spec("j1", deadline=5.0)), job(spec("j2"))])
    assert deadlines.passed(4.9) == []
    assert deadlines.passed(5.0) == [("s", "j1")]
    assert deadlines.passed(9.0) == []


def test_the_deadlines_of_jobs_that_wait_no_more_are_forgotten():
    deadlines = Deadlines()
    deadlines.note("s", [job(spec(f"j{n}", deadline=5.0 + n)) for n in range(9)])
    deadlines.keep({("s", "j1"), ("s", "j3"), ("t", "j2")})
    assert len(deadlines) == 2
    assert deadlines.passed(99.0) == [("s", "j1"), ("s", "j3")]
    assert len(deadlines) == 0
