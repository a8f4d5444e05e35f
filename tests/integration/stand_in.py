"""Takes the place of one peer in the log, for as long as it takes to decide a change unproved.

A majority that lies is what no honest peer can make, so tests make it: the ballots are signed with
the peers' own keys, which a home on one machine holds. Run it while that peer is stopped:
``python -m tests.integration.stand_in HOME PEER`` with the wish as JSON on its input. It prints
what was decided. No gate may enter here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from tars_peer.adapters.clock.machine import MachineClock
from tars_peer.adapters.git.worktree import GitWorktree
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.adapters.rpc.server import serve_streams
from tars_peer.adapters.say.voice import Voice
from tars_peer.config.home import ClusterHome
from tars_peer.decide.decisions import Decisions
from tars_peer.ledger.effect import Enacted
from tars_peer.ledger.entry import Accept
from tars_peer.ledger.parcel import change_id, pack
from tars_peer.ledger.signature import UNSIGNED, sign_ballot
from tars_peer.ledger.state import State
from tars_peer.model.ballot import Ballot, Certificate, Verdict
from tars_peer.model.change import Change, Edit, changed_files
from tars_peer.model.noun import Noun, PeerId, TreeId
from tests.fakes.waiting import until

_PATIENCE_S = 60.0


class Wish(Noun, frozen=True, kw_only=True):
    """Replace ``before`` in ``path`` by ``after``; ``tree`` is declared where it is not empty."""

    path: str
    before: str
    after: str
    tree: str = ""


class Made(Noun, frozen=True, kw_only=True):
    """The generation that was decided."""

    generation: int
    commit: str
    tree: str


def main(home_folder: str, me: str, wish: Wish) -> Made:
    """Decide ``wish`` as ``me``."""
    home = ClusterHome.load(Path(home_folder))
    keys = {peer.id: (home.folder(peer.id) / "ballot.key").read_bytes() for peer in home.peers}
    decisions = Decisions(
        me=PeerId(me),
        cluster_id=home.cluster_id,
        private_key=keys[PeerId(me)],
        clock=MachineClock(),
        events=Voice(peer=me, path=Path("/dev/null")),
    )
    log = RaftLog(
        folder=home.folder(me),
        me=PeerId(me),
        addresses={peer.id: peer.address for peer in home.peers},
        cluster_id=home.cluster_id,
        credentials=home.credentials(me),
        deliver=decisions.deliver,
        keeper=decisions,
    )
    server = serve_streams(
        log,
        address=home.peer(me).address,
        credentials=home.credentials(me),
        members=frozenset(peer.id for peer in home.peers),
    )
    log.start()
    decisions.start()
    try:
        until(
            lambda: log.status().ready and decisions.state.founded and decisions.state.settled,
            timeout_s=_PATIENCE_S,
        )
        folder = home.folder(me)
        worktree = GitWorktree(folder / "genome.git", folder / "artifacts")
        change = _change(decisions.state, wish, worktree)
        ballots = tuple(_ballot(change, home.cluster_id, voter, key) for voter, key in keys.items())
        certificate = Certificate(change_id=change_id(change), ballots=ballots)
        decision = Accept(change=pack(change), certificate=certificate)
        effect = decisions.submit(log, decision, timeout_s=_PATIENCE_S)
        assert isinstance(effect, Enacted), effect
        made = effect.generation
        return Made(generation=made.number, commit=made.commit, tree=made.tree)
    finally:
        server.stop(0)
        log.close()
        decisions.close()


def _change(state: State, wish: Wish, worktree: GitWorktree) -> Change:
    head = state.head
    files = worktree.files(TreeId(head.tree))
    start = files[wish.path].index(wish.before.encode())
    edit = Edit(
        path=wish.path,
        start=start,
        end=start + len(wish.before.encode()),
        before=wish.before,
        after=wish.after,
    )
    tree = worktree.tree_with(TreeId(head.tree), changed_files(files, [edit]))
    return Change(
        base_generation=head.number,
        base_commit=head.commit,
        base_tree=head.tree,
        tree=wish.tree or tree,
        improvement="unproved",
        summary="what a lying majority signed",
        target=wish.path,
        fingerprint=f"{head.number:064x}",
        policy=state.policy,
        edits=(edit,),
    )


def _ballot(change: Change, cluster_id: str, voter: str, key: bytes) -> Ballot:
    ballot = Ballot(
        cluster_id=cluster_id,
        change_id=change_id(change),
        voter=voter,
        verdict=Verdict.APPROVE,
        gates=(),
        tests_passed=1,
        measurement=None,
        sandbox="none",
        signature=UNSIGNED,
    )
    return sign_ballot(ballot, key)


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.read(), type=Wish)
    sys.stdout.write(msgspec.json.encode(main(*sys.argv[1:], asked)).decode())
