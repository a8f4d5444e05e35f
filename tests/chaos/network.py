"""Hosts in network namespaces of their own on one switch, and links between them that can be cut.

Each namespace lives as long as the process that holds it, so nothing is left over however a test
ends. Needs root (or CAP_NET_ADMIN and CAP_SYS_ADMIN) and ``ip`` from iproute2.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.waiting import until

_LIFE_S = 900
_PREFIX = "10.77.0"


class Network:
    """``count`` hosts, numbered from 0; use it in a ``with`` statement."""

    def __init__(self, count: int) -> None:
        """Plan; nothing is made yet."""
        self._count = count
        self._holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Make the namespaces and join them."""
        try:
            self._make()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the namespaces; the kernel removes them and what is in them."""
        self._end()

    def address(self, host: int) -> str:
        """Return the address of ``host``."""
        return f"{_PREFIX}.{host + 1}"

    def within(self, host: int) -> Sequence[str]:
        """Return the command that runs another one on ``host``, in its own place."""
        return _inside(self._holders[host + 1])

    def cut(self, source: int, target: int) -> None:
        """Let nothing through from ``source`` to ``target``; the other way stays open."""
        words = ("route", "replace", "blackhole", f"{self.address(target)}/32")
        _ip(self._holders[source + 1], *words)

    def part(self, group: Sequence[int], others: Sequence[int]) -> None:
        """Cut every link between the two groups, both ways."""
        for one, other in itertools.product(group, others):
            self.cut(one, other)
            self.cut(other, one)

    def heal(self) -> None:
        """Open all links."""
        for holder in self._holders[1:]:
            _ip(holder, "route", "flush", "type", "blackhole")

    def _make(self) -> None:
        self._holders = [
            subprocess.Popen(["unshare", "--net", "sleep", f"{_LIFE_S}"])
            for _ in range(self._count + 1)
        ]
        own = _namespace("self")
        for holder in self._holders:
            until(lambda pid=holder.pid: _namespace(f"{pid}") != own)
        switch = self._holders[0]
        _ip(switch, "link", "add", "switch", "type", "bridge")
        _ip(switch, "link", "set", "switch", "up")
        for host, holder in enumerate(self._holders[1:]):
            port, far_end = f"port{host}", ("peer", "name", "eth0", "netns", f"{holder.pid}")
            _ip(switch, "link", "add", port, "type", "veth", *far_end)
            _ip(switch, "link", "set", port, "master", "switch", "up")
            _ip(holder, "link", "set", "lo", "up")
            _ip(holder, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
            _ip(holder, "link", "set", "eth0", "up")

    def _end(self) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()


def _inside(holder: subprocess.Popen[bytes]) -> tuple[str, ...]:
    return ("nsenter", "--net", "--target", f"{holder.pid}")


def _namespace(pid: str) -> str:
    return f"{Path(f'/proc/{pid}/ns/net').readlink()}"


def _ip(holder: subprocess.Popen[bytes], *words: str) -> None:
    done = subprocess.run(
        [*_inside(holder), "ip", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()} (are you root?)"
