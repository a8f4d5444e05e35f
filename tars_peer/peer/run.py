"""A peer's life: start, serve, work until told to stop, and leave nothing behind.

Exit codes: 0 stopped, 1 it cannot run (a message says why), 2 wrong settings or a busy port,
75 the supervisor is to swap it for another generation.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tars_peer.adapters.rpc.server import serve
from tars_peer.adapters.runtime.leash import die_with_parent
from tars_peer.adapters.runtime.swap import SWAP_EXIT_CODE
from tars_peer.config.home import ClusterHome
from tars_peer.errors import PermanentError, TarsError, UsageError
from tars_peer.peer.compose import Peer, compose, prepare
from tars_peer.peer.founding import found, founding_fault
from tars_peer.peer.telling import watch_leader

#: Set by the supervisor to its own process id, so that no peer outlives it.
SUPERVISOR_VARIABLE = "TARS_SUPERVISOR"
_USAGE_EXIT_CODE = 2
#: Between tries to prove the genome, in seconds.
_AGAIN_S = 5.0


class Stopper:
    """The one way to end a peer: the first reason counts."""

    def __init__(self) -> None:
        """Begin not stopped."""
        self.event = threading.Event()
        self.code = 0

    def stop(self, code: int = 0) -> None:
        """End the peer with exit code ``code``."""
        if not self.event.is_set():
            self.code = code
            self.event.set()

    def leave(self) -> None:
        """End the peer for a swap; does not return (the process ends under the caller)."""
        self.stop(SWAP_EXIT_CODE)
        threading.Event().wait()


def run_peer(home: Path, peer_id: str) -> int:
    """Run ``peer_id`` of the cluster in ``home`` until it is told to stop; return an exit code."""
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor:
        die_with_parent(int(supervisor))
    stopper = Stopper()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopper.stop())
    try:
        peer = compose(prepare(ClusterHome.load(home), peer_id), stopper.leave)
        server = serve(
            peer.desk,
            address=peer.entry.address,
            credentials=peer.home.credentials(peer_id),
            members=frozenset(entry.id for entry in peer.home.peers),
            streams=peer.log,
        )
        peer.log.start()
    except TarsError as error:
        sys.stderr.write(f"error: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return _USAGE_EXIT_CODE if isinstance(error, UsageError) else 1
    peer.voice.say(
        "peer-up",
        f"{peer_id} serves at {peer.entry.address}",
        address=peer.entry.address,
        sandbox=peer.desk.peer_status().sandbox,
    )
    peer.decisions.start()
    for name, work in _work(peer, stopper).items():
        threading.Thread(target=_told, args=(peer, name, work), name=name, daemon=True).start()
    stopper.event.wait()
    _close(peer, lambda: server.stop(1.0), swapping=stopper.code == SWAP_EXIT_CODE)
    return stopper.code


def _told(peer: Peer, name: str, work: Callable[[], None]) -> None:
    """Do ``work``; if it ends by a fault, say so and show it, for the peer is not whole then."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  (the last place where it can be told)
        peer.trouble.reason = f"{name} ended: {error!r}"
        peer.voice.say("fault", peer.trouble.reason)


def _work(peer: Peer, stopper: Stopper) -> dict[str, Callable[[], None]]:
    """Return the threads of a peer: what each does until the end."""
    ended = stopper.event
    return {
        "leader": lambda: watch_leader(peer.voice, peer.log, ended),
        "reconcile": lambda: _reconcile(peer, stopper),
        "evolve": lambda: _evolve(peer, stopper),
    }


def _reconcile(peer: Peer, stopper: Stopper) -> None:
    found(
        peer.home,
        peer.entry.id,
        peer.policy,
        log=peer.log,
        state=lambda: peer.decisions.state,
        submit=peer.submit,
        events=peer.voice,
        stopped=stopper.event,
    )
    fault = founding_fault(peer.decisions.state, peer.home, peer.policy)
    if fault:
        peer.trouble.reason = fault
        peer.voice.say("fault", f"this peer stands apart: {fault}")
        return
    peer.reconciler.run(stopper.event)


def _evolve(peer: Peer, stopper: Stopper) -> None:
    began_s = time.monotonic()
    if _prove_base(peer, stopper.event):
        peer.evolving.proving_s = time.monotonic() - began_s
        peer.evolving.run(stopper.event)


def _prove_base(peer: Peer, stopped: threading.Event) -> bool:
    """Prove the genome; where the machine cannot do it now (a full disk), try again later."""
    while not stopped.is_set():
        try:
            peer.examiner.prove_base(peer.home.tree)
        except PermanentError as error:
            peer.trouble.reason = f"{error}"
            peer.voice.say("refused-genome", f"{error}", reason=f"{error}", hint=error.hint)
            return False
        except Exception as error:  # noqa: BLE001  (whatever it is, it is not the genome's fault)
            peer.voice.say("fault", f"the genome cannot be proved yet: {error}")
            stopped.wait(_AGAIN_S)
        else:
            return True
    return False


def _close(peer: Peer, stop_serving: Callable[[], None], *, swapping: bool) -> None:
    if not swapping:
        peer.voice.say("peer-down", f"{peer.entry.id} stops")
    peer.voice.close()
    stop_serving()
    peer.log.close()
    peer.decisions.close()
    peer.runtime.close()
    peer.voters.close()
    peer.store.close()
