"""Options that many commands share. No command may enter here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_HOME = Path(".tars")

HomeOption = Annotated[
    Path,
    typer.Option("--home", envvar="TARS_HOME", metavar="DIR", help="The cluster's folder."),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        envvar="TARS_ENDPOINT",
        metavar="HOST:PORT",
        help="Ask this peer, instead of those that the home names.",
    ),
]
CertsOption = Annotated[
    Path | None,
    typer.Option(
        "--certs",
        envvar="TARS_CERTS",
        metavar="DIR|FILE",
        help="Show this certificate: a folder that `tars certs issue` wrote, or one of its files. "
        "Default: the operator's, in the home.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
RankArgument = Annotated[
    int, typer.Argument(min=1, metavar="RANK", help="The item of the plan, from 1.")
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the log.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Return once it is live on all peers.")]
TimeoutOption = Annotated[
    float,
    typer.Option("--timeout", min=1.0, metavar="SECONDS", help="How long to wait, with --wait."),
]
