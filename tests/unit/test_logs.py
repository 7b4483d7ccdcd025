"""Logs: the last line, and a bound on size."""

import pytest

from farm import logs


@pytest.mark.parametrize(
    ("text", "line"),
    [("", ""), ("one\ntwo\n\n", "two"), ("x" * 9000 + "\nlast", "last"), (" a \n", "a")],
)
def test_the_last_line_that_says_something(tmp_path, text, line):
    log = tmp_path / "x.log"
    log.write_text(text)
    assert logs.last_line(log) == line


def test_no_log_has_no_last_line(tmp_path):
    assert logs.last_line(tmp_path / "none") == ""


def test_a_large_log_is_put_aside_under_a_writer_that_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 10)
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"0123456789")
        logs.rotate(log)
        assert log.read_bytes() == b"0123456789"
        writer.write(b"x")
        logs.rotate(log)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert (tmp_path / "x.log.1").read_bytes() == b"0123456789x"
