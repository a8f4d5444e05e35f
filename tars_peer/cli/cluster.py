"""``tars cluster``: how a cluster is, and its start and end. Its live view is in ``up``."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.text import Text

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli import up
from tars_peer.cli.exit_codes import ExitCode
from tars_peer.cli.find import Known, Where, ask, cluster_status, each
from tars_peer.cli.machine import machine_of
from tars_peer.cli.options import DEFAULT_HOME, CertsOption, EndpointOption, HomeOption, JsonOption
from tars_peer.cli.speak import remark, say_json, say_lines, say_table
from tars_peer.cli.tables import peers_table, status_lines, status_table
from tars_peer.cli.verify import Report, Verification, differences, diverged, report, settled
from tars_peer.errors import TarsError, UsageError
from tars_peer.model.member import majority
from tars_peer.model.status import ClusterStatus

app = typer.Typer(no_args_is_help=True)
app.command(name="up")(up.up)

#: How long, in seconds, replicas that move on may take to come to the same index.
_SETTLE_S = 5.0
_LOOK_S = 0.25

_DECIDING = ("leader", "follower")


@app.command()
def status(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the cluster. Exit code 3: no peer answers, or a majority is missing."""
    seen = cluster_status(
        Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    )
    if as_json:
        say_json(seen)
    else:
        say_lines(*status_lines(seen))
        say_table(status_table(seen))
    if not has_quorum(seen):
        remark(f"no quorum: {seen.reason or 'a majority of the peers is not there'}")
        raise typer.Exit(ExitCode.UNREACHABLE)


@app.command()
def peers(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the peers as members of the log."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    seen = ask(where, PeerClient.cluster_status)
    if as_json:
        say_json(seen.peers)
    else:
        say_table(peers_table(seen))


@app.command()
def verify(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    endpoint: EndpointOption = None,
    certs: CertsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare ledgers, commits and trees of all peers. Exit code 1: they differ."""
    where = Where(machine=machine_of(context), home=home, endpoint=endpoint, certs=certs)
    outcome = _verification(_members(where))
    if as_json:
        say_json(outcome)
    else:
        _say_verification(outcome)
    if outcome.unreachable:
        raise typer.Exit(ExitCode.UNREACHABLE)
    if not outcome.equal:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def kill(
    context: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="Its name, for example p1.")],
    home: HomeOption = DEFAULT_HOME,
    restart: Annotated[
        bool, typer.Option("--restart/--no-restart", help="Let its supervisor start it again.")
    ] = True,
) -> None:
    """Kill one peer with no warning, to see that nothing is lost."""
    machine = machine_of(context)
    names = [member.id for member in machine.load(home).peers]
    if peer not in names:
        raise UsageError(f"there is no peer {peer!r} in {home}", hint=f"one of: {', '.join(names)}")
    machine.kill(home, peer, restart=restart)
    after = "its supervisor starts it again" if restart else "it stays down until `tars cluster up`"
    say_lines(Text(f"killed {peer}; {after}"))


@app.command()
def down(context: typer.Context, home: HomeOption = DEFAULT_HOME) -> None:
    """Stop all peers cleanly. `tars cluster up` goes on where they were."""
    stopped = machine_of(context).stop(home)
    say_lines(*(Text(f"{peer} is stopped") for peer in stopped))
    if not stopped:
        remark(f"no peer of {home} was running")


def has_quorum(seen: ClusterStatus) -> bool:
    """Say whether a majority can decide, as far as ``seen`` tells."""
    deciding = sum(peer.state in _DECIDING for peer in seen.peers)
    return seen.leader is not None and deciding >= majority(len(seen.peers))


def _members(where: Where) -> tuple[Known, ...]:
    """Return all members: a home names them, an endpoint is asked for them."""
    if where.endpoint is None:
        return where.known()
    seen = ask(where, PeerClient.cluster_status)
    return tuple(where.one(peer.id, peer.address) for peer in seen.peers)


def _verification(members: tuple[Known, ...]) -> Verification:
    deadline_s = time.monotonic() + _SETTLE_S
    before: tuple[str, ...] = ()
    while True:
        answers = each(members, _report)
        reports = [answer for answer in answers if isinstance(answer, Report)]
        silent = tuple(
            f"{member.id or member.address}: {answer}"
            for member, answer in zip(members, answers, strict=True)
            if isinstance(answer, TarsError)
        )
        found = differences(reports)
        over = time.monotonic() >= deadline_s or (found == before and diverged(found))
        before = found
        if over or (settled(reports) and not silent):
            return Verification(
                equal=not found and not silent,
                differences=found,
                unreachable=silent,
                peers=tuple(report.peer for report in reports),
            )
        time.sleep(_LOOK_S)


def _report(client: PeerClient) -> Report:
    return report(client.peer_status(), client.cluster_status())


def _say_verification(outcome: Verification) -> None:
    for silent in outcome.unreachable:
        remark(f"error: {silent}")
    for difference in outcome.differences:
        remark(f"error: {difference}")
    if outcome.unreachable or outcome.differences:
        remark(
            "hint: see `tars cluster status`; `tars evolve sync` makes peers fetch what they lack"
        )
        return
    peer = outcome.peers[0]
    say_lines(
        Text.assemble(("equal", "bold green"), f" on {len(outcome.peers)} peers"),
        Text(f"applied index  {peer.applied_index}"),
        Text(f"ledger digest  {peer.ledger_digest}"),
        Text(f"commit         {peer.commit}"),
        Text(f"tree           {peer.tree}"),
    )
