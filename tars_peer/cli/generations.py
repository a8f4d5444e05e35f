"""``tars evolve``: what happened, and taking it back. The stages themselves are in ``evolve``."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli.evolve import say_generation
from tars_peer.cli.find import Where, ask
from tars_peer.cli.machine import machine_of
from tars_peer.cli.options import (
    DEFAULT_HOME,
    CertsOption,
    EndpointOption,
    HomeOption,
    JsonOption,
    ReasonOption,
    TimeoutOption,
    WaitOption,
)
from tars_peer.cli.settled import wait_until_live
from tars_peer.cli.speak import remark, say_json, say_lines, say_table, working
from tars_peer.cli.tables import diff_lines, history_table, row_lines, standing, total_ratio
from tars_peer.errors import UsageError
from tars_peer.model.status import HistoryRow

NumberArgument = Annotated[int, typer.Argument(min=0, metavar="GENERATION")]
_HISTORY_HINT = "see all generations with `tars evolve history`"


def add_to(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    for command in (history, show, diff, rollback, pause, resume, clear):
        app.command()(command)


def history(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all generations, oldest first."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    rows = ask(where, PeerClient.history)
    if as_json:
        say_json(rows)
        return
    say_table(history_table(rows))
    if standing(rows):
        remark(f"measured in all: {total_ratio(rows):.3f} times as fast as generation 0")


def show(
    context: typer.Context,
    generation: NumberArgument,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one generation with its evidence and its diff."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)

    def both(client: PeerClient) -> tuple[HistoryRow, str]:
        rows = client.history()
        row = next((row for row in rows if row.generation == generation), None)
        if row is None:
            raise UsageError(f"there is no generation {generation}", hint=_HISTORY_HINT)
        before = [
            older.generation
            for older in rows
            if older.commit == row.parent_commit and older.generation < generation
        ]
        return row, client.diff(before[-1], generation) if before else ""

    row, text = ask(where, both)
    if as_json:
        say_json({**msgspec.structs.asdict(row), "diff": text})
    else:
        say_lines(*row_lines(row), Text(""), *diff_lines(text))


def diff(
    context: typer.Context,
    older: Annotated[int, typer.Argument(min=0, metavar="OLDER")],
    newer: Annotated[int, typer.Argument(min=0, metavar="NEWER")],
    *,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the difference between two generations."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    text = ask(where, lambda client: client.diff(older, newer))
    if as_json:
        say_json({"older": older, "newer": newer, "diff": text})
    else:
        say_lines(*diff_lines(text))


def rollback(
    context: typer.Context,
    *,
    to: Annotated[
        int | None,
        typer.Option("--to", min=0, metavar="GENERATION", help="Default: the one before the head."),
    ] = None,
    reason: ReasonOption = "by hand",
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    wait: WaitOption = False,
    timeout_s: TimeoutOption = 300.0,
    as_json: JsonOption = False,
) -> None:
    """Take the head back to an older generation, on all peers."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    operation = _operation()
    with working("deciding"):
        generation = ask(where, lambda client: client.rollback(to, reason, operation))
    if wait:
        with working(f"rolling out generation {generation}"):
            wait_until_live(where, generation, timeout_s=timeout_s)
    say_generation(generation, live=wait, as_json=as_json)


def pause(
    context: typer.Context,
    reason: ReasonOption = "by hand",
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
) -> None:
    """Stop proposing changes, on all peers; rollouts go on."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    operation = _operation()
    ask(where, lambda client: client.pause(paused=True, reason=reason, operation=operation))
    say_lines(Text("paused on all peers; go on with `tars evolve resume`"))


def resume(
    context: typer.Context,
    reason: ReasonOption = "by hand",
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
) -> None:
    """Go on proposing changes, on all peers."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    operation = _operation()
    ask(where, lambda client: client.pause(paused=False, reason=reason, operation=operation))
    say_lines(Text("resumed on all peers"))


def clear(
    context: typer.Context,
    generation: NumberArgument,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
) -> None:
    """Allow again what was rolled back with this generation."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    operation = _operation()
    ask(where, lambda client: client.clear(generation, operation))
    say_lines(Text(f"what was rolled back with generation {generation} may be tried again"))


def _operation() -> str:
    """Name this wish, so that another peer may be asked the same without deciding it twice."""
    return str(uuid.uuid4())
