"""The log as the rest of the house sees it: one thread that runs the engine, callers that wait.

An append is confirmed by nothing but the delivery of its own operation on this node; PySyncObj's
callbacks, which lie after a change of leader (findings, S4, S8), are not used. What a message or
an entry means to Raft, and any file, must never enter here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import grpc

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.raft import boot, loader
from tars_peer.adapters.raft.compaction import PACE, Compaction, Pace
from tars_peer.adapters.raft.engine import Engine
from tars_peer.adapters.raft.fault import (
    ExitProcess,
    OnFault,
    StoppedError,
    fault_stopper,
)
from tars_peer.adapters.raft.inbox import Inbox
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.operations import Operations, digest_of, seal
from tars_peer.adapters.raft.outgoing import Dialler
from tars_peer.adapters.raft.service import ExchangeAnswers
from tars_peer.adapters.raft.settings import make_settings
from tars_peer.adapters.raft.transport import MemberNode, PeerTransport
from tars_peer.adapters.rpc.channel import check_address
from tars_peer.errors import NoQuorumError, UsageError
from tars_peer.model.noun import OperationId, PeerId
from tars_peer.ports.log import Deliver, LogStatus, StateKeeper
from tars_peer.wire.tars.v1 import raft_pb2_grpc

_CLOSE_DEADLINE_S = 10.0


class RaftLog:
    """One node of the replicated log; implements ``ports.log.Log``."""

    def __init__(
        self,
        *,
        folder: Path,
        me: PeerId,
        addresses: Mapping[PeerId, str],
        cluster_id: str,
        credentials: Credentials,
        deliver: Deliver,
        keeper: StateKeeper | None = None,
        on_fault: OnFault | None = None,
        exit_process: ExitProcess = os._exit,
        pace: Pace = PACE,
    ) -> None:
        """Open the journal in ``folder``; nothing is said or delivered before ``start``.

        ``addresses`` is the host:port of every member's gRPC server, this one's included, on which
        ``register`` puts this node. ``credentials`` are what it shows to the others, and whom it
        trusts. ``deliver`` runs on the node's thread: it may only enqueue, and never call
        ``append``. ``on_fault`` is told what broke when an entry cannot be delivered or a member
        breaks Raft's rules; by default the process ends with code 70, as it does with code 74
        when the disk fails. ``keeper`` gives and takes the state that replaces entries at this
        ``pace``; without one, all are kept.

        Raises:
            CorruptError: the journal is damaged, or its snapshot is none of ``keeper``'s.
            UsageError: an address is wrong, or the journal is another node's.
            TemporaryError: the journal is in use, or the disk is full.
        """
        _check_members(me, addresses)
        others = {peer: address for peer, address in addresses.items() if peer != me}
        self._on_fault = on_fault or fault_stopper(exit_process)
        self._operations = Operations()
        self._is_closing = False
        loader.install()
        self._journal = SqliteJournal(
            folder, cluster_id=cluster_id, me=me, exit_process=exit_process
        )
        compaction = Compaction(
            journal=self._journal, operations=self._operations, keeper=keeper, pace=pace
        )
        try:
            self._prepare_streams(boot.next_epoch(folder), others, cluster_id, credentials)
            self._engine = Engine(
                me=MemberNode(me),
                others=[MemberNode(peer) for peer in others],
                settings=make_settings(self._journal),
                journal=self._journal,
                make_transport=partial(PeerTransport, inbox=self._inbox, dialler=self._dialler),
                operations=self._operations,
                compaction=compaction,
                deliver=deliver,
                on_fault=self._on_fault,
            )
        except BaseException:
            self._journal.close()
            raise
        self._wake = self._engine.make_wake()
        self._thread = threading.Thread(target=self._run, name=f"raft-{me}", daemon=True)

    def _prepare_streams(
        self,
        epoch: int,
        others: Mapping[PeerId, str],
        cluster_id: str,
        credentials: Credentials,
    ) -> None:
        """Make both ends of the streams of this life, ``epoch``; nothing is dialled yet."""
        self._inbox = Inbox()
        self._answers = ExchangeAnswers(
            self._inbox, others=others, cluster_id=cluster_id, epoch=epoch
        )
        self._dialler = Dialler(
            self._inbox, others, credentials=credentials, cluster_id=cluster_id, epoch=epoch
        )

    def register(self, server: grpc.Server) -> None:
        """Put this node on ``server``, which runs at this member's address from then on."""
        raft_pb2_grpc.add_RaftServiceServicer_to_server(self._answers, server)

    def hang_up(self) -> None:
        """End the streams of the others and take no new ones, for the server stops."""
        self._inbox.close()

    def start(self) -> None:
        """Dial the others and run; the server that this node is on runs already."""
        self._dialler.start()
        self._thread.start()

    def append(self, payload: bytes, *, operation: OperationId, timeout_s: float) -> int:
        """Append ``payload``; return its index once it is durable on a majority and delivered here.

        The same ``operation`` may be tried again; the index of its first appearance is returned,
        and that one's payload counts.

        Raises:
            NoQuorumError: it was not seen to be decided within ``timeout_s`` seconds (it may
                still be decided later; try again with the same operation).
            PermanentError: the payload has more than 96 KiB.
        """
        if threading.current_thread() is self._thread:
            raise AssertionError("append was called from inside deliver; deliver may only enqueue")
        digest = digest_of(operation)
        pending = self._operations.wait_for(digest, seal(payload, digest))
        if not pending.settled.is_set():
            self._wake.ring()
            pending.settled.wait(timeout_s)
            self._operations.forget(pending)
        if pending.index is None:
            raise NoQuorumError(
                f"operation {operation} was not seen to be decided in {timeout_s} s"
                + (" (this node is closed)" if self._is_closing else ""),
                hint="a majority of the members must run and reach each other (tars cluster "
                "status); then try again with the same operation: it cannot be decided twice",
            )
        return pending.index

    def status(self) -> LogStatus:
        """Return what this node knows now; never blocks."""
        engine = self._engine
        return LogStatus(
            leader=engine.leader_peer(),
            term=engine.raftCurrentTerm,
            commit_index=engine.raftCommitIndex,
            applied_index=engine.applied_index(),
            connected=engine.connected_peers(),
            ready=engine.is_ready(),
            has_quorum=engine.has_quorum_now(),
        )

    def close(self) -> None:
        """Stop the node; nothing is delivered after this returns. May be called again."""
        self._is_closing = True
        self._wake.ring()
        if self._thread.ident is None:
            # Never started: the thread has nothing to do but to close everything.
            self._thread.start()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_DEADLINE_S)
            if self._thread.is_alive():
                raise AssertionError("the raft thread does not end: deliver must not block")

    def _run(self) -> None:
        """Run rounds until closed; anything that escapes a round is a fault, never retried."""
        try:
            while not self._is_closing:
                self._engine.doTick(self._engine.rest_s())
                self._engine.flush()
            self._journal.onOneSecondTimer()
        except StoppedError:
            # Already said; the exit function came back, so this is a test.
            self._is_closing = True
        except BaseException as error:  # noqa: BLE001
            self._is_closing = True
            self._on_fault(f"the raft thread broke: {error!r}")
        finally:
            self._operations.close()
            self._wake.close()
            self._engine.destroy()
            self._journal.close()


def _check_members(me: PeerId, addresses: Mapping[PeerId, str]) -> None:
    """Refuse members that cannot be.

    Raises:
        UsageError: this member is not among them, or an address is no host:port.
    """
    if me not in addresses:
        raise UsageError(
            f"{me} is not among the members {sorted(addresses)}",
            hint="give the address of every member, this one's included",
        )
    if len(set(addresses.values())) != len(addresses):
        raise UsageError(
            f"two members have the same address: {dict(addresses)}",
            hint="every member needs its own host:port",
        )
    for address in addresses.values():
        check_address(address)
