"""The table of what a member costs holds together, whatever the machine."""

import pytest

from farm import bench_aggregate as bench


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr(bench, "_golden", lambda session: (bytes(223_000), "ab" * 32))
    monkeypatch.setattr(bench.verify, "host", lambda: Host())
    monkeypatch.setattr(bench, "_verify", lambda child, receipt, image: None)
    monkeypatch.setattr(bench, "TIMES", 1)
    return bench.run()


class Host:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_every_size_is_shown_in_every_way(found):
    assert len(found.lines) == len(bench.SIZES) * 3
    assert all(min(line[2:]) > 0 for line in found.lines)


def test_what_is_shared_is_shared_by_more(found):
    for way in ("aggregated", "batched"):
        lines = [line for line in found.lines if line.way == way]
        assert [line.bytes for line in lines] == sorted(
            (line.bytes for line in lines), reverse=True
        )
        assert lines[-1].gas < lines[0].gas
    works = {line.members: line.work for line in found.lines if line.way == "batched"}
    assert works[10] * 5 < works[1]


def test_a_goal_that_is_missed_is_told(found):
    assert not found._replace(goals=[("what", 1.0, 2.0)]).met
    assert found._replace(goals=[("what", 2.0, 2.0)]).met
