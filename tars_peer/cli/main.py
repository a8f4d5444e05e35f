"""The app: all commands, and what becomes of errors. No command's own work may enter here."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tars_peer.cli import certs, cluster, evolve, generations, peer
from tars_peer.cli.exit_codes import ExitCode, exit_code_of
from tars_peer.cli.speak import complain
from tars_peer.errors import PermanentError, TarsError


class HouseGroup(TyperGroup):
    """Ends with the error's message, hint and exit code, where a command raises one of ours."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (typer has changed the type's home)
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TarsError as error:
            complain(error)
            raise typer.Exit(exit_code_of(error)) from error


app = typer.Typer(
    cls=HouseGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A self-evolving replica network. Start with `tars cluster up`.",
)
app.add_typer(cluster.app, name="cluster", help="Start, watch, check and stop a cluster.")
app.add_typer(evolve.app, name="evolve", help="Evolution by hand, and its history.")
app.add_typer(certs.app, name="certs", help="Certificates: who may speak to the peers.")
app.add_typer(peer.app, name="peer", help="Be one peer.")
generations.add_to(evolve.app)


def _say_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"tars {version('tars-peer')}")
        except PackageNotFoundError:
            # An artifact of a generation runs from its folder and is not installed.
            typer.echo("tars, from a source folder")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that stand before any command."""
    del show_version


def run() -> None:
    """Be the program ``tars``: exit with the command's code, never with a traceback."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.DONE)
    except Exception as error:
        if os.environ.get("TARS_TRACEBACK"):
            raise
        complain(
            PermanentError(
                f"a fault in TARS itself: {type(error).__name__}: {error}",
                hint="please report it, with what TARS_TRACEBACK=1 shows when you run this again",
            )
        )
        sys.exit(ExitCode.REFUSED)
