"""Three fake desks behind real servers on loopback. It has no log and decides nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tars_peer.adapters.rpc.server import RpcServer, serve
from tars_peer.cli.find import Known
from tests.fakes.certificates import Certificates
from tests.fakes.desk import FakeDesk, some_cluster, some_peer
from tests.fakes.machine import FakeMachine


class Cluster:
    """Three desks and their servers."""

    def __init__(self) -> None:
        """Make three desks; ``start`` serves them."""
        self.desks = [FakeDesk(peer=some_peer(number)) for number in (1, 2, 3)]
        self.servers: list[RpcServer] = []
        self._folder = tempfile.TemporaryDirectory(prefix="tars-certs-")
        self.certificates = Certificates(Path(self._folder.name), "tars-test")
        self.machine = FakeMachine(folder=self.certificates.operator.leaf)

    def start(self) -> None:
        """Serve the desks, and tell each the addresses that came of it."""
        self.servers = [self.serve(desk) for desk in self.desks]
        for desk, server in zip(self.desks, self.servers, strict=True):
            desk.peer = some_peer(self.desks.index(desk) + 1, address=server.address)
        peers = tuple(desk.peer for desk in self.desks)
        for desk in self.desks:
            desk.cluster = some_cluster(peers=peers)
        self.machine.peers = tuple(
            Known(id=peer.id, address=peer.address, credentials=self.certificates.operator)
            for peer in peers
        )
        self.machine.supervised = [peer.id for peer in peers]

    def serve(self, desk: FakeDesk, address: str = "127.0.0.1:0") -> RpcServer:
        """Serve ``desk`` at ``address``."""
        return serve(
            desk,
            address=address,
            credentials=self.certificates.of(desk.peer.id),
            members=("p1", "p2", "p3"),
        )

    def lose(self, *numbers: int) -> None:
        """Stop the servers of the peers ``numbers``."""
        for number in numbers:
            self.desks[number - 1].close()
            self.servers[number - 1].stop(grace_s=0)

    def stop(self) -> None:
        """Stop all that is left."""
        for desk in self.desks:
            desk.close()
        for server in self.servers:
            server.stop(grace_s=0)
        self._folder.cleanup()
