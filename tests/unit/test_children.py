"""The host children of a worker: each works for one step, and one that died is replaced."""

import threading

import pytest

from farm.children import Children
from farm.errors import HostDied, HostMissing
from farm.host import HostChild


@pytest.fixture
def one(standin):
    children = Children(lambda: HostChild(standin()), 1)
    yield children
    children.close()


def keep_waiting():
    pass


def test_the_next_step_gets_the_same_child(one):
    with one.take(keep_waiting) as first:
        pass
    with one.take(keep_waiting) as second:
        assert second is first


def test_one_that_died_is_replaced(one):
    with pytest.raises(HostDied), one.take(keep_waiting) as first:
        first.request("die", {})
    with one.take(keep_waiting) as second:
        assert second is not first
        assert second.request("echo").done


def test_one_that_died_while_idle_is_replaced(one):
    with one.take(keep_waiting) as first:
        pass
    first.kill()
    with one.take(keep_waiting) as second:
        assert second.request("echo").done


def test_a_step_waits_until_the_one_before_has_done(one):
    order = []

    def work():
        with one.take(keep_waiting):
            order.append("second")

    with one.take(keep_waiting):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_who_waits_leaves_when_it_is_of_no_use(one):
    class Cancelled(Exception):
        pass

    def cancelled():
        raise Cancelled

    with one.take(keep_waiting), pytest.raises(Cancelled), one.take(cancelled):
        pytest.fail("there is only one child")
    with one.take(keep_waiting) as child:  # the turn was not lost
        assert child.alive


def test_what_is_wrong_with_the_host_is_told_each_time(tmp_path):
    children = Children(lambda: HostChild(str(tmp_path / "none")), 1)
    with pytest.raises(HostMissing), children.take(keep_waiting):
        pytest.fail("there is no host")
    with pytest.raises(HostMissing), children.take(keep_waiting):  # still its turn
        pytest.fail("there is no host")


def test_one_child_prepares_while_another_has_the_turn(standin):
    children = Children(lambda: HostChild(standin()), 2, turns=1)
    order, begun = [], threading.Event()

    def second():
        with children.take(lambda: None):
            order.append("prepared")
            begun.set()
            with children.turn(lambda: None):
                order.append("second")

    assert children.spare
    with children.take(lambda: None), children.turn(lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(5)
        order.append("first")
    thread.join(5)
    children.close()
    assert order == ["prepared", "first", "second"]


def test_a_slot_of_one_child_has_none_to_spare(standin):
    assert not Children(lambda: HostChild(standin()), 1, turns=1).spare
    assert not Children(lambda: HostChild(standin()), 2).spare
