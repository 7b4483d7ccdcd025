"""Who asks at the same time is answered in one go, each with what is his own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from farm.api.together import MOST, Together
from farm.errors import LedgerDown, UnknownJob


@pytest.fixture
def calls():
    return []


def ask_all(calls, do, questions):
    def noted(asked):
        calls.append(len(asked))
        return do(asked)

    async def run():
        with ThreadPoolExecutor(1) as pool:
            together = Together(noted, pool)
            asking = (together.ask(one) for one in questions)
            return await asyncio.gather(*asking, return_exceptions=True)

    return asyncio.run(run())


def test_each_gets_its_own_answer(calls):
    assert ask_all(calls, lambda asked: [2 * one for one in asked], range(100)) == [
        2 * one for one in range(100)
    ]
    assert calls == [100]


def test_no_call_is_longer_than_it_should_be(calls):
    assert len(ask_all(calls, list, range(MOST + 1))) == MOST + 1
    assert calls == [MOST, 1]


def test_an_error_is_raised_to_who_asked(calls):
    answers = ask_all(calls, lambda asked: [1, UnknownJob("j"), 3], "abc")
    assert answers[0] == 1 and answers[2] == 3 and isinstance(answers[1], UnknownJob)


def test_one_that_the_call_raises_is_everybody_s(calls):
    def down(asked):
        raise LedgerDown("here", "gone")

    answers = ask_all(calls, down, "ab")
    assert all(isinstance(one, LedgerDown) for one in answers)
