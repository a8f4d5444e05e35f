"""What the benchmark of the log needs of any system of three members, and etcd as one of them."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import grpc

PAYLOAD = b"x" * 256
WIDTH = 64
MEMBERS = 3
DEADLINE_S = 60.0
_LOOK_S = 0.005


class System(Protocol):
    """Three members of something that keeps a log."""

    processes: list[subprocess.Popen[Any]]

    def leader(self) -> int | None:
        """Return the number of the member that leads."""
        ...

    def sequential(self, member: int, count: int) -> list[float]:
        """Append ``count`` times one after another; return each latency in milliseconds."""
        ...

    def outstanding(self, member: int, count: int) -> float:
        """Append ``count`` times with ``WIDTH`` on their way at once; return appends a second."""
        ...

    def append_until_accepted(self, member: int) -> None:
        """Return when one append through ``member`` was accepted."""
        ...

    def restart(self, member: int) -> None:
        """Start a member that was killed."""
        ...


class Etcd:
    """Three members of etcd with its defaults, asked over gRPC."""

    def __init__(self, folder: Path) -> None:
        """Start them."""
        self._folder = folder
        ports = free_ports(2 * MEMBERS)
        self._clients, self._peers = ports[:MEMBERS], ports[MEMBERS:]
        self.processes = [self._start(number) for number in range(MEMBERS)]
        self._channels = [grpc.insecure_channel(f"127.0.0.1:{port}") for port in self._clients]
        self._puts = [channel.unary_unary("/etcdserverpb.KV/Put") for channel in self._channels]
        self._status = [
            channel.unary_unary("/etcdserverpb.Maintenance/Status") for channel in self._channels
        ]

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        def urls(ports: Sequence[int]) -> str:
            return f"http://127.0.0.1:{ports[number]}"

        cluster = ",".join(f"m{n}=http://127.0.0.1:{port}" for n, port in enumerate(self._peers))
        return subprocess.Popen(
            [
                *("etcd", "--name", f"m{number}", "--data-dir", self._folder / f"m{number}"),
                *("--listen-client-urls", urls(self._clients)),
                *("--advertise-client-urls", urls(self._clients)),
                *("--listen-peer-urls", urls(self._peers)),
                *("--initial-advertise-peer-urls", urls(self._peers)),
                *("--initial-cluster", cluster, "--log-level", "error"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def leader(self) -> int | None:
        """See ``System``: whoever names as leader its own member id."""
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                continue
            with suppress(grpc.RpcError):
                fields = varints(self._status[number](b"", timeout=1.0))
                if fields.get(4) and fields.get(4) == fields.get((1, 2)):
                    return number
        return None

    def sequential(self, member: int, count: int) -> list[float]:
        """See ``System``."""
        return [timed_ms(partial(self._put, member, number)) for number in range(count)]

    def outstanding(self, member: int, count: int) -> float:
        """See ``System``."""
        free, put = threading.Semaphore(WIDTH), self._puts[member]
        began_s = time.perf_counter()
        calls = []
        for number in range(count):
            free.acquire()
            call = put.future(_put_request(number), timeout=DEADLINE_S)
            call.add_done_callback(lambda _call: free.release())
            calls.append(call)
        for call in calls:
            call.result()
        return count / (time.perf_counter() - began_s)

    def _put(self, member: int, number: int, timeout_s: float = DEADLINE_S) -> None:
        self._puts[member](_put_request(number), timeout=timeout_s)

    def append_until_accepted(self, member: int) -> None:
        """See ``System``."""

        def accepted() -> bool:
            with suppress(grpc.RpcError):
                self._put(member, 0, timeout_s=0.1)
                return True
            return False

        until(accepted)

    def restart(self, member: int) -> None:
        """See ``System``."""
        self.processes[member] = self._start(member)


def _put_request(number: int) -> bytes:
    """Return an ``etcdserverpb.PutRequest`` of a key of six bytes and the payload."""
    key = f"k{number % 99_999:05}".encode()
    head = bytes([0x0A, len(key)]) + key
    return head + bytes([0x12, len(PAYLOAD) & 0x7F | 0x80, len(PAYLOAD) >> 7]) + PAYLOAD


def varints(message: bytes) -> dict[Any, int]:
    """Return the numbers in a protobuf message by field; those one level down by two fields."""
    found: dict[Any, int] = {}
    place = 0

    def varint() -> int:
        nonlocal place
        value, shift = 0, 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004  (the last byte of a number)
                return value

    while place < len(message):
        field, kind = divmod(varint(), 8)
        if kind == 0:
            found[field] = varint()
            continue
        size = varint()
        if field == 1:  # the header, a message
            inner = varints(message[place : place + size])
            found |= {(field, each): value for each, value in inner.items()}
        place += size
    return found


def timed_ms(deed: Callable[[], object]) -> float:
    """Return how long ``deed`` takes in milliseconds."""
    began_s = time.perf_counter()
    deed()
    return (time.perf_counter() - began_s) * 1000


def until(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise SystemExit(f"gave up after {DEADLINE_S:.0f} s")
        time.sleep(_LOOK_S)


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
