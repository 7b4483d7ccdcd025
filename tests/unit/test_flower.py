"""Flower: closed, read-only, and a task is named by what it does."""

from types import SimpleNamespace

import pytest

from farm import flower
from farm.settings import Settings


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ("job j12 prove 3-4 width 2", "prove 3-4 of j12"),
        ("job j12 execute width 1", "execute of j12"),
        ("job j9 join 0-16 width 1", "join 0-16 of j9"),
    ],
)
def test_a_step_is_shown_with_job_kind_and_span(kwargs, name):
    task = SimpleNamespace(name="prove", args="", kwargs=kwargs)
    assert flower.format_task(task).name == name


def test_other_tasks_keep_their_name():
    task = SimpleNamespace(name="trace", args=None, kwargs="{}")
    assert flower.format_task(task).name == "trace"


def test_flower_is_closed_and_read_only(tmp_path):
    options = flower.options(Settings(state=tmp_path), "secret")
    assert options["address"] == "127.0.0.1"
    assert options["basic_auth"] == ["farm:secret"]
    assert options["read_only"] is True
    assert options["enable_events"] is False
