"""Views as tables and lines for people. No calls and no printing may enter here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from tars_peer.cli.speak import plain
from tars_peer.model.ballot import Ballot, Verdict
from tars_peer.model.status import (
    AnalysisView,
    ClusterStatus,
    FindingRow,
    HistoryRow,
    PeerStatus,
)

_STYLES = {
    "leader": "bold green",
    "follower": "green",
    "healthy": "green",
    "live": "green",
    "approve": "green",
    "starting": "yellow",
    "rolling": "yellow",
    "abstain": "yellow",
    "superseded": "dim",
    "unknown": "dim",
    "no-quorum": "bold red",
    "unhealthy": "bold red",
    "unreachable": "bold red",
    "stopped-by-fault": "bold red",
    "rolled_back": "red",
    "refuse": "red",
}
_DIFF_STYLES = (
    ("+++", "bold"),
    ("---", "bold"),
    ("@@", "cyan"),
    ("+", "green"),
    ("-", "red"),
)
PARTS_PER_UNIT = 1_000_000
_SHORT = 10


def short(object_id: str) -> str:
    """Return the first letters of a commit or tree id."""
    return object_id[:_SHORT]


def ratio(value: float | None) -> str:
    """Return old over new cost as people read it."""
    return "" if value is None else f"{value:.3f}x"


def word(value: str) -> Text:
    """Return a state with the colour that goes with it."""
    return Text(plain(value), style=_STYLES.get(value, ""))


def diff_lines(diff: str) -> Iterator[Text]:
    """Yield the lines of a unified diff, coloured."""
    for line in diff.splitlines():
        style = next((style for start, style in _DIFF_STYLES if line.startswith(start)), "")
        yield Text(plain(line), style=style)


def status_lines(status: ClusterStatus) -> Iterator[Text]:
    """Yield what there is to say of the cluster above its peers."""
    health = Text("healthy", "green") if status.healthy else Text("not healthy", "bold red")
    yield Text.assemble("cluster  ", plain(status.cluster_id) or "?", "  ", health)
    if status.reason:
        yield Text.assemble("reason   ", (plain(status.reason), "yellow"))
    yield Text.assemble("leader   ", plain(status.leader or "none"), f"  term {status.term}")
    head = status.head
    yield Text(f"head     generation {head.generation}  {short(head.commit)}".rstrip())
    if status.rollout is not None:
        rollout = status.rollout
        line = f"rollout  generation {rollout.generation}: {rollout.stage}"
        yield Text(line + (f" ({plain(rollout.reason)})" if rollout.reason else ""))
    if status.paused:
        yield Text("paused   go on with `tars evolve resume`", "yellow")


def status_table(status: ClusterStatus) -> Table:
    """Return the peers and what runs there."""
    table = _table("PEER", "ADDRESS", "STATE", "HEALTH", "GENERATION", "COMMIT", "SANDBOX", "NOTE")
    for peer in status.peers:
        table.add_row(
            plain(peer.id),
            plain(peer.address),
            word(peer.state),
            word(peer.health),
            str(peer.generation),
            short(peer.commit),
            plain(peer.sandbox),
            plain(peer.reason or peer.service_url),
        )
    return table


def peers_table(status: ClusterStatus) -> Table:
    """Return the peers as members of the log, in the columns that etcd has made usual."""
    table = _table(
        "ENDPOINT",
        "ID",
        "STATE",
        "IS LEADER",
        "RAFT TERM",
        "APPLIED INDEX",
        "BEHIND",
        "LEDGER",
        "ERRORS",
    )
    newest = max((peer.applied_index for peer in status.peers), default=0)
    for peer in status.peers:
        seen = peer.state != "unreachable"
        table.add_row(
            plain(peer.address),
            plain(peer.id),
            word(peer.state),
            "true" if peer.id == status.leader else "false",
            str(status.term),
            str(peer.applied_index) if seen else "",
            str(newest - peer.applied_index) if seen else "",
            short(peer.ledger_digest),
            plain(peer.reason),
        )
    return table


def history_table(rows: Iterable[HistoryRow]) -> Table:
    """Return the generations, oldest first."""
    table = _table(
        "GENERATION", "COMMIT", "KIND", "STATE", "RATIO", "BALLOTS", "INDEX", "IMPROVEMENT", "WHAT"
    )
    for row in rows:
        table.add_row(
            str(row.generation),
            short(row.commit),
            row.kind,
            word(row.state),
            ratio(row.measured_ratio),
            plain(" ".join(row.ballots)),
            str(row.raft_index),
            plain(row.improvement),
            plain(row.summary),
        )
    return table


def total_ratio(rows: Iterable[HistoryRow]) -> float:
    """Return how much cheaper the head is than the genesis: all measured ratios that still hold."""
    total = 1.0
    for row in standing(tuple(rows)):
        total *= row.measured_ratio or 1.0
    return total


def standing(rows: Sequence[HistoryRow]) -> tuple[HistoryRow, ...]:
    """Return the changes whose code is in the head.

    A way back to an older tree takes with it every change after that tree.
    """
    lineage: list[HistoryRow] = []
    for row in rows:
        if row.kind == "rollback":
            trees = [older.tree for older in lineage]
            while trees and trees[-1] != row.tree:
                trees.pop()
            lineage = lineage[: len(trees)]
        else:
            lineage.append(row)
    return tuple(row for row in lineage if row.kind == "change")


def row_lines(row: HistoryRow) -> Iterator[Text]:
    """Yield what there is to say of one generation."""
    facts = (
        ("generation", str(row.generation)),
        ("kind", row.kind),
        ("state", row.state),
        ("commit", row.commit),
        ("tree", row.tree),
        ("parent", row.parent_commit or "none"),
        ("improvement", row.improvement),
        ("what", row.summary),
        ("files", " ".join(row.files)),
        ("old/new cost", ratio(row.measured_ratio) or "not measured"),
        ("ballots", " ".join(row.ballots)),
        ("raft index", str(row.raft_index)),
    )
    for name, value in facts:
        if value:
            yield Text(f"{name:<13} {plain(value)}")


def findings_table(findings: Iterable[FindingRow]) -> Table:
    """Return findings with what speaks for them."""
    table = _table("RANK", "IMPROVEMENT", "WHERE", "FUNCTION", "SHARE", "SCORE", "WHAT", "WHY")
    for finding in findings:
        table.add_row(
            str(finding.rank) if finding.rank else "-",
            plain(finding.improvement),
            plain(f"{finding.path}:{finding.line}"),
            plain(finding.function),
            "" if finding.share is None else f"{finding.share:.1%}",
            f"{finding.score:.4f}",
            plain(finding.message),
            plain(finding.why or finding.evidence),
        )
    return table


def skipped_lines(view: AnalysisView) -> Iterator[Text]:
    """Yield the files that were left alone, and why."""
    for path, reason in view.skipped:
        yield Text(f"left alone: {plain(path)}: {plain(reason)}", style="yellow")


def ballot_lines(ballot: Ballot) -> Iterator[Text]:
    """Yield a verdict with its gates and figures."""
    yield Text.assemble("verdict  ", word(ballot.verdict), f" by {ballot.voter}")
    for gate in ballot.gates:
        sign = Text("passed", "green") if gate.passed else Text("failed", "red")
        yield Text.assemble("  ", sign, f"  {plain(gate.gate)}  {plain(gate.reason)}".rstrip())
    yield Text(f"tests    {ballot.tests_passed} passed, in sandbox {plain(ballot.sandbox)}")
    if ballot.measurement is not None:
        figure = ballot.measurement
        yield Text(
            f"cost     old/new {ratio(figure.ratio_ppm / PARTS_PER_UNIT)} "
            f"({ratio(figure.low_ppm / PARTS_PER_UNIT)} to "
            f"{ratio(figure.high_ppm / PARTS_PER_UNIT)}), {figure.pairs} pairs of {figure.source}"
        )
    if ballot.verdict is not Verdict.APPROVE:
        yield Text.assemble("reason   ", (plain(ballot.reason), "yellow"))


def runs(peer: PeerStatus, commit: str) -> bool:
    """Say whether ``peer`` answers and runs ``commit``."""
    return peer.state != "unreachable" and peer.commit == commit


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        right = column in {"GENERATION", "SHARE", "SCORE", "RATIO", "INDEX", "RANK"}
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table
