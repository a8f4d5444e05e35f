"""A whole cluster on one thread: real ledgers and hands over a fake log, disks and runtimes.

``Cluster`` moves time, kills, holds and revives; a peer's disk outlives its process. What must
hold at every switch is checked here; what must come of it in the end is said by the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tars_peer.decide.decisions import Decisions
from tars_peer.enact.apply import Applier
from tars_peer.enact.deploy import Deployer
from tars_peer.enact.gap import Step
from tars_peer.enact.observe import Prober
from tars_peer.enact.reconcile import Patience, Reconciler
from tars_peer.errors import OvertakenError, RefusedError, TarsError
from tars_peer.ledger.effect import Effect, Enacted
from tars_peer.ledger.entry import Decision, Found, Rollback
from tars_peer.ledger.rollout import turn
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tars_peer.model.change import Change, Edit
from tars_peer.model.generation import Kind
from tars_peer.model.member import majority
from tars_peer.model.noun import ClusterId, PeerId
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.keeper import Prompt
from tests.fakes.log import FakeLog, FakeLogHub
from tests.fakes.meter import FakeMeter
from tests.fakes.runtime import FakeRuntime
from tests.fakes.store import FakeStore
from tests.fakes.voters import FakeVoters
from tests.fakes.worktree import FakeWorktree, tree_id
from tests.unit.ledger.members import CLUSTER, POLICY, acceptance, hex64, members, private_key

FILE = "orchard.py"
OLD_NS = 1_000_000
SLOW_NS = 2 * OLD_NS
PATIENCE = Patience(grace_ms=8_000, patience_ms=20_000, stuck_ms=40_000)
IDLE_S = 5.0
#: Rounds in which every peer looks once; a rollout that takes more goes in circles.
MOST_ROUNDS = 300


class Crash(BaseException):
    """The process dies here; nothing in the product may catch it."""


@dataclass(slots=True)
class Fuse:
    """Counts what a peer does to the world, and kills it at the ``at``-th deed."""

    count: int = 0
    at: int = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Crash


class WorldMeter(FakeMeter):
    """Costs and complaints by tree, the same for all peers unless told otherwise."""

    def __init__(self, cluster: Cluster, peer: str) -> None:
        """Ask ``cluster`` what things cost on ``peer``."""
        super().__init__()
        self._cluster = cluster
        self._peer = peer

    def build(self, artifact: Path) -> str:
        return self._cluster.complaints.get(artifact.name, "")

    def cost(self, artifact: Path) -> int:
        self._cluster.peers[self._peer].fuse()
        cost = self._cluster.costs.get((self._peer, artifact.name))
        cost = cost or self._cluster.costs.get(("", artifact.name), OLD_NS)
        if isinstance(cost, str):
            raise RefusedError(cost, hint="the test says so")
        return cost


@dataclass(slots=True)
class Process:
    """What a start of a peer makes, and its end loses."""

    log: FakeLog
    decisions: Decisions
    reconciler: Reconciler
    applier: Applier


@dataclass(slots=True)
class Peer:
    """A peer's disk, and its process while it is up."""

    name: str
    fuse: Fuse
    worktree: FakeWorktree
    runtime: FakeRuntime
    store: FakeStore
    process: Process | None = None


@dataclass
class Cluster:
    """``count`` peers, founded, all on the first tree."""

    count: int
    clock: FakeClock = field(default_factory=FakeClock)
    hub: FakeLogHub = field(default_factory=FakeLogHub)
    events: FakeEvents = field(default_factory=FakeEvents)
    peers: dict[str, Peer] = field(default_factory=dict)
    costs: dict[tuple[str, str], int | str] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, Step]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    _changes: int = 0
    _state: State = EMPTY
    _stepped: int = 0

    def __post_init__(self) -> None:
        """Make the peers and begin the ledger."""
        self.members = members(self.count)
        for member in self.members:
            fuse = Fuse()
            peer = Peer(
                name=member.id,
                fuse=fuse,
                worktree=FakeWorktree(fuse=fuse),
                runtime=FakeRuntime(fuse=fuse),
                store=FakeStore(fuse=fuse),
            )
            commit, tree = peer.worktree.begin({FILE: b"0"})
            peer.runtime.on_switch = self._watch(peer)
            self.peers[member.id] = peer
        for name in self.peers:
            self.revive(name)
        found = Found(
            members=self.members, commit=commit, tree=tree, policy=POLICY, worse_ppm=150_000
        )
        self.submit("p1", found)

    @property
    def state(self) -> State:
        """The ledger after everything that is decided, whoever has heard of it."""
        for index, payload in self.hub.entries[self._stepped :]:
            self._state, _ = step(self._state, index, payload)
            self._stepped += 1
        return self._state

    def up(self) -> Iterator[tuple[Peer, Process]]:
        """Yield the peers that are up."""
        for peer in self.peers.values():
            if peer.process is not None:
                yield peer, peer.process

    def running(self) -> set[str | None]:
        """Return the trees that run."""
        return {peer.runtime.tree for peer, _ in self.up()}

    def revive(self, name: str) -> None:
        """Start the process of a peer on its disk; it hears all entries anew."""
        peer = self.peers[name]
        if peer.process is None:
            peer.process = self._start(peer)
        self._elect()

    def kill(self, name: str) -> None:
        """End a peer's process; its disk stays."""
        peer = self.peers[name]
        if peer.process is not None:
            peer.process.log.close()
            peer.process = None
        self._elect()

    def submit(self, name: str, decision: Decision) -> Effect:
        """Put a decision to the log as ``name``."""
        process = self.peers[name].process
        assert process is not None
        return process.decisions.submit(process.log, decision, timeout_s=1.0)

    def propose(self, *, cost: int | str = OLD_NS, complaint: str = "", sick: str = "") -> Change:
        """Have a new change accepted.

        ``cost`` is what it costs live, ``complaint`` what its build says; on the peers in ``sick``
        (names divided by spaces) it does not become healthy.
        """
        head = self.state.head
        self._changes += 1
        before = next(
            peer.worktree.files(head.tree)[FILE].decode() for peer, _ in self.up_to_date()
        )
        after = f"{self._changes}"
        change = Change(
            base_generation=head.number,
            base_commit=head.commit,
            base_tree=head.tree,
            tree=tree_id({FILE: after.encode()}),
            improvement="hoist",
            summary=f"make it {after}",
            target=FILE,
            fingerprint=hex64(after),
            policy=POLICY,
            edits=(Edit(path=FILE, start=0, end=len(before), before=before, after=after),),
        )
        self.costs["", change.tree] = cost
        self.complaints[change.tree] = complaint
        for name in sick.split():
            self.peers[name].runtime.unhealthy[change.tree] = "it hangs"
        voters = [member.id for member in self.members][: majority(self.count)]
        proposer = next(peer.name for peer, _ in self.up() if peer.name not in self.held)
        self.submit(proposer, acceptance(change, voters))
        return change

    def up_to_date(self) -> Iterator[tuple[Peer, Process]]:
        """Yield the peers that have the head's tree in their repository."""
        for peer, process in self.up():
            try:
                here = peer.name not in self.held and process.applier.catch_up()
            except Crash:
                self.kill(peer.name)
                continue
            if here:
                yield peer, process

    def roll_back(self, to: int) -> None:
        """Take the head back as a person does."""
        name = next(peer.name for peer, _ in self.up() if peer.name not in self.held)
        head = self.state.head.number
        self.submit(name, Rollback(generation=head, to=to, automatic=False, reason="by hand"))

    def hold(self, name: str) -> None:
        """Let ``name`` hear nothing more."""
        self.held.add(name)
        self.hub.hold(PeerId(name))

    def release(self, name: str) -> None:
        """Let ``name`` hear all that it missed."""
        self.held.discard(name)
        self.hub.release(PeerId(name))

    def step(self, name: str) -> Step:
        """Let a peer take one step; an error is noted, a crash ends its process."""
        peer = self.peers[name]
        if peer.process is None:
            return Step.NOTHING
        try:
            taken = peer.process.reconciler.step()
        except OvertakenError:
            return Step.NOTHING
        except TarsError as error:
            self.errors.append(f"{name}: {error}")
            return Step.NOTHING
        except Crash:
            self.kill(name)
            return Step.NOTHING
        if taken is not Step.NOTHING:
            self.steps.append((name, taken))
        self.check()
        return taken

    def round(self) -> bool:
        """Let every peer take one step; say whether any had one to take."""
        taken = [self.step(name) for name in self.peers]
        return any(each is not Step.NOTHING for each in taken)

    def settle(self) -> None:
        """Start and connect all peers and let them go on until nothing is left to do."""
        self.hub.has_quorum = True
        for name, peer in self.peers.items():
            peer.fuse.at = 0
            self.release(name)
            self.revive(name)
        quiet = 0
        for _ in range(MOST_ROUNDS):
            busy = self.round()
            quiet = 0 if busy else quiet + 1
            if not busy:
                self.clock.sleep(IDLE_S)
            if quiet > 2 and self.state.settled:
                return
        raise AssertionError(
            f"no end: {self.state.rollout}, {self.steps[-12:]}, {self.errors[-3:]}"
        )

    def check(self) -> None:
        """Assert what holds after every step: equal ledgers, and only decided trees run."""
        state = self.state
        for _, process in self.up():
            other = process.decisions.state
            assert other.index < state.index or other == state
        trees = {generation.tree for generation in state.generations}
        assert {peer.runtime.tree for peer in self.peers.values()} <= trees | {None}

    def _watch(self, peer: Peer) -> Callable[[str], None]:
        def on_switch(tree: str) -> None:
            state, rollout = self.state, self.state.rollout
            if rollout is None or state.settled or tree != state.head.tree:
                return
            if state.head.kind is Kind.CHANGE:
                assert turn(rollout) == peer.name or peer.name in rollout.live
            others = {
                other.name
                for other, _ in self.up()
                if other.runtime.tree == tree and other.name != peer.name
            }
            between = others - {*rollout.live, *rollout.failed, *rollout.excused}
            assert state.head.kind is not Kind.CHANGE or not between
            serving = [other for other, _ in self.up() if other.runtime.tree is not None]
            down = self.count - len(list(self.up()))
            assert len(serving) - 1 + down >= majority(self.count) - 1

        return on_switch

    def _elect(self) -> None:
        alive = [peer.name for peer, _ in self.up()]
        self.hub.has_quorum = len(alive) >= majority(self.count)
        if self.hub.leader not in alive:
            self.hub.elect(PeerId(alive[0]) if alive else None)

    def _start(self, peer: Peer) -> Process:
        decisions = Decisions(
            me=PeerId(peer.name),
            cluster_id=ClusterId(CLUSTER),
            private_key=private_key(peer.name),
            clock=self.clock,
            events=self.events,
        )
        others = {
            other.name: other.worktree for other in self.peers.values() if other.name != peer.name
        }
        applier = Applier(
            me=peer.name,
            worktree=peer.worktree,
            voters=FakeVoters(repositories=others),
            state=lambda: decisions.state,
            events=self.events,
        )

        def follow(_index: int, _state: State, effect: Effect) -> None:
            if isinstance(effect, Enacted):
                applier.enqueue(effect)

        decisions.listen(follow)
        log = self.hub.join(PeerId(peer.name), decisions.step_over, Prompt(decisions))

        def submit(decision: Decision) -> Effect:
            peer.fuse()
            effect = decisions.submit(log, decision, timeout_s=1.0)
            peer.fuse()
            return effect

        meter = WorldMeter(self, peer.name)
        prober = Prober(worktree=peer.worktree, meter=meter, store=peer.store, runs=3)
        deployer = Deployer(
            me=peer.name,
            runtime=peer.runtime,
            worktree=peer.worktree,
            meter=meter,
            prober=prober,
            store=peer.store,
            submit=submit,
            events=self.events,
        )
        reconciler = Reconciler(
            me=peer.name,
            state=lambda: decisions.state,
            caught_up=lambda: decisions.caught_up,
            log=log,
            applier=applier,
            deployer=deployer,
            prober=prober,
            runtime=peer.runtime,
            submit=submit,
            clock=self.clock,
            events=self.events,
            patience=PATIENCE,
            enacted=decisions.note_enacted,
        )
        return Process(log=log, decisions=decisions, reconciler=reconciler, applier=applier)


def settled(count: int) -> Cluster:
    """Return a cluster in which all run the first tree."""
    cluster = Cluster(count)
    cluster.settle()
    return cluster


def assert_all_on_head(cluster: Cluster) -> None:
    """Assert that all peers run the head and have its commit."""
    head = cluster.state.head
    assert cluster.running() == {head.tree}
    assert {peer.worktree.head() for peer in cluster.peers.values()} == {head.commit}
