"""Many who wait for news of jobs hear each change once, in order, whoever else listens."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from farm import keys
from farm.api import watch as watching
from farm.errors import LedgerDown
from farm.job import Change, State

PAUSE = 0.01


class Streams:
    """A ledger's streams of changes, in lists; it may be away."""

    def __init__(self):
        self.entries, self.down, self.asked = {}, 0, 0

    def tell(self, id, number, **fields):
        known = {"state": "RUNNING", **fields}
        self.entries.setdefault(keys.changes(id), []).append((f"{number}-0", known))

    def changes(self, id, after):
        found = self.after(keys.changes(id), after)
        return [Change(id=at, state=State(fields["state"])) for at, fields in found]

    def after(self, key, after):
        place = watching._place
        return [one for one in self.entries.get(key, []) if place(one[0]) > place(after)]

    def calls(self, commands):
        self.asked += 1
        if self.down:
            self.down -= 1
            raise LedgerDown("here", "gone")
        (_, _, _, _, *rest) = commands[0]
        names, places = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        found = [(name, self.after(name, at)) for name, at in zip(names, places, strict=True)]
        return [[[name, news] for name, news in found if news]]


@pytest.fixture
def streams(monkeypatch):
    monkeypatch.setattr(watching, "PAUSE", PAUSE)
    return Streams()


def run(streams, story):
    async def told():
        with ThreadPoolExecutor(2) as pool:
            watch = watching.Watch(streams, pool)
            found = await story(watch)
            await asyncio.sleep(3 * PAUSE)
            assert watch._running is None and not watch._waiting and not watch._after
            return found

    return asyncio.run(told())


async def hear(watch, id, count, after="0", pause=5.0):
    found = []
    async with aclosing(watch.changes(id, after, pause)) as coming:
        while len(found) < count:
            change = await anext(coming)
            found.append(change and change.id)
    return found


def test_what_was_and_what_comes_is_heard_once_each(streams):
    streams.tell("j1", 1)

    async def story(watch):
        early = asyncio.create_task(hear(watch, "j1", 3))
        await asyncio.sleep(3 * PAUSE)
        streams.tell("j1", 2)
        late = asyncio.create_task(hear(watch, "j1", 3))
        await asyncio.sleep(3 * PAUSE)
        streams.tell("j2", 9)
        streams.tell("j1", 3, state=State.SUCCEEDED)
        return await asyncio.gather(early, late)

    assert run(streams, story) == [["1-0", "2-0", "3-0"]] * 2


def test_who_asks_from_far_ahead_keeps_no_news_from_others(streams):
    async def story(watch):
        ahead = asyncio.create_task(hear(watch, "j1", 1, after="99-0", pause=20 * PAUSE))
        await asyncio.sleep(2 * PAUSE)
        normal = asyncio.create_task(hear(watch, "j1", 1))
        await asyncio.sleep(2 * PAUSE)
        streams.tell("j1", 5)
        return await asyncio.gather(ahead, normal)

    assert run(streams, story) == [[None], ["5-0"]]


def test_silence_is_told_and_an_outage_waited_out(streams):
    async def story(watch):
        waiting = asyncio.create_task(hear(watch, "j1", 2, pause=10 * PAUSE))
        streams.down = 3
        await asyncio.sleep(12 * PAUSE)
        streams.tell("j1", 7)
        return await waiting

    assert run(streams, story) == [None, "7-0"]


def test_all_are_asked_after_in_one_call(streams):
    async def story(watch):
        waiting = [asyncio.create_task(hear(watch, f"j{at}", 1)) for at in range(200)]
        await asyncio.sleep(5 * PAUSE)
        before = streams.asked
        await asyncio.sleep(10 * PAUSE)
        looks = streams.asked - before
        for at in range(200):
            streams.tell(f"j{at}", 1)
        await asyncio.gather(*waiting)
        return looks

    assert run(streams, story) <= 11
