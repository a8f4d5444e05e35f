"""Who may call what: the one table of it. A method that is not in it is refused to all.

Methods of other services on the port (health, reflection) are in it as well. How a caller proves
its role is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping

from tars_peer.model.identity import Role

_PEERS = frozenset({Role.PEER})
_OPERATORS = frozenset({Role.OPERATOR})
_READERS = frozenset({Role.READER, Role.OPERATOR})
_ALL = frozenset(Role)

_CLUSTER = "/tars.v1.ClusterService"
_EVOLUTION = "/tars.v1.EvolutionService"
_HEALTH = "/grpc.health.v1.Health"

ALLOWED: Mapping[str, frozenset[Role]] = {
    f"{_CLUSTER}/GetStatus": _READERS,
    # A peer asks another how it is, before it takes its silence for absence.
    f"{_CLUSTER}/GetPeer": _ALL,
    f"{_CLUSTER}/WatchEvents": _READERS,
    f"{_EVOLUTION}/ListGenerations": _READERS,
    f"{_EVOLUTION}/Analyze": _READERS,
    f"{_EVOLUTION}/Diff": _READERS,
    # These run code of the genome for long, or decide.
    f"{_EVOLUTION}/Generate": _OPERATORS,
    f"{_EVOLUTION}/Validate": _OPERATORS,
    f"{_EVOLUTION}/Deploy": _OPERATORS,
    f"{_EVOLUTION}/Rollback": _OPERATORS,
    f"{_EVOLUTION}/Pause": _OPERATORS,
    f"{_EVOLUTION}/Resume": _OPERATORS,
    f"{_EVOLUTION}/Clear": _OPERATORS,
    f"{_EVOLUTION}/Sync": _OPERATORS,
    f"{_EVOLUTION}/Run": _OPERATORS,
    # A ballot is for peers only: an operator who could ask for one could keep a peer busy.
    "/tars.v1.BallotService/RequestBallot": _PEERS,
    "/tars.v1.BallotService/DismissBallot": _PEERS,
    "/tars.v1.GenomeService/FetchObjects": _PEERS,
    # Raft's messages: which member sends them, its certificate says.
    "/tars.v1.RaftService/Exchange": _PEERS,
    # A supervisor asks with its peer's certificate.
    f"{_HEALTH}/Check": _ALL,
    f"{_HEALTH}/Watch": _ALL,
    f"{_HEALTH}/List": _ALL,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _READERS,
}
