"""One farm to a state folder, told by a lock."""

import os

import pytest

from farm import running
from farm.errors import AlreadyRunning


def test_nothing_is_up_in_a_new_folder(tmp_path):
    assert running.holder(tmp_path / "new") is None
    assert running.status(tmp_path / "new") is None


def test_a_second_farm_is_refused_and_told_of_the_first(tmp_path):
    with running.hold(tmp_path):
        assert running.holder(tmp_path) == os.getpid()
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), running.hold(tmp_path):
            pass
        assert running.holder(tmp_path) == os.getpid()
    assert running.holder(tmp_path) is None


def test_a_pid_file_left_behind_is_no_farm(tmp_path):
    (tmp_path / "farm.pid").write_text("1")
    assert running.holder(tmp_path) is None
    with running.hold(tmp_path):
        pass


def test_the_status_is_there_while_the_farm_is(tmp_path):
    one = running.ProcessStatus("risc0-0", 12, 0, "running")
    status = running.Status(1, True, [one], "http://x", "/p", ["note"])
    with running.hold(tmp_path):
        running.publish(tmp_path, status)
        assert running.status(tmp_path) == status
    assert running.status(tmp_path) is None
