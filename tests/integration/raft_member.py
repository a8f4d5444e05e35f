"""One member of a raft cluster as a child process, driven by JSON lines; and its driver.

It serves nothing but its log. The driver makes its certificate, beside the folders of all members.

Run as ``python -m tests.integration.raft_member <settings as JSON>``. Each request is answered by
its number, in whatever order; appends run on threads of their own.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.raft.compaction import Pace
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.adapters.rpc.server import serve_streams
from tars_peer.errors import TarsError
from tars_peer.model.noun import OperationId, PeerId
from tests.fakes.certificates import Certificates
from tests.fakes.keeper import History

ROOT = Path(__file__).parents[2]
CLUSTER = "raft-tests"


def free_addresses(count: int) -> dict[PeerId, str]:
    """Choose ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return {PeerId(f"peer-{number}"): address for number, address in enumerate(addresses)}


class Member:
    """The driver's side of one child process."""

    def __init__(
        self,
        me: PeerId,
        addresses: Mapping[PeerId, str],
        folder: Path,
        *,
        within: Sequence[str] = (),
        snapshot_every_entries: int = 0,
    ) -> None:
        """Start the child, by the command ``within`` where one is given (it must exec the child).

        A snapshot is taken after every ``snapshot_every_entries``; 0 is never. It is up when its
        first status comes back.
        """
        papers = Certificates(folder.parent / "certs", CLUSTER).of(me)
        settings = {
            "me": me,
            "addresses": dict(addresses),
            "folder": str(folder),
            "snapshot_every_entries": snapshot_every_entries,
            "leaf": str(papers.leaf),
            "trusted": str(papers.trusted),
        }
        self.me = me
        self._number = 0
        self._lock = threading.Lock()
        self._answers: dict[int, Future[Any]] = {}
        self._process = subprocess.Popen(
            [*within, sys.executable, "-m", "tests.integration.raft_member", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def ask(self, do: str, **arguments: object) -> Future[Any]:
        """Send one request."""
        future: Future[Any] = Future()
        with self._lock:
            self._number += 1
            self._answers[self._number] = future
            try:
                assert self._process.stdin is not None
                request = {"number": self._number, "do": do, **arguments}
                self._process.stdin.write(json.dumps(request) + "\n")
            except OSError as error:
                self._answers.pop(self._number)
                future.set_exception(ConnectionError(f"{self.me} is gone: {error}"))
        return future

    def append(self, operation: str, *, timeout_s: float = 5.0, size_bytes: int = 0) -> int:
        """Append a payload that names the operation, padded to ``size_bytes``.

        Raises:
            RuntimeError: with the name of the error the child got.
            ConnectionError: the child is gone.
        """
        future = self.ask("append", operation=operation, timeout_s=timeout_s, size_bytes=size_bytes)
        return int(future.result(timeout_s + 10))

    def status(self) -> dict[str, Any]:
        """Return the child's status as a dictionary."""
        return dict(self.ask("status").result(10))

    def delivered(self) -> list[tuple[int, str]]:
        """Return index and operation of everything delivered since the child's start."""
        return [(index, name) for index, name in self.ask("delivered").result(10)]

    def restored(self) -> list[int]:
        """Return the indexes of the snapshots that it went on from since the child's start."""
        return list(self.ask("restored").result(10))

    def pause(self) -> None:
        """Stop the child's clock and all its threads."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused child go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the child as ``kill -9`` does, and forget it."""
        self._process.kill()
        self._finish()

    def close(self) -> int:
        """Let the child close its log and end; return its exit code."""
        if self._process.poll() is None:
            self.ask("close")
        return self._finish()

    def _finish(self) -> int:
        code = self._process.wait(20)
        self._reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            future = self._answers.pop(answer["number"])
            if "error" in answer:
                future.set_exception(RuntimeError(answer["error"]))
            else:
                future.set_result(answer["value"])
        with self._lock:
            for future in self._answers.values():
                future.set_exception(ConnectionError(f"{self.me} is gone"))
            self._answers.clear()


def _serve(settings: dict[str, Any]) -> None:
    history = History()
    every = settings["snapshot_every_entries"]
    me, addresses = settings["me"], settings["addresses"]
    credentials = Credentials(leaf=Path(settings["leaf"]), trusted=Path(settings["trusted"]))
    log = RaftLog(
        folder=Path(settings["folder"]),
        me=me,
        addresses=addresses,
        cluster_id=CLUSTER,
        credentials=credentials,
        deliver=history.deliver,
        keeper=history if every else None,
        pace=Pace(every_entries=every or 1, trailing_entries=every // 4),
    )
    server = serve_streams(
        log, address=addresses[me], credentials=credentials, members=frozenset(addresses)
    )
    log.start()
    lock = threading.Lock()

    def answer(request: dict[str, Any]) -> None:
        value: object = None
        reply = {"number": request["number"]}
        try:
            match request["do"]:
                case "append":
                    value = log.append(
                        request["operation"].ljust(request["size_bytes"]).encode(),
                        operation=OperationId(request["operation"]),
                        timeout_s=request["timeout_s"],
                    )
                case "status":
                    status = log.status()
                    names = ("leader", "term", "commit_index", "applied_index", "ready")
                    value = {name: getattr(status, name) for name in names} | {
                        "connected": sorted(status.connected),
                        "has_quorum": status.has_quorum,
                    }
                case "delivered":
                    value = [(at, name.decode().strip()) for at, name in history.delivered]
                case "restored":
                    value = history.restored
            reply["value"] = value
        except TarsError as error:
            reply["error"] = f"{type(error).__name__}: {error}"
        with lock:
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(64) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "close":
                break
            pool.submit(answer, request)
        server.stop(0)
        log.close()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
