"""Members of the log on hosts of their own: killed, paused, cut off whole, one way and in part.

Clients write down what they asked for and were told all the while; see ``history`` for what must
hold. ``CHAOS_SECONDS`` and ``CHAOS_SEED`` make a longer run, or another one.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tars_peer.model.noun import PeerId
from tests.chaos.history import Call, History, faults
from tests.chaos.network import Network
from tests.fakes.waiting import until
from tests.integration.raft_member import Member

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
#: Acknowledged in any second of a run, faults and all, on a machine that is busy with others.
LEAST_A_SECOND = 5.0


class Fleet:
    """Members on hosts, each with a client; faults come and go."""

    def __init__(self, network: Network, count: int, folder: Path) -> None:
        """Start everything."""
        self.network = network
        self.history = History()
        self.addresses = {
            PeerId(f"m{host}"): f"{network.address(host)}:7400" for host in range(count)
        }
        self._folder = folder
        self._stopped = threading.Event()
        self.members = [self._start(host) for host in range(count)]
        until(lambda: all(member.status()["ready"] for member in self.members), timeout_s=20)
        self._clients = [threading.Thread(target=self._ask, args=(host,)) for host in range(count)]
        for client in self._clients:
            client.start()

    def _start(self, host: int) -> Member:
        me = PeerId(f"m{host}")
        within = self.network.within(host)
        return Member(me, self.addresses, self._folder / me, within=within)

    def _ask(self, host: int) -> None:
        """Append one operation after another, each tried again until it is answered."""
        number = 0
        while not self._stopped.is_set():
            number += 1
            operation, asked_s, index = f"c{host}-{number}", time.monotonic(), None
            while index is None and not self._stopped.is_set():
                try:
                    index = self.members[host].append(operation, timeout_s=1.0)
                except (RuntimeError, ConnectionError, TimeoutError):
                    self._stopped.wait(0.05)
            self.history.add(Call(operation, asked_s, time.monotonic(), index))
            self._stopped.wait(0.005)

    def restart(self, host: int) -> None:
        """Kill a member and start it on its files."""
        self.members[host].kill()
        self.members[host] = self._start(host)

    def stop_clients(self) -> None:
        """Let the clients end, with what they have on their way unanswered."""
        self._stopped.set()
        for client in self._clients:
            client.join(30)
            assert not client.is_alive()

    def close(self) -> None:
        """End all members."""
        self._stopped.set()
        for member in self.members:
            member.resume()
            member.close()


def kill(fleet: Fleet, hosts: list[int]) -> None:
    fleet.restart(hosts[0])


def kill_most(fleet: Fleet, hosts: list[int]) -> None:
    for host in hosts[: len(hosts) // 2 + 1]:
        fleet.restart(host)


def pause(fleet: Fleet, hosts: list[int]) -> None:
    fleet.members[hosts[0]].pause()


def isolate(fleet: Fleet, hosts: list[int]) -> None:
    fleet.network.part(hosts[:1], hosts[1:])


def halve(fleet: Fleet, hosts: list[int]) -> None:
    fleet.network.part(hosts[: len(hosts) // 2], hosts[len(hosts) // 2 :])


def one_way(fleet: Fleet, hosts: list[int]) -> None:
    for other in hosts[1:]:
        fleet.network.cut(hosts[0], other)


def deafen(fleet: Fleet, hosts: list[int]) -> None:
    for other in hosts[1:]:
        fleet.network.cut(other, hosts[0])


def bridge(fleet: Fleet, hosts: list[int]) -> None:
    """Leave one host that sees all, between two groups that do not see each other."""
    middle = (len(hosts) + 1) // 2
    fleet.network.part(hosts[1:middle], hosts[middle:])


FAULTS: tuple[Callable[[Fleet, list[int]], None], ...] = (
    kill,
    pause,
    isolate,
    halve,
    one_way,
    deafen,
    bridge,
    kill_most,
)


@pytest.mark.parametrize("count", [3, 5])
def test_nothing_that_was_acknowledged_is_lost_moved_or_doubled(count: int, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED}/{count}")
    with Network(count) as network:
        fleet = Fleet(network, count, tmp_path)
        try:
            began_s, rounds = time.monotonic(), 0
            story = []
            while time.monotonic() - began_s < SECONDS:
                fault = FAULTS[rounds % len(FAULTS)]
                hosts = chance.sample(range(count), count)
                story.append((round(time.monotonic() - began_s, 1), fault.__name__, hosts))
                fault(fleet, hosts)
                time.sleep(chance.uniform(0.5, 2.5))
                network.heal()
                for member in fleet.members:
                    member.resume()
                time.sleep(chance.uniform(0.2, 1.0))
                rounds += 1
            fleet.stop_clients()
            last = fleet.members[0].append("the last one", timeout_s=20)
            fleet.history.add(Call("the last one", time.monotonic(), time.monotonic(), last))
            until(
                lambda: all(each.status()["applied_index"] >= last for each in fleet.members),
                timeout_s=20,
            )
            logs = {member.me: member.delivered() for member in fleet.members}
        finally:
            fleet.close()
    told = [call for call in fleet.history.calls if call.index is not None]
    assert faults(fleet.history.calls, logs) == [], (SEED, story)
    assert len(told) > LEAST_A_SECOND * SECONDS, (len(told), story)
