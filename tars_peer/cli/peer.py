"""``tars peer``: be one peer, in this process. What a peer does may not be known here."""

from __future__ import annotations

from typing import Annotated

import typer

from tars_peer.cli.machine import machine_of
from tars_peer.cli.options import DEFAULT_HOME, HomeOption

app = typer.Typer(no_args_is_help=True)

PeerOption = Annotated[
    str, typer.Option("--peer", metavar="PEER", help="Its name, for example p1.")
]


@app.command()
def run(context: typer.Context, peer: PeerOption, home: HomeOption = DEFAULT_HOME) -> None:
    """Run one peer of a home in the foreground, with no supervisor."""
    raise typer.Exit(machine_of(context).run_peer(home, peer))


@app.command(hidden=True)
def supervise(context: typer.Context, peer: PeerOption, home: HomeOption = DEFAULT_HOME) -> None:
    """Supervise one peer of a home: what `tars cluster up` starts for each."""
    raise typer.Exit(machine_of(context).supervise(home, peer))
