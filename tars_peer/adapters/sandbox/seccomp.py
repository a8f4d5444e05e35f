"""A filter on system calls that code under trial has no use for, as a BPF program.

Attack surface goes, and, where no network namespace can be had, the network. Only numbers and
instructions may enter here; loading the program is the business of who uses it.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass
from typing import Final

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_NUMBER_OFFSET: Final = 0  # of struct seccomp_data
_ARCHITECTURE_OFFSET: Final = 4
_FAMILY_OFFSET: Final = 16  # the lower half of the first argument, on a little-endian machine
_FAMILY_UNIX: Final = 1
#: Numbers from here on are the x32 variants of the same calls.
_X32: Final = 0x4000_0000
#: io_uring_setup, io_uring_enter, io_uring_register and mount calls since Linux 5.2 (open_tree,
#: move_mount, fsopen, fsconfig, fsmount, fspick), pidfd_getfd, mount_setattr: the same everywhere.
_COMMON: Final = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """What one architecture calls itself and the calls by their numbers."""

    audit: int
    socket: int
    refused: tuple[int, ...]


#: Refused by name, in this order: ptrace, process_vm_readv, process_vm_writev, mount, umount2,
#: pivot_root, swapon, swapoff, reboot, init_module, finit_module, delete_module, kexec_load,
#: add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd, open_by_handle_at, setns, acct,
#: quotactl, settimeofday, adjtimex, clock_settime, clock_adjtime, fanotify_init.
_MACHINES: Final = {
    "x86_64": _Machine(
        audit=0xC000003E,
        socket=41,
        refused=(
            101, 310, 311, 165, 166, 155, 167, 168, 169, 175, 313, 176, 246, 248, 249, 250, 321,
            298, 323, 304, 308, 163, 179, 164, 159, 227, 305, 300,
        ),
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        socket=198,
        refused=(
            117, 270, 271, 40, 39, 41, 224, 225, 142, 105, 273, 106, 104, 217, 218, 219, 280,
            241, 282, 265, 268, 89, 60, 170, 171, 112, 266, 262,
        ),
    ),
}  # fmt: skip


def program(*, network: bool, unix: bool) -> bytes | None:
    """Return the filter, or None where this machine's call numbers are not known here.

    ``network`` and ``unix`` say which sockets may be made; ``socketpair`` may always be called.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return None
    body = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_IF_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_IF_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in sorted({*_COMMON, *machine.refused}):
        body += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    # The last test: what follows it replaces the number by the family that is asked for.
    of_unix, of_others = (_ALLOW if unix else _REFUSE), (_ALLOW if network else _REFUSE)
    body += [
        (_IF_EQUAL, 1, 0, machine.socket),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FAMILY_OFFSET),
        (_IF_EQUAL, 0, 1, _FAMILY_UNIX),
        (_RETURN, 0, 0, of_unix),
        (_RETURN, 0, 0, of_others),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in body)
