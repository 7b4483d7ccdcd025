"""Progress in words: what is said of a change, and how often."""

import pytest
from fake_farm import change

from farm import show
from farm.job import State


@pytest.mark.parametrize(
    ("fields", "words", "share"),
    [
        ({"text": "accepted"}, "accepted", (0, None)),
        ({"segments": 7, "text": "accepted"}, "accepted", (0, None)),
        (
            {"segments": 40, "proved": 12, "folds": 5},
            "segments 12 of at least 40, folds 5",
            (17, None),
        ),
        (
            {"segments": 3, "segments_known": True, "proved": 3, "folds": 1, "folds_due": 2},
            "segments 3 of 3, folds 1 of 2",
            (4, 5),
        ),
        (
            {"segments": 1, "proved": 0, "keccaks": 2, "keccaks_proved": 1, "text": "executing"},
            "segments 0 of at least 1, keccaks 1 of at least 2, folds 0: executing",
            (1, None),
        ),
        (
            {"segments": 1, "segments_known": True, "proved": 1, "text": "resolving"}
            | {"keccaks": 2, "keccaks_proved": 2, "folds": 1, "folds_due": 2},
            "segments 1 of 1, keccaks 2 of 2, folds 1 of 2: resolving",
            (4, 5),
        ),
        ({"segments": 7, "done": 3}, "3 of 7 chunks", (3, 7)),
        ({"state": State.SUCCEEDED}, "succeeded", (0, None)),
        ({"state": State.FAILED, "text": "guest panicked: x"}, "guest panicked: x", (0, None)),
    ],
)
def test_a_change_in_words(fields, words, share):
    one = change(1, **fields)
    assert (show.text(one), show.share(one)) == (words, share)


def test_plain_lines_are_few(capsys):
    with show.progress("job j1") as shown:
        shown(change(1, text="accepted"))
        for at in range(1, 100):
            shown(change(at, segments=100, proved=at))
        shown(change(9, State.SUCCEEDED))
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert lines == ["job j1: accepted", "job j1: succeeded"]
    assert captured.out == ""


def test_quiet_says_nothing(capsys):
    with show.progress("job j1", quiet=True) as shown:
        shown(change(1, text="accepted"))
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with show.progress("job j1") as shown:
        shown(change(1, segments=2, segments_known=True, proved=1))
    assert "job j1" in capsys.readouterr().err
