"""Putting a peer together from its home folder: every port meets its adapter here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tars_peer.adapters.clock.machine import MachineClock
from tars_peer.adapters.git.worktree import GitWorktree
from tars_peer.adapters.meter.environment import build_environment
from tars_peer.adapters.meter.meter import GenomeMeter
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.adapters.rpc.voters import RpcVoters
from tars_peer.adapters.runtime.artifact import ArtifactRuntime
from tars_peer.adapters.runtime.health import ask_service
from tars_peer.adapters.runtime.itself import SelfRuntime
from tars_peer.adapters.runtime.service import ServiceRuntime, ServiceSettings
from tars_peer.adapters.sandbox.probe import choose_sandbox
from tars_peer.adapters.say.voice import Voice
from tars_peer.adapters.store.sqlite import SqliteStore
from tars_peer.config.genome import read_policy
from tars_peer.config.home import ClusterHome, PeerEntry
from tars_peer.decide.decisions import Decisions
from tars_peer.decide.judge import Judge
from tars_peer.decide.propose import Proposer
from tars_peer.enact.apply import Applier
from tars_peer.enact.deploy import Deployer
from tars_peer.enact.observe import Prober
from tars_peer.enact.reconcile import Patience, Reconciler
from tars_peer.evolve.engine import Engine
from tars_peer.evolve.validate.examine import Examiner
from tars_peer.ledger.effect import Effect, Enacted
from tars_peer.ledger.entry import Decision
from tars_peer.ledger.state import State
from tars_peer.model.member import Member
from tars_peer.model.noun import TreeId
from tars_peer.model.policy import Policy
from tars_peer.peer.desk import PeerDesk, Rooms
from tars_peer.peer.evolving import Evolving, Stages
from tars_peer.peer.founding import members_of
from tars_peer.peer.keys import open_worktree, read_key
from tars_peer.peer.telling import tell_effect
from tars_peer.ports.runtime import Runtime
from tars_peer.ports.sandbox import Sandbox

#: Set by the supervisor: the tree that this very process was started from.
TREE_VARIABLE = "TARS_TREE"
#: Entries of the rollout are put to the log with this patience, in seconds.
_SUBMIT_S = 10.0
_GRACE_MS = 8_000
_PATIENCE_MS = 60_000
_STUCK_SLACK_MS = 120_000


@dataclass(slots=True)
class Trouble:
    """Why this peer does not evolve, if it does not."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer put together; ``run`` brings it to life."""

    home: ClusterHome
    entry: PeerEntry
    policy: Policy
    voice: Voice
    log: RaftLog
    decisions: Decisions
    examiner: Examiner
    reconciler: Reconciler
    evolving: Evolving
    runtime: Runtime
    voters: RpcVoters
    store: SqliteStore
    desk: PeerDesk
    trouble: Trouble

    def submit(self, decision: Decision) -> Effect:
        """Put ``decision`` to the log; see ``Decisions.submit``."""
        return self.decisions.submit(self.log, decision, timeout_s=_SUBMIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is needed before anything can be put together: the genome and where to run it."""

    home: ClusterHome
    entry: PeerEntry
    folder: Path
    key: bytes
    policy: Policy
    python: Path
    members: tuple[Member, ...]
    voice: Voice
    voters: RpcVoters
    worktree: GitWorktree


def prepare(home: ClusterHome, me: str) -> Ground:
    """Read the peer's key, genome and settings, and make sure of the genome's environment.

    Raises:
        TarsError: something is missing or wrong; the message and its hint say what.
    """
    entry, folder, members = home.peer(me), home.folder(me), members_of(home)
    voice = Voice(peer=me, path=folder / "events.jsonl")
    voters = RpcVoters(MachineClock(), home.credentials(me))
    worktree = open_worktree(home, me, members, voters)
    files = worktree.files(home.tree)
    policy = read_policy(files)
    python = build_environment(
        policy=policy,
        files=files,
        folder=home.environments,
        report=lambda line: voice.say("environment", line),
    )
    return Ground(
        home=home,
        entry=entry,
        folder=folder,
        key=read_key(folder, entry.ballot_key),
        policy=policy,
        python=python,
        members=members,
        voice=voice,
        voters=voters,
        worktree=worktree,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every room needs: the log, the ledger, and where code is run and measured."""

    clock: MachineClock
    store: SqliteStore
    sandbox: Sandbox
    meter: GenomeMeter
    decisions: Decisions
    log: RaftLog

    def state(self) -> State:
        """Return the ledger as stepped so far."""
        return self.decisions.state

    def submit(self, decision: Decision, timeout_s: float = _SUBMIT_S) -> Effect:
        """Put ``decision`` to the log; see ``Decisions.submit``."""
        return self.decisions.submit(self.log, decision, timeout_s=timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """The room that enacts."""

    applier: Applier
    runtime: Runtime
    reconciler: Reconciler


def compose(ground: Ground, leave: Callable[[], None]) -> Peer:
    """Put the peer together; ``leave`` ends the process so that the supervisor swaps it.

    Raises:
        TarsError: the log or the sandbox cannot be had.
    """
    core = _core(ground)
    examiner = Examiner(
        policy=ground.policy,
        worktree=ground.worktree,
        meter=core.meter,
        store=core.store,
        events=ground.voice,
    )
    stages = _stages(ground, core, examiner)
    evolving = Evolving(
        me=ground.entry.id,
        policy=ground.policy,
        stages=stages,
        events=ground.voice,
        clock=core.clock,
    )
    hands = _hands(ground, core, leave)
    trouble = Trouble()

    def follow(index: int, after: State, effect: Effect) -> None:
        if isinstance(effect, Enacted):
            hands.applier.enqueue(effect)
        tell_effect(ground.voice, index, after, effect)
        hands.reconciler.wake()
        evolving.wake()

    core.decisions.listen(follow)
    return Peer(
        home=ground.home,
        entry=ground.entry,
        policy=ground.policy,
        voice=ground.voice,
        log=core.log,
        decisions=core.decisions,
        examiner=examiner,
        reconciler=hands.reconciler,
        evolving=evolving,
        runtime=hands.runtime,
        voters=ground.voters,
        store=core.store,
        desk=_desk(ground, core, stages, evolving, hands, trouble),
        trouble=trouble,
    )


def _core(ground: Ground) -> Core:
    home, me = ground.home, ground.entry.id
    clock, sandbox = MachineClock(), choose_sandbox()
    decisions = Decisions(
        me=me,
        cluster_id=home.cluster_id,
        private_key=ground.key,
        clock=clock,
        events=ground.voice,
    )
    return Core(
        clock=clock,
        store=SqliteStore(ground.folder / "store.sqlite"),
        sandbox=sandbox,
        meter=GenomeMeter(
            policy=ground.policy,
            python=ground.python,
            sandbox=sandbox,
            machine_lock=home.path / "machine.lock",
        ),
        decisions=decisions,
        log=RaftLog(
            folder=ground.folder,
            me=me,
            addresses={peer.id: peer.address for peer in home.peers},
            cluster_id=home.cluster_id,
            credentials=home.credentials(me),
            deliver=decisions.deliver,
            keeper=decisions,
        ),
    )


def _stages(ground: Ground, core: Core, examiner: Examiner) -> Stages:
    me, voice = ground.entry.id, ground.voice
    return Stages(
        engine=Engine(
            policy=ground.policy, worktree=ground.worktree, meter=core.meter, events=voice
        ),
        judge=Judge(
            me=me,
            private_key=ground.key,
            examine=examiner.examine,
            state=core.state,
            wait_past=core.decisions.wait_past,
            store=core.store,
            sandbox=core.sandbox.level,
        ),
        proposer=Proposer(
            me=me,
            voters=ground.voters,
            submit=core.submit,
            state=core.state,
            events=voice,
            clock=core.clock,
        ),
        decisions=core.decisions,
        worktree=ground.worktree,
        log=core.log,
    )


def _hands(ground: Ground, core: Core, leave: Callable[[], None]) -> Hands:
    me, voice, worktree = ground.entry.id, ground.voice, ground.worktree
    applier = Applier(
        me=me, worktree=worktree, voters=ground.voters, state=core.state, events=voice
    )
    runtime = _runtime(ground, leave)
    prober = Prober(
        worktree=worktree,
        meter=core.meter,
        store=core.store,
        runs=ground.policy.thresholds.probes,
    )
    deployer = Deployer(
        me=me,
        runtime=runtime,
        worktree=worktree,
        meter=core.meter,
        prober=prober,
        store=core.store,
        submit=core.submit,
        events=voice,
    )
    reconciler = Reconciler(
        me=me,
        state=core.state,
        caught_up=lambda: core.decisions.caught_up,
        enacted=core.decisions.note_enacted,
        log=core.log,
        applier=applier,
        deployer=deployer,
        prober=prober,
        runtime=runtime,
        submit=core.submit,
        clock=core.clock,
        events=voice,
        patience=Patience(
            grace_ms=_GRACE_MS,
            patience_ms=_PATIENCE_MS,
            stuck_ms=ground.policy.timeouts.healthy_ms + _STUCK_SLACK_MS,
        ),
    )
    return Hands(applier=applier, runtime=runtime, reconciler=reconciler)


def _desk(
    ground: Ground, core: Core, stages: Stages, evolving: Evolving, hands: Hands, trouble: Trouble
) -> PeerDesk:
    me = ground.entry.id
    return PeerDesk(
        Rooms(
            member=next(member for member in ground.members if member.id == me),
            members=ground.members,
            cluster_id=ground.home.cluster_id,
            sandbox=core.sandbox.level,
            log=core.log,
            decisions=core.decisions,
            judge=stages.judge,
            engine=stages.engine,
            evolving=evolving,
            applier=hands.applier,
            worktree=ground.worktree,
            runtime=hands.runtime,
            neighbours=ground.voters,
            voice=ground.voice,
            wake=hands.reconciler.wake,
            trouble=lambda: trouble.reason or hands.applier.fault,
        )
    )


def _runtime(ground: Ground, leave: Callable[[], None]) -> Runtime:
    """Choose what "live" means for this genome."""
    if ground.home.genome == "self":
        tree = TreeId(os.environ.get(TREE_VARIABLE) or ground.home.tree)
        return SelfRuntime(ground.folder, python=ground.python, leave=leave, tree=tree)
    service = ground.policy.service
    if service is None:
        return ArtifactRuntime(ground.folder)
    return ServiceRuntime(
        ground.folder,
        ServiceSettings(
            service=service,
            python=ground.python,
            port=ground.entry.service_port,
            healthy_ms=ground.policy.timeouts.healthy_ms,
        ),
        artifact=ground.worktree.artifact,
        healthy=lambda asked, port, folder: ask_service(asked, port, folder, python=ground.python),
    )
