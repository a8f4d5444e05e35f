"""What is said is in the file and with every watcher, and saying it never fails."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from tars_peer.adapters.say.rotating import RotatingLines
from tars_peer.adapters.say.voice import Voice
from tests.fakes.waiting import until


@pytest.fixture
def voice(tmp_path):
    voice = Voice(peer="p1", path=tmp_path / "events.jsonl")
    yield voice
    voice.close()


def test_each_event_is_a_line_of_json_with_peer_generation_index_and_change(voice, tmp_path):
    voice.say("decision", "grün", generation=3, index=9, change_id="c" * 64, approvals=["p1"])
    voice.say("idle", "two\nlines")
    first, second = (tmp_path / "events.jsonl").read_text().splitlines()
    line = json.loads(first)
    assert (line["event"], line["text"], line["peer"]) == ("decision", "grün", "p1")
    assert (line["generation"], line["index"], line["change_id"]) == (3, 9, "c" * 64)
    assert line["approvals"] == ["p1"]
    assert line["timestamp"].endswith("Z")
    assert json.loads(second)["text"] == "two\nlines"


def test_a_watcher_hears_what_was_and_what_comes(voice):
    voice.say("first", "")
    events = voice.watch(replay=True)
    assert next(events).kind == "first"
    voice.say("second", "", number=1)
    event = next(events)
    assert (event.kind, event.peer, event.data) == ("second", "p1", {"number": 1})
    voice.close()
    assert list(events) == []


def test_a_watcher_that_wants_no_past_hears_only_what_comes(voice):
    voice.say("first", "")
    heard: list[str] = []
    events = voice.watch(replay=False)
    thread = threading.Thread(target=lambda: heard.extend(event.kind for event in events))
    thread.start()
    until(lambda: bool(voice._watchers))  # noqa: SLF001  (nothing tells when it listens)
    voice.say("second", "")
    voice.close()
    thread.join(5)
    assert heard == ["second"]


def test_the_memory_is_bounded(voice):
    for number in range(2_100):
        voice.say("tick", f"{number}")
    voice.close()
    kept = [event.text for event in voice.watch(replay=True)]
    assert len(kept) == 2_000
    assert kept[-1] == "2099"


def test_a_watcher_that_leaves_is_forgotten(voice):
    events = voice.watch(replay=True)
    voice.say("first", "")
    next(events)
    events.close()
    assert not voice._watchers  # noqa: SLF001


def test_a_watcher_that_does_not_read_holds_nobody_up(voice):
    events = voice.watch(replay=False)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(next, events)
        until(lambda: bool(voice._watchers))  # noqa: SLF001
        voice.say("begin", "")
        assert first.result(5).kind == "begin"
        for number in range(10_100):
            voice.say("tick", f"{number}")
    assert [event.text for event in islice(events, 2)] == ["0", "1"]


@pytest.mark.parametrize("odd", [object(), {1, 2}, Path("a"), float("nan"), "\ud800", b"\xff"])
def test_data_that_is_no_json_does_not_make_saying_fail(voice, odd, tmp_path):
    voice.say("odd", "text", data_of_a_kind=odd)
    assert json.loads((tmp_path / "events.jsonl").read_text())["event"] == "odd"


@pytest.mark.parametrize("name", ["event", "peer", "level", "text_of"])
def test_data_may_have_any_name(voice, name, tmp_path):
    voice.say("kind", "text", **{name: "of the data"})
    line = json.loads((tmp_path / "events.jsonl").read_text())
    assert (line["event"], line["peer"], line["text"]) == ("kind", "p1", "text")


def test_a_full_disk_does_not_make_saying_fail():
    voice = Voice(peer="p1", path=Path("/dev/full"))
    voice.say("first", "")
    assert next(voice.watch(replay=True)).kind == "first"
    voice.close()


def test_what_is_said_after_the_end_is_dropped(voice):
    voice.close()
    voice.say("late", "")
    assert list(voice.watch(replay=True)) == []


def test_old_lines_make_room(tmp_path):
    lines = RotatingLines(tmp_path / "events.jsonl", largest_bytes=1_000)
    for number in range(400):
        lines.info(f"line {number:04}")
    lines.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    assert max(file.stat().st_size for file in files) <= 1_000
    assert files[0].read_text().splitlines()[-1] == "line 0399"
