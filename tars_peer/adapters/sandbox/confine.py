"""The program that the weaker levels start: it keeps a job, confines it and leaves none of it.

Run as ``python -S -E -s confine.py REQUEST`` with the request as ``marshal``
bytes in hex. The process itself is the
*keeper*: orphans of the job become its children, so it can end them. Nothing but the standard
library and this folder may be imported here, and nothing that is slow to import: it starts for
every job.
"""

# ruff: noqa: PTH100, PTH123  (pathlib is slow to import)

from __future__ import annotations

import contextlib
import marshal
import os
import resource
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

#: A user that owns nothing and runs nothing, so that a job of root's is no longer root's.
_NOBODY: Final = 65_534
_SETUP_FAILED: Final = 125
_NOT_FOUND: Final = 127
_END_S: Final = 5.0
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_READ_INTERFACE: Final = 0x8913
_SET_INTERFACE: Final = 0x8914
_INTERFACE_UP: Final = 0x41


def main() -> NoReturn:
    """Keep the job that the first argument describes; end with its exit code."""
    sys.path.insert(0, os.path.abspath(f"{__file__}/../../../.."))
    # The path to these is set just above.
    from tars_peer.adapters.sandbox import kernel, processes  # noqa: F401, PLC0415

    request = marshal.loads(bytes.fromhex(sys.argv[1]))  # noqa: S302  (the peer wrote it)
    # What the job's process needs is imported now: its walls hide the files.
    kernel.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: end_all())
    kernel.die_with_parent(signal.SIGTERM)
    if os.getppid() != request["parent"]:
        os._exit(_SETUP_FAILED)
    job = os.fork()
    if job == 0:
        become(request)
    os.close(request["status"])
    _, status = os.waitpid(job, 0)
    end_all()
    code = os.waitstatus_to_exitcode(status)
    os._exit(128 - code if code < 0 else code)


def end_all() -> None:
    """Kill all below this process until there is none."""
    from tars_peer.adapters.sandbox.processes import kill_below  # noqa: PLC0415  (see main)

    deadline = time.monotonic() + _END_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            kill_below(os.getpid())
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.001)


def become(request: dict[str, Any]) -> NoReturn:
    """Confine this process as the request says and become its command."""
    command = request["command"]
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        if request["group"] is not None:
            os.write(request["group"], b"0")
            os.close(request["group"])
        alone = confine(request) if request["landlock"] else _chdir(request)
        for kind, value in request["limits"].items():
            resource.setrlimit(int(kind), (value, value))
        limit_tasks(request, alone=alone)
        os.write(request["status"], b"ready")
        os.close(request["status"])
    except BaseException as error:  # noqa: BLE001  (whatever it is, the job must not run)
        _say_and_exit(f"{type(error).__name__}: {error}", _SETUP_FAILED)
    try:
        os.execvpe(command[0], command, request["environment"])  # noqa: S606  (no shell is meant)
    except OSError as error:
        _say_and_exit(f"{command[0]}: {error.strerror}", _NOT_FOUND)


def limit_tasks(request: dict[str, Any], *, alone: bool) -> None:
    """Limit processes and threads: RLIMIT_NPROC counts all of a user, and says nothing to root.

    Raises:
        OSError: there is no limit that root's job would heed.
    """
    from tars_peer.adapters.sandbox.processes import tasks_of_user  # noqa: PLC0415  (see main)

    user = os.getuid()
    if user == 0:
        if request["landlock"] and request["group"] is None:
            raise OSError("root's tasks cannot be limited here: no control group, no other user")
        return
    others = 0 if alone else tasks_of_user(user)
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    most = others + request["tasks"]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))


def _say_and_exit(text: str, code: int) -> NoReturn:
    """Say why there is no job and end without running anything else."""
    os.write(2, f"{text}\n".encode())
    os._exit(code)


def _chdir(request: dict[str, Any]) -> bool:
    """Go to the job's folder; nothing is known of its user."""
    os.chdir(request["folder"])
    return False


def confine(request: dict[str, Any]) -> bool:
    """Take away files, network and privileges; say whether the job's user runs nothing else.

    Raises:
        OSError: one of them could not be taken away.
    """
    from tars_peer.adapters.sandbox import kernel  # noqa: PLC0415  (see main)

    root = os.geteuid() == 0
    alone = own_network = _own_namespaces(root=root)
    program = request["filters"][own_network]
    if program is None and not own_network:
        raise OSError("neither a network namespace nor a filter of calls can be had here")
    ruleset = kernel.landlock_ruleset(
        readable=[*request["readable"], "/proc"],
        writable=[request["scratch"]],
        devices=_DEVICES,
        tcp=own_network,
    )
    os.chdir(request["folder"])
    read_all = False
    kernel.forbid_capabilities()
    if root:
        alone = _may_change_user()
    if root and alone:
        os.chown(request["scratch"], _NOBODY, _NOBODY)
        read_all = not _nobody_reads(request)
        kernel.change_user(_NOBODY)
    kernel.drop_capabilities(read_all=read_all)
    kernel.forbid_new_privileges()
    kernel.enforce(ruleset)
    if program is not None:
        kernel.filter_calls(program)
    return alone


def _own_namespaces(*, root: bool) -> bool:
    """Get a network and shared memory of the job's own; say whether the kernel gave them."""
    from tars_peer.adapters.sandbox import kernel  # noqa: PLC0415  (see main)

    user, group = os.geteuid(), os.getegid()
    flags = kernel.NEW_NETWORK | kernel.NEW_IPC
    if not kernel.unshare(flags if root else flags | kernel.NEW_USER):
        return False
    if not root:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"1000 {user} 1"),
            ("gid_map", f"1000 {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    _start_loopback()
    return True


def _start_loopback() -> None:
    """Bring up the only interface of a new network."""
    import fcntl  # noqa: PLC0415  (these cost time and are seldom needed)
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("=16sh14x", b"lo", 0)
        name, flags = struct.unpack("=16sh14x", fcntl.ioctl(control, _READ_INTERFACE, asked))
        wanted = struct.pack("=16sh14x", name, flags | _INTERFACE_UP)
        fcntl.ioctl(control, _SET_INTERFACE, wanted)


def _may_change_user() -> bool:
    """Say whether this root may become another user, which not every container allows."""
    try:
        os.seteuid(_NOBODY)
    except PermissionError:
        return False
    os.seteuid(0)
    return True


def _nobody_reads(request: dict[str, Any]) -> bool:
    """Say whether the user that owns nothing can reach all that the job needs."""
    os.seteuid(_NOBODY)
    try:
        needed = [request["folder"], request["scratch"], *request["needed"]]
        return all(os.access(path, os.R_OK | os.X_OK, effective_ids=True) for path in needed)
    finally:
        os.seteuid(0)


if __name__ == "__main__":
    main()
