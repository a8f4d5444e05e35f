"""How a ledger begins: the first leader proposes what every peer was started with.

A peer whose own settings differ from the ledger's stops: it would judge by other rules.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from tars_peer.config.home import ClusterHome
from tars_peer.errors import OvertakenError, RefusedError, TemporaryError
from tars_peer.ledger.canon import digest
from tars_peer.ledger.entry import Decision, Found
from tars_peer.ledger.state import State
from tars_peer.model.member import Member
from tars_peer.model.policy import Policy
from tars_peer.ports.events import Events
from tars_peer.ports.log import Log

_LOOK_S = 0.1


def members_of(home: ClusterHome) -> tuple[Member, ...]:
    """Return the members that the cluster was made with."""
    return tuple(
        Member(id=peer.id, address=peer.address, ballot_key=peer.ballot_key) for peer in home.peers
    )


def founding_fault(state: State, home: ClusterHome, policy: Policy) -> str:
    """Return how this peer's settings differ from what the ledger began with; ``""`` if not."""
    if not state.founded:
        return ""
    if state.cluster_id != home.cluster_id:
        return f"the log is of cluster {state.cluster_id}, this peer of {home.cluster_id}"
    if state.generations[0].commit != home.commit:
        return f"the ledger begins with commit {state.generations[0].commit}, not {home.commit}"
    if state.policy != digest("policy", policy):
        return "the ledger began under other settings than the genome's"
    if state.members != members_of(home):
        return "the ledger has other members than cluster.json"
    return ""


def found(
    home: ClusterHome,
    me: str,
    policy: Policy,
    *,
    log: Log,
    state: Callable[[], State],
    submit: Callable[[Decision], object],
    events: Events,
    stopped: threading.Event,
) -> None:
    """Begin the ledger if it has not begun and we lead; return when it has begun."""
    leader = None
    while not stopped.is_set() and not state().founded:
        status = log.status()
        if status.leader != leader:
            leader = status.leader
            events.say("leader", f"{leader} leads", leader=leader, term=status.term)
        if status.ready and leader == me:
            decision = Found(
                members=members_of(home),
                commit=home.commit,
                tree=home.tree,
                policy=digest("policy", policy),
                worse_ppm=policy.thresholds.worse_ppm,
            )
            try:
                submit(decision)
            except (OvertakenError, TemporaryError):
                stopped.wait(_LOOK_S)
                continue
            except RefusedError as error:
                events.say("fault", f"the ledger cannot begin: {error}", reason=f"{error}")
                return
        stopped.wait(_LOOK_S)
