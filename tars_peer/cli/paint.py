"""Events as coloured lines. Nothing may be decided from them, and no event may break the display.

What each kind carries is said in docs/events.md. A peer of another version may say less or other
than that; then its own words (``text``) are shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from rich.text import Text

from tars_peer.cli.speak import plain
from tars_peer.cli.tables import PARTS_PER_UNIT, diff_lines, ratio, short, word
from tars_peer.model.event import Event

#: What a person reads at a glance; the rest is a command away.
_MOST_DIFF_LINES = 60
_MOST_ITEMS = 5
_MOST_NAMES = 8

_INDENT = " " * 14
_PEER_STYLES = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta")
_MARKS = {
    "leader": "bold",
    "refused-genome": "bold red",
    "refusal": "red",
    "fault": "bold red",
    "no-quorum": "bold red",
    "rollback": "bold red",
    "decision": "bold green",
    "commit": "green",
    "complete": "bold green",
    "change": "bold",
    "idle": "bold",
    "paused": "yellow",
    "resumed": "yellow",
}

Painter = Callable[[Event], Iterator[Text]]


def paint(event: Event) -> list[Text]:
    """Return ``event`` as lines: the first with time, peer and kind, the others indented."""
    painter = _PAINTERS.get(event.kind, _words)
    try:
        said = list(painter(event))
    except (KeyError, TypeError, ValueError, AttributeError):
        said = list(_words(event))
    first, *rest = said or [Text("")]
    style = _PEER_STYLES[sum(event.peer.encode()) % len(_PEER_STYLES)]
    head = Text.assemble(
        (time.strftime("%H:%M:%S ", time.localtime(event.time_ms / 1000)), "dim"),
        (f"{plain(event.peer):<4} ", style),
        (f"{plain(event.kind):<11} ", _MARKS.get(event.kind, "")),
        first,
    )
    return [head, *(Text.assemble(_INDENT, line) for line in rest)]


def _words(event: Event) -> Iterator[Text]:
    for line in plain(event.text).splitlines():
        yield Text(line)


def _peer_up(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(
        f"up at {_text(data['address'])}, candidates run in sandbox {_text(data['sandbox'])}"
    )


def _leader(event: Event) -> Iterator[Text]:
    yield Text(f"{_text(event.data['leader'])} leads term {_text(event.data['term'])}")


def _baseline(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(f"before any change: {_count(data['passed'])} tests pass")
    for name in ("failed", "wavering"):
        if _count(data[name]):
            yield Text(f"{name}, so they count for neither side: {_names(data[name])}", "yellow")


def _refused_genome(event: Event) -> Iterator[Text]:
    yield Text(_text(event.data["reason"]), "red")


def _analysis(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(f"generation {event.generation}: {_count(data['findings'])} findings")
    hot = data.get("hotspots")
    if isinstance(hot, list) and hot:
        yield Text("time goes to " + ", ".join(_hotspot(item) for item in hot[:_MOST_ITEMS]))
    skipped = data.get("skipped")
    for path, reason in skipped if isinstance(skipped, list) else ():
        yield Text(f"left alone: {_text(path)}: {_text(reason)}", "yellow")


def _plan(event: Event) -> Iterator[Text]:
    items = _list(event.data["items"])
    yield Text(f"{len(items)} items" if items else "nothing left to try")
    for item in items[:_MOST_ITEMS]:
        place = f"{item['path']}:{item['line']} {item['function']}"
        yield Text.assemble(
            f"{item['rank']}. ",
            (_text(item["improvement"]), "bold"),
            f"  {plain(place)}  ",
            (_text(item["why"]), "dim"),
        )
    if len(items) > _MOST_ITEMS:
        yield Text(f"and {len(items) - _MOST_ITEMS} more: tars evolve plan", "dim")


def _change(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text.assemble(
        (_text(data["improvement"]), "bold"),
        f" in {_text(data['target'])}: {_text(data['summary'])}",
    )
    lines = str(data["diff"]).count("\n")
    yield from islice(diff_lines(str(data["diff"])), _MOST_DIFF_LINES)
    if lines > _MOST_DIFF_LINES:
        yield Text(f"and {lines - _MOST_DIFF_LINES} more lines", "dim")


def _gate(event: Event) -> Iterator[Text]:
    data = event.data
    outcome = ("passed", "green") if data["passed"] else ("failed", "red")
    reason = _text(data.get("reason", ""))
    yield Text.assemble(f"{_text(data['gate'])} ", outcome, f": {reason}" if reason else "")


def _ballot(event: Event) -> Iterator[Text]:
    data = event.data
    line = Text.assemble(f"{_text(data['voter'])} says ", word(_text(data["verdict"])))
    if data.get("ratio_ppm"):
        low, high = _ppm(data["low_ppm"]), _ppm(data["high_ppm"])
        line.append(f"  old/new {_ppm(data['ratio_ppm'])} ({low} to {high})")
        line.append(f", {_text(data['pairs'])} pairs")
    if data.get("tests_passed"):
        line.append(f", {_text(data['tests_passed'])} tests pass")
    yield line
    if data.get("reason"):
        yield Text(_text(data["reason"]), "yellow")


def _decision(event: Event) -> Iterator[Text]:
    approvals = event.data["approvals"]
    by = f", approved by {_names(approvals)}" if isinstance(approvals, list) else ""
    what = _text(event.text) or f"generation {event.generation}"
    yield Text(f"raft index {event.index}: {what}{by}")


def _refusal(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(f"{_text(data['improvement'])} is refused: {_text(data['reason'])}")


def _commit(event: Event) -> Iterator[Text]:
    data = event.data
    commit, tree = _text(data["commit"]), short(_text(data["tree"]))
    yield Text(f"generation {event.generation} is commit {commit} (tree {tree})")


def _rollout(event: Event) -> Iterator[Text]:
    data = event.data
    order = _list(data["order"])
    turn = order[: int(str(data["target"]))]
    yield Text.assemble(
        f"generation {event.generation} ",
        word(_text(data["stage"])),
        f": {_names(turn)}" if turn else "",
        f" of {_names(order)}" if len(turn) < len(order) else "",
    )


def _switch(event: Event) -> Iterator[Text]:
    data = event.data
    reason = _text(data.get("reason", ""))
    yield Text.assemble(
        f"tree {short(_text(data['tree']))} ",
        word(_text(data["state"])),
        f": {reason}" if reason else "",
    )


def _compared(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(f"old against new, live: {_ppm(data['ratio_ppm'])}, {_text(data['verdict'])}")


def _rollback(event: Event) -> Iterator[Text]:
    data = event.data
    yield Text(f"back to {short(_text(data['to']))}: {_text(data['reason'])}")


def _complete(event: Event) -> Iterator[Text]:
    figure = event.data.get("ratio_ppm")
    how = f", old/new {_ppm(figure)}" if figure else ""
    if event.data.get("stage") == "rolled_back":
        how = ": the way back is complete"
    yield Text(f"generation {event.generation} is live on all peers{how}")


def _idle(event: Event) -> Iterator[Text]:
    yield Text(f"nothing left to gain on generation {event.generation}")


def _reason(event: Event) -> Iterator[Text]:
    yield Text(_text(event.data["reason"]))


_PAINTERS: dict[str, Painter] = {
    "peer-up": _peer_up,
    "leader": _leader,
    "baseline": _baseline,
    "refused-genome": _refused_genome,
    "analysis": _analysis,
    "plan": _plan,
    "change": _change,
    "gate": _gate,
    "ballot": _ballot,
    "decision": _decision,
    "refusal": _refusal,
    "commit": _commit,
    "rollout": _rollout,
    "switch": _switch,
    "compared": _compared,
    "rollback": _rollback,
    "complete": _complete,
    "idle": _idle,
    "no-quorum": _reason,
    "fault": _reason,
}


def _text(value: object) -> str:
    return " ".join(plain(str(value)).split())


def _list(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _count(value: object) -> int:
    """Return how many: some kinds give a number, some the names themselves."""
    return len(value) if isinstance(value, list) else int(str(value))


def _names(value: object) -> str:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _text(value)
    return _shortened([_text(name) for name in value])


def _shortened(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _MOST_NAMES
    return ", ".join(every[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _hotspot(item: object) -> str:
    if isinstance(item, dict):
        return f"{_text(item['function'])} {float(item['share']):.0%}"
    if isinstance(item, list):
        *_, name, share = item
        return f"{_text(name)} {float(share):.0%}"
    return _text(item)


def _ppm(value: object) -> str:
    return ratio(int(str(value)) / PARTS_PER_UNIT)
