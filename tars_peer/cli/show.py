"""Shows what a cluster does and notices when it is done. Nothing may be started or stopped here."""

from __future__ import annotations

import sys
import time

import msgspec
from rich.text import Text

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli.exit_codes import ExitCode
from tars_peer.cli.find import Where, ask, cluster_status
from tars_peer.cli.live import Watch
from tars_peer.cli.machine import Home
from tars_peer.cli.paint import paint
from tars_peer.cli.settled import Progress, look
from tars_peer.cli.speak import plain, remark, say_lines, stderr, stdout
from tars_peer.cli.story import Story
from tars_peer.cli.tables import history_table, standing, total_ratio
from tars_peer.errors import PermanentError, RefusedError, TemporaryError
from tars_peer.model.event import Event
from tars_peer.model.member import majority
from tars_peer.model.status import HistoryRow

_TICK_S = 0.5
_LOOK_S = 3.0

#: With --detach: how long, in seconds, a cluster may take to be healthy.
_HEALTHY_S = 180.0

_READY = ("leader", "follower")
_UNDERWAY = ("canary", "partial")


class Showing:
    """Shows what a cluster does and notices when it is done."""

    def __init__(self, where: Where, house: Home, *, json_events: bool) -> None:
        """Show the cluster ``house``, found by ``where``, in lines for people or as JSON."""
        self._where = where
        self._known = tuple(where.one(peer.id, peer.address) for peer in house.peers)
        self._story = Story(peer.id for peer in house.peers)
        self._json_events = json_events
        self._next_look_s = 0.0
        self._next_check_s = time.monotonic() + _LOOK_S
        self._absent: frozenset[str] = frozenset()
        self._told_idle_at = -1
        self._before: int | None = None

    def until_healthy(self) -> None:
        """Return once all is well.

        Raises:
            RefusedError: the genome cannot evolve.
            TemporaryError: it takes too long.
            PermanentError: all peers have ended.
        """
        deadline_s = time.monotonic() + _HEALTHY_S
        with Watch(self._known) as watch:
            while True:
                event = watch.next(timeout_s=_TICK_S)
                self._show(event)
                self._check_somebody_runs()
                if event is None and cluster_status(self._where).healthy:
                    return
                if time.monotonic() >= deadline_s:
                    raise TemporaryError(
                        f"the cluster is not healthy after {_HEALTHY_S:g} s",
                        hint="run it without --detach to see what it does; "
                        "each peer's log is in its folder of the home",
                    )

    def until_done(self, *, once: bool) -> ExitCode:
        """Show events; with ``once`` return how it went, else go on until interrupted.

        Raises:
            RefusedError: the genome cannot evolve, or (with ``once``) nothing could be gained.
            PermanentError: all peers have ended.
        """
        with Watch(self._known) as watch:
            while True:
                event = watch.next(timeout_s=_TICK_S)
                self._show(event)
                if once and self._before is None:
                    self._before = self._settled_before()
                self._check_somebody_runs()
                if event is not None and event.kind not in {"complete", "idle"}:
                    continue
                if once and self._first_is_live():
                    self._say_summary()
                    return ExitCode.DONE
                if self._all_idle():
                    if once:
                        raise RefusedError(
                            "nothing could be gained: no change was found, proved and kept",
                            hint="see what was looked at with `tars cluster up` (without --once)",
                        )
                    self._say_idle()

    def _show(self, event: Event | None) -> None:
        if event is None:
            return
        self._story.hear(event)
        news = self._story.is_news(event)
        if self._json_events:
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
            sys.stdout.flush()
        elif news:
            say_lines(*paint(event))
        if self._story.refused_genome is not None:
            reason = event.data.get("reason") or event.text
            hint = event.data.get("hint") or "change the genome, commit, and start again"
            raise RefusedError(
                f"this genome cannot evolve: {plain(str(reason))}",
                hint=f"{plain(str(hint))}; in a new --home, for {self._where.home} keeps to the "
                "commit it began with",
            )

    def _check_somebody_runs(self) -> None:
        """Look, every now and then, whether there is still something to show.

        Raises:
            PermanentError: all peers have ended by themselves.
        """
        if time.monotonic() < self._next_check_s:
            return
        self._next_check_s = time.monotonic() + _LOOK_S
        where = self._where
        if where.machine.running(where.home):
            return
        words = {peer.id: where.machine.last_words(where.home, peer.id) for peer in self._known}
        said = "; ".join(f"{peer}: {text}" for peer, text in words.items() if text)
        raise PermanentError(
            f"all peers have ended{': ' + plain(said) if said else ''}",
            hint=f"each peer's log is in its folder under {where.home}/peers; "
            "`tars cluster up` starts them again",
        )

    def _first_is_live(self) -> bool:
        """Say whether a change that was completed in this run is live on all peers."""
        if self._before is None:
            return False
        for generation in self._story.completed:
            if generation <= self._before:
                continue
            row = next((row for row in self._rows() if row.generation == generation), None)
            if row is None or row.kind != "change":
                continue
            try:
                if look(self._where, generation) is Progress.LIVE:
                    return True
            except TemporaryError:
                # It restarts, perhaps into the very generation; the next tick asks again.
                return False
        return False

    def _settled_before(self) -> int | None:
        """Return the generation that was live when the cluster came up; None while it is not up.

        A peer that starts tells its whole log again, so events cannot say what is new.
        """
        if time.monotonic() < self._next_look_s:
            return None
        self._next_look_s = time.monotonic() + _TICK_S
        seen = cluster_status(self._where)
        if not (seen.head.commit and any(peer.state in _READY for peer in seen.peers)):
            return None
        underway = seen.rollout is not None and seen.rollout.stage in _UNDERWAY
        return seen.head.generation - 1 if underway else seen.head.generation

    def _all_idle(self) -> bool:
        """Say whether every peer sees nothing to gain; peers that are gone are not waited for."""
        idle = self._story.idle()
        if idle >= self._story.members:
            return True
        if len(idle) < majority(len(self._story.members)):
            return False
        if time.monotonic() < self._next_look_s:
            return False
        self._next_look_s = time.monotonic() + _LOOK_S
        seen = cluster_status(self._where).peers
        absent = frozenset(peer.id for peer in seen if peer.state == "unreachable")
        # Twice in a row, so that a peer that only restarts is waited for.
        gone, self._absent = absent & self._absent, absent
        return idle | gone >= self._story.members

    def _say_idle(self) -> None:
        if self._told_idle_at == self._story.head:
            return
        self._told_idle_at = self._story.head
        self._say_summary()
        remark(
            "nothing left to gain. The peers stay up: Ctrl-C stops them. In another terminal:\n"
            f"  tars cluster status --home {self._where.home}\n"
            f"  tars evolve history --home {self._where.home}"
        )

    def _say_summary(self) -> None:
        rows = self._rows()
        console = stderr() if self._json_events else stdout()
        console.print(history_table(rows))
        if standing(rows):
            total = f"measured in all: {total_ratio(rows):.3f} times as fast as generation 0"
            console.print(Text(total, "bold green"))

    def _rows(self) -> tuple[HistoryRow, ...]:
        try:
            return ask(self._where, PeerClient.history)
        except TemporaryError:
            return ()
