"""Are all replicas the same? Compares what peers say; asking and printing stay elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tars_peer.model.noun import Noun
from tars_peer.model.status import ClusterStatus, HeadStatus, PeerStatus

_LEDGER = "ledger digest"


class Report(Noun, frozen=True, kw_only=True):
    """What one peer says of itself (``peer``) and of the newest decided generation (``head``)."""

    peer: PeerStatus
    head: HeadStatus


class Verification(Noun, frozen=True, kw_only=True):
    """The outcome: ``equal`` where every peer answered and nothing differs."""

    equal: bool
    differences: tuple[str, ...]
    unreachable: tuple[str, ...]
    peers: tuple[PeerStatus, ...]


def report(peer: PeerStatus, cluster: ClusterStatus) -> Report:
    """Return what the peer says in its two answers."""
    return Report(peer=peer, head=cluster.head)


def settled(reports: Iterable[Report]) -> bool:
    """Say whether all peers have applied the same entries and run what these decided."""
    reports = tuple(reports)
    return len({report.peer.applied_index for report in reports}) <= 1 and not differences(reports)


def differences(reports: Iterable[Report]) -> tuple[str, ...]:
    """Name everything in which ``reports`` differ, and every peer that does not run the head."""
    reports = tuple(sorted(reports, key=lambda report: report.peer.id))
    found = _differing("applied index", reports, lambda report: str(report.peer.applied_index))
    if not found:
        # Digests of different moments differ by rights; only at the same index do they tell.
        found += _differing(_LEDGER, reports, lambda report: report.peer.ledger_digest)
    found += _differing("head commit", reports, lambda report: report.head.commit)
    found += _differing("head tree", reports, lambda report: report.head.tree)
    for report in reports:
        peer, head = report.peer, report.head
        if peer.commit != head.commit:
            found.append(
                f"{peer.id} runs commit {peer.commit or 'none'}, its head is {head.commit}"
            )
        if peer.tree != head.tree:
            found.append(f"{peer.id} runs tree {peer.tree or 'none'}, its head's is {head.tree}")
    return tuple(found)


def diverged(found: Iterable[str]) -> bool:
    """Say whether ``found`` names what no waiting heals: other ledgers at the same index."""
    return any(difference.startswith(_LEDGER) for difference in found)


def _differing(
    what: str, reports: tuple[Report, ...], value_of: Callable[[Report], str]
) -> list[str]:
    values = {report.peer.id: value_of(report) for report in reports}
    if len(set(values.values())) <= 1:
        return []
    return [f"{what} differs: " + ", ".join(f"{peer} {value}" for peer, value in values.items())]
