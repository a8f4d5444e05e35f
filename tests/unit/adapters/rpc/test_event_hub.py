"""One reader, many watchers, and none of them can hold another up."""

import queue
import threading
from collections.abc import Iterator

from tars_peer.adapters.rpc.event_hub import EventHub
from tars_peer.model.event import Event
from tests.fakes.desk import some_event
from tests.fakes.waiting import until


class _Source:
    """Events that a test says, one at a time."""

    def __init__(self) -> None:
        self._said: queue.Queue[Event | None] = queue.Queue()

    def say(self, *texts: str) -> None:
        for text in texts:
            self._said.put(some_event("plan", text))

    def end(self) -> None:
        self._said.put(None)

    def __call__(self) -> Iterator[Event]:
        while (event := self._said.get()) is not None:
            yield event


def _texts(hub: EventHub, *, replay: bool = True) -> list[str]:
    return [event.text for event in hub.watch(replay=replay, alive=lambda: True)]


def test_a_late_watcher_sees_the_newest_that_were_kept() -> None:
    source = _Source()
    source.say("a", "b", "c")
    source.end()
    hub = EventHub(source, keep=2)
    until(lambda: _texts(hub) == ["b", "c"])
    assert _texts(hub, replay=False) == []


def test_watchers_see_what_comes_in_order_until_the_end() -> None:
    source = _Source()
    hub = EventHub(source)
    seen: list[list[str]] = []
    threads = [threading.Thread(target=lambda: seen.append(_texts(hub))) for _ in range(3)]
    for thread in threads:
        thread.start()
    source.say(*(str(number) for number in range(50)))
    source.end()
    for thread in threads:
        thread.join(timeout=10)
    assert seen == [[str(number) for number in range(50)]] * 3


def test_a_watcher_that_is_too_slow_misses_the_oldest_and_goes_on() -> None:
    source = _Source()
    hub = EventHub(source, keep=2)
    slow = hub.watch(replay=True, alive=lambda: True)
    source.say("a")
    assert next(slow).text == "a"
    source.say("b", "c", "d", "e")
    until(lambda: [event.text for event in _now(hub)] == ["d", "e"])
    source.end()
    assert [event.text for event in slow] == ["d", "e"]


def test_a_watcher_that_hung_up_is_let_go_without_an_event() -> None:
    hub = EventHub(_Source())
    gone = threading.Event()
    thread = threading.Thread(
        target=lambda: list(hub.watch(replay=True, alive=lambda: not gone.is_set()))
    )
    thread.start()
    gone.set()
    hub.wake()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_source_that_fails_ends_the_streams_and_is_logged(caplog) -> None:
    def torn() -> Iterator[Event]:
        yield some_event("plan", "a")
        raise RuntimeError("torn")

    hub = EventHub(torn)
    until(lambda: _texts(hub) == ["a"])
    assert "torn" in caplog.text


def _now(hub: EventHub) -> list[Event]:
    """Return what a watcher that leaves at once is given."""
    return list(hub.watch(replay=True, alive=lambda: False))
