"""``tars cluster up``: start a cluster, show what it does, stop it. Processes are the machine's."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tars_peer.cli.exit_codes import ExitCode
from tars_peer.cli.find import Where
from tars_peer.cli.machine import Machine, Wish, machine_of
from tars_peer.cli.options import DEFAULT_HOME, HomeOption
from tars_peer.cli.show import Showing
from tars_peer.cli.speak import plain, remark
from tars_peer.errors import TarsError

_PEERS_MOST = 9


def up(
    context: typer.Context,
    *,
    peers: Annotated[
        int | None,
        typer.Option(
            "--peers",
            min=1,
            max=_PEERS_MOST,
            help="How many replicas. Default: what the home has, else 3.",
        ),
    ] = None,
    genome: Annotated[
        str | None,
        typer.Option(
            "--genome",
            metavar="PATH|self",
            help="The git repository that evolves; `self` is TARS' own source. "
            "Default: what the home has, else the example.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the first change that is live everywhere.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the cluster is healthy; it goes on.")
    ] = False,
    json_events: Annotated[
        bool, typer.Option("--json-events", help="Print events as JSON, one a line.")
    ] = False,
    runtime: Annotated[str, typer.Option("--runtime", help="How generations are run.")] = "process",
) -> None:
    """Start a cluster, or go on with the one in the home, and show how it evolves.

    Ctrl-C stops the peers cleanly; the same command goes on where they were.
    """
    machine = machine_of(context)
    wish = Wish(peers=peers, genome=genome, home=home, runtime=runtime)
    with _interrupts():
        code = _carry_out(machine, wish, once=once, detach=detach, json_events=json_events)
    raise typer.Exit(code)


def _carry_out(
    machine: Machine, wish: Wish, *, once: bool, detach: bool, json_events: bool
) -> ExitCode:
    """Launch, show, and stop again whatever happens, but for a cluster that was to be left."""
    where = Where(machine=machine, home=wish.home)
    leave_running = False
    started = False
    try:
        house = machine.launch(wish, _say_progress)
        started = True
        showing = Showing(where, house, json_events=json_events)
        if not detach:
            return showing.until_done(once=once)
        showing.until_healthy()
        leave_running = True
        remark(f"healthy; it goes on by itself: tars cluster status --home {wish.home}")
    except KeyboardInterrupt:
        # It may have come in the middle of the launch, with some peers up.
        started = True
    finally:
        if started and not leave_running:
            _stop(machine, wish.home)
    return ExitCode.DONE


def _say_progress(line: str) -> None:
    remark(plain(line))


def _stop(machine: Machine, home: Path) -> None:
    """Stop all peers; whoever loses patience meanwhile is told why that does not help."""
    with _handling(_impatient, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        remark("stopping the peers ...")
        try:
            for peer in machine.stop(home):
                remark(f"{peer} is stopped")
        except TarsError as error:
            # The way here may itself have been an error: that one is to be seen, this one too.
            remark(f"error: could not stop the peers: {plain(str(error))}")
            if error.hint:
                remark(f"hint: {error.hint}")


def _impatient(number: int, frame: FrameType | None) -> None:
    del number, frame
    remark("stopping already; leaving now would leave processes behind")


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def _interrupts() -> Iterator[None]:
    """End for SIGTERM and a closed terminal as for Ctrl-C."""
    with _handling(_interrupt, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], None], *numbers: signal.Signals
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
