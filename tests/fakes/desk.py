"""A desk with canned answers that remembers what it was asked. It decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tars_peer.model.ballot import Ballot, GateResult, Measurement, Verdict
from tars_peer.model.change import Change, Edit
from tars_peer.model.event import Event
from tars_peer.model.noun import CommitId
from tars_peer.model.status import (
    AnalysisView,
    ChangeView,
    ClusterStatus,
    FindingRow,
    HeadStatus,
    HistoryRow,
    PeerStatus,
    RolloutStatus,
)

COMMITS = ("0" * 40, "1" * 40, "2" * 40)
TREES = ("a" * 40, "b" * 40, "c" * 40)
DIGEST = "d" * 64
CHANGE_ID = "e" * 64


def some_peer(number: int = 1, **fields: object) -> PeerStatus:
    """Make peer ``p<number>``, healthy and on generation 1, but for what the caller says."""
    plain: dict[str, object] = {
        "id": f"p{number}",
        "address": f"127.0.0.1:{7100 + number}",
        "state": "leader" if number == 1 else "follower",
        "generation": 1,
        "commit": COMMITS[1],
        "tree": TREES[1],
        "applied_index": 41,
        "ledger_digest": DIGEST,
        "health": "healthy",
        "sandbox": "bubblewrap",
        "service_url": "",
        "reason": "",
    }
    return PeerStatus(**{**plain, **fields})  # type: ignore[arg-type]


def some_cluster(**fields: object) -> ClusterStatus:
    """Make a healthy cluster of three on generation 1, but for what the caller says."""
    plain: dict[str, object] = {
        "cluster_id": "tars-test",
        "leader": "p1",
        "term": 3,
        "healthy": True,
        "head": HeadStatus(generation=1, commit=COMMITS[1], tree=TREES[1]),
        "rollout": RolloutStatus(generation=1, stage="complete", reason=""),
        "paused": False,
        "reason": "",
        "peers": (some_peer(1), some_peer(2), some_peer(3)),
    }
    return ClusterStatus(**{**plain, **fields})  # type: ignore[arg-type]


def some_row(number: int, **fields: object) -> HistoryRow:
    """Make generation ``number``: 0 is the genesis, others are changes."""
    plain: dict[str, object] = {
        "generation": number,
        "commit": COMMITS[number % 3],
        "tree": TREES[number % 3],
        "parent_commit": COMMITS[(number - 1) % 3] if number else "",
        "kind": "change" if number else "genesis",
        "improvement": "hoist-regex" if number else "",
        "files": ("parcels/report.py",) if number else (),
        "measured_ratio": 1.25 if number else None,
        "ballots": ("p1", "p2") if number else (),
        "raft_index": 40 + number,
        "state": "live" if number else "superseded",
        "summary": "compile the pattern once" if number else "the genome as it was given",
    }
    return HistoryRow(**{**plain, **fields})  # type: ignore[arg-type]


def some_finding(rank: int, **fields: object) -> FindingRow:
    """Make a finding with its place in the plan."""
    plain: dict[str, object] = {
        "rank": rank,
        "improvement": "hoist-regex",
        "path": "parcels/report.py",
        "line": 17,
        "function": "Report.render",
        "message": "the pattern is compiled in the loop",
        "evidence": "re.compile with a constant inside for",
        "share": 0.42,
        "score": 0.31,
        "why": "0.42 x 0.9 / 1.2",
    }
    return FindingRow(**{**plain, **fields})  # type: ignore[arg-type]


def some_event(kind: str, text: str = "", **fields: object) -> Event:
    """Make an event of p1 about generation 1."""
    plain: dict[str, object] = {
        "time_ms": 1_700_000_000_000,
        "peer": "p1",
        "kind": kind,
        "generation": 1,
        "index": 0,
        "change_id": "",
        "text": text,
        "data": {},
    }
    return Event(**{**plain, **fields})  # type: ignore[arg-type]


def some_ballot(verdict: Verdict = Verdict.APPROVE) -> Ballot:
    """Make a ballot of p1 with figures; its signature is nobody's."""
    return Ballot(
        cluster_id="tars-test",
        change_id=CHANGE_ID,
        voter="p1",
        verdict=verdict,
        gates=(
            GateResult(gate="1-parses", passed=True, reason=""),
            GateResult(
                gate="5-tests",
                passed=verdict is Verdict.APPROVE,
                reason="" if verdict is Verdict.APPROVE else "test_day fails",
            ),
        ),
        tests_passed=34,
        measurement=Measurement(
            pairs=12,
            ratio_ppm=1_250_000,
            low_ppm=1_200_000,
            high_ppm=1_300_000,
            old_ns=5_000_000,
            new_ns=4_000_000,
            source="benchmark",
        ),
        sandbox="bubblewrap",
        signature="f" * 128,
    )


def some_change() -> Change:
    """Make a change that edits one file."""
    return Change(
        base_generation=1,
        base_commit=COMMITS[1],
        base_tree=TREES[1],
        tree=TREES[2],
        improvement="hoist-regex",
        summary="compile the pattern once",
        target="Report.render",
        fingerprint=DIGEST,
        policy=DIGEST,
        edits=(Edit(path="parcels/report.py", start=0, end=1, before="a", after="ä"),),
    )


DIFF = """\
--- a/parcels/report.py
+++ b/parcels/report.py
@@ -1,2 +1,2 @@
-slow = 1
+fast = 1
"""


@dataclass
class FakeDesk:
    """Answers from its fields; ``faults`` maps a method to what it raises instead.

    ``asked`` holds each call as ``(method, *arguments)``. The stream of events gives ``kept`` and
    then stays open until ``close``.
    """

    serving: bool = True
    peer: PeerStatus = field(default_factory=some_peer)
    cluster: ClusterStatus = field(default_factory=some_cluster)
    rows: tuple[HistoryRow, ...] = field(default_factory=lambda: (some_row(0), some_row(1)))
    found: AnalysisView = field(
        default_factory=lambda: AnalysisView(
            generation=1,
            findings=(some_finding(1), some_finding(0, share=None, why="refused before")),
            skipped=(("broken.py", "line 3: invalid syntax"),),
        )
    )
    diff_text: str = DIFF
    verdict: Verdict = Verdict.APPROVE
    git_objects: tuple[tuple[int, bytes], ...] = ()
    kept: tuple[Event, ...] = ()
    faults: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """End the stream of events."""
        self.closed.set()

    def healthy(self) -> bool:
        self._note("healthy")
        return self.serving

    def peer_status(self) -> PeerStatus:
        self._note("peer_status")
        return self.peer

    def cluster_status(self) -> ClusterStatus:
        self._note("cluster_status")
        return self.cluster

    def history(self) -> tuple[HistoryRow, ...]:
        self._note("history")
        return self.rows

    def analysis(self) -> AnalysisView:
        self._note("analysis")
        return self.found

    def generate(self, rank: int) -> ChangeView:
        self._note("generate", rank)
        return ChangeView(
            change_id=CHANGE_ID,
            improvement="hoist-regex",
            summary="compile the pattern once",
            target="Report.render",
            base_generation=1,
            tree=TREES[2],
            diff=self.diff_text,
        )

    def validate(self, rank: int) -> Ballot:
        self._note("validate", rank)
        return some_ballot(self.verdict)

    def deploy(self, rank: int) -> int:
        self._note("deploy", rank)
        return 2

    def diff(self, older: int, newer: int) -> str:
        self._note("diff", older, newer)
        return self.diff_text

    def rollback(self, to: int | None, reason: str, operation: str) -> int:
        self._note("rollback", to, reason, operation)
        return 2

    def pause(self, *, paused: bool, reason: str, operation: str) -> None:
        self._note("pause", paused, reason, operation)

    def clear(self, generation: int, operation: str) -> None:
        self._note("clear", generation, operation)

    def sync(self) -> str:
        self._note("sync")
        return "nothing was missing"

    def run_once(self) -> str:
        self._note("run_once")
        return "looking at generation 1"

    def ballot(self, change: Change, *, timeout_s: float) -> Ballot:
        self._note("ballot", change, timeout_s)
        return some_ballot(self.verdict)

    def dismiss(self, change_id: str) -> None:
        self._note("dismiss", change_id)

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        self._note("objects", want, have)
        yield from self.git_objects

    def events(self, *, replay: bool) -> Iterator[Event]:
        self._note("events", replay)
        yield from self.kept
        self.closed.wait()

    def _note(self, *call: object) -> None:
        self.asked.append(call)
        fault = self.faults.get(str(call[0]))
        if fault is not None:
            raise fault
