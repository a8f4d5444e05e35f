"""``tars evolve``: the stages by hand. What happened before is in ``generations``."""

from __future__ import annotations

import msgspec
import typer
from rich.text import Text

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli.exit_codes import ExitCode
from tars_peer.cli.find import Where, ask, each
from tars_peer.cli.machine import machine_of
from tars_peer.cli.options import (
    DEFAULT_HOME,
    CertsOption,
    EndpointOption,
    HomeOption,
    JsonOption,
    RankArgument,
    TimeoutOption,
    WaitOption,
)
from tars_peer.cli.settled import wait_until_live
from tars_peer.cli.speak import plain, remark, say_json, say_lines, say_table, working
from tars_peer.cli.tables import ballot_lines, diff_lines, findings_table, skipped_lines
from tars_peer.errors import TarsError
from tars_peer.model.ballot import Verdict

app = typer.Typer(no_args_is_help=True)


@app.command()
def analyze(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Profile and analyse the head now; show everything that was found."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    with working("profiling and analysing the head"):
        view = ask(where, PeerClient.analysis)
    if as_json:
        say_json(view)
        return
    say_lines(
        Text(f"generation {view.generation}: {len(view.findings)} findings"), *skipped_lines(view)
    )
    say_table(findings_table(view.findings))


@app.command()
def plan(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would be tried next, in which order, and why."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    with working("profiling and analysing the head"):
        view = ask(where, PeerClient.analysis)
    ranked = tuple(finding for finding in view.findings if finding.rank)
    if as_json:
        say_json(msgspec.structs.replace(view, findings=ranked))
    elif ranked:
        say_table(findings_table(ranked))
        remark("write the change of an item with `tars evolve generate RANK`")
    else:
        say_lines(Text(f"generation {view.generation}: nothing left to gain"))


@app.command()
def generate(
    context: typer.Context,
    rank: RankArgument = 1,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the change of one item of the plan and show it; nothing is kept."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    with working("writing the change"):
        change = ask(where, lambda client: client.generate(rank))
    if as_json:
        say_json(change)
        return
    remark(f"{change.improvement} in {change.target}: {change.summary}")
    say_lines(*diff_lines(change.diff))


@app.command()
def validate(
    context: typer.Context,
    rank: RankArgument = 1,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the change of one item up the gates of one peer. Exit code 1: not approved."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    with working("building, testing and measuring old against new"):
        ballot = ask(where, lambda client: client.validate(rank))
    if as_json:
        say_json(ballot)
    else:
        say_lines(*ballot_lines(ballot))
    if ballot.verdict is not Verdict.APPROVE:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def deploy(
    context: typer.Context,
    *,
    rank: RankArgument = 1,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    wait: WaitOption = False,
    timeout_s: TimeoutOption = 300.0,
    as_json: JsonOption = False,
) -> None:
    """Propose the change of one item to the cluster."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    with working("gathering ballots"):
        generation = ask(where, lambda client: client.deploy(rank), again=False)
    if wait:
        with working(f"rolling out generation {generation}"):
            wait_until_live(where, generation, timeout_s=timeout_s)
    say_generation(generation, live=wait, as_json=as_json)


@app.command()
def sync(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make every peer fetch what it lacks. Exit code 3: one does not answer."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    known = where.known()
    with working("looking for what is missing"):
        answers = each(known, PeerClient.sync)
    rows = [
        (peer.id or peer.address, isinstance(answer, str), str(answer))
        for peer, answer in zip(known, answers, strict=True)
    ]
    if as_json:
        say_json([{"peer": peer, "done": done, "text": text} for peer, done, text in rows])
    else:
        for peer, done, text in rows:
            if done:
                say_lines(Text(f"{peer}: {plain(text)}"))
            else:
                remark(f"error: {peer}: {plain(text)}")
    if any(isinstance(answer, TarsError) for answer in answers):
        raise typer.Exit(ExitCode.UNREACHABLE)


@app.command()
def run(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wake the engine for one cycle now."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    text = ask(where, PeerClient.run_once)
    if as_json:
        say_json({"text": text})
    else:
        say_lines(Text(plain(text)))


def say_generation(generation: int, *, live: bool, as_json: bool) -> None:
    """Print the generation that a decision made."""
    if as_json:
        say_json({"generation": generation, "live": live})
        return
    how = "is live on all peers" if live else "is decided; `tars cluster status` shows its rollout"
    say_lines(Text(f"generation {generation} {how}"))
