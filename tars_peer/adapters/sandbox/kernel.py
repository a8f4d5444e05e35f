"""The system calls that Python has no name for: Landlock, prctl, unshare, capset, by ctypes.

Runs in the small process that is about to become a job. No policy may enter here: who may read
what is decided by who calls. Nothing that is slow to import may enter here, ``typing`` included.
"""

# ruff: noqa: PTH123  (pathlib is slow to import)

from __future__ import annotations

import ctypes
import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_TRUNCATE: Final = 1 << 14
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
#: How many rights on files each version of Landlock knows (linux/landlock.h).
_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_RIGHTS_SINCE_5: Final = 16
_TCP_VERSION: Final = 4
_SCOPE_VERSION: Final = 6
_ALL_TCP: Final = 0b11
_ALL_SCOPES: Final = 0b11

_SET_DEATH_SIGNAL: Final = 1
_SET_NO_NEW_PRIVILEGES: Final = 38
_SET_SECCOMP: Final = 22
_SECCOMP_FILTER: Final = 2
_SET_SUBREAPER: Final = 36
_DROP_BOUNDING: Final = 24
_CAPABILITIES: Final = 41
_READ_ALL: Final = 2  # CAP_DAC_READ_SEARCH
_OPEN_ALL: Final = 1  # CAP_DAC_OVERRIDE
_TRUNCATE_VERSION: Final = 3
_KEEP_CAPABILITIES: Final = 8
_AMBIENT: Final = 47
_AMBIENT_RAISE: Final = 2
_CAPABILITY_VERSION_3: Final = 0x20080522

NEW_USER: Final = 0x10000000
NEW_NETWORK: Final = 0x40000000
NEW_IPC: Final = 0x08000000

_libc = ctypes.CDLL(None, use_errno=True)


def _call(result: int, what: str) -> int:
    """Return ``result``, or raise the error that the call left behind."""
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return int(result)


def _prctl(option: int, value: int, third: bytes | int = 0) -> None:
    """Change a property of this process."""
    word = ctypes.c_ulong(third) if isinstance(third, int) else ctypes.c_char_p(third)
    words = (ctypes.c_ulong(value), word, ctypes.c_ulong(0), ctypes.c_ulong(0))
    _call(_libc.prctl(ctypes.c_int(option), *words), f"prctl {option}")


def die_with_parent(signal_number: int) -> None:
    """Have this process sent a signal when the one that started it is gone."""
    _prctl(_SET_DEATH_SIGNAL, signal_number)


def adopt_orphans() -> None:
    """Make every orphan below this process its child."""
    _prctl(_SET_SUBREAPER, 1)


def unshare(flags: int) -> bool:
    """Move this process into new namespaces; say whether the kernel let it."""
    return bool(_libc.unshare(ctypes.c_int(flags)) == 0)


def forbid_new_privileges() -> None:
    """Let no program that is run from here on gain anything by its owner or its file's bits."""
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)


def change_user(user: int) -> None:
    """Become ``user`` and its group, but keep the capabilities this process has."""
    _prctl(_KEEP_CAPABILITIES, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def forbid_capabilities() -> None:
    """Let no program that is run from here on have a capability by its owner or its file.

    Only who has CAP_SETPCAP may say so; who has not gains none anyway without new privileges. Those
    that ``drop_capabilities`` may keep are left, as they could not be kept otherwise.
    """
    for capability in set(range(_CAPABILITIES)) - {_READ_ALL, _OPEN_ALL}:
        _libc.prctl(_DROP_BOUNDING, ctypes.c_ulong(capability), 0, 0, 0)


def drop_capabilities(*, read_all: bool) -> None:
    """Give up every capability, for good; keep the one to read any file where ``read_all``.

    Where this process does not have that one, it is the one to open any file: Landlock, which
    is to be enforced, takes the writing away.

    Raises:
        OSError: neither is there to be kept.
    """
    kept = _reading_capability() if read_all else None
    mask = 0 if kept is None else 1 << kept
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _call(_libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0)), "capset")
    if kept is not None:
        _prctl(_AMBIENT, _AMBIENT_RAISE, kept)


def _reading_capability() -> int:
    """Return the capability to keep for reading.

    Raises:
        OSError: none that could be kept is here.
    """
    with open("/proc/self/status", "rb") as status:
        permitted = next(int(line.split()[1], 16) for line in status if line.startswith(b"CapPrm"))
    if permitted & 1 << _READ_ALL:
        return _READ_ALL
    if permitted & 1 << _OPEN_ALL and landlock_version() >= _TRUNCATE_VERSION:
        return _OPEN_ALL
    raise OSError("root's files that others may not read cannot be read by another user here")


def filter_calls(program: bytes) -> None:
    """Load a seccomp program; it holds for all that this process becomes and starts."""
    held = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    _prctl(_SET_SECCOMP, _SECCOMP_FILTER, described)


def landlock_version() -> int:
    """Return the version of Landlock here, 0 where there is none."""
    arguments = (None, ctypes.c_size_t(0), ctypes.c_uint(_ASK_VERSION))
    return max(0, int(_libc.syscall(ctypes.c_long(_CREATE_RULESET), *arguments)))


def landlock_ruleset(
    *, readable: Iterable[str], writable: Iterable[str], devices: Iterable[str], tcp: bool
) -> int:
    """Return a ruleset, as a descriptor, that refuses all files but these.

    ``devices`` are files that may be read and written; ``tcp`` allows TCP. Paths that do not
    exist are left out.

    Raises:
        OSError: there is no Landlock here.
    """
    version = landlock_version()
    rights = (1 << _RIGHTS.get(version, _RIGHTS_SINCE_5)) - 1
    asked = struct.pack("=Q", rights)
    if version >= _TCP_VERSION:
        asked += struct.pack("=Q", 0 if tcp else _ALL_TCP)
    if version >= _SCOPE_VERSION:
        asked += struct.pack("=Q", _ALL_SCOPES)
    arguments = (asked, ctypes.c_size_t(len(asked)), ctypes.c_uint(0))
    ruleset = _call(_libc.syscall(ctypes.c_long(_CREATE_RULESET), *arguments), "landlock")
    for paths, allowed in (
        (readable, _READ),
        (writable, rights),
        (devices, _READ_FILE | _WRITE_FILE | _TRUNCATE),
    ):
        for path in paths:
            _allow(ruleset, path, allowed & rights)
    return ruleset


def _allow(ruleset: int, path: str, allowed: int) -> None:
    """Add one path to a ruleset."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            allowed &= _OF_FILES
        rule = struct.pack("=Qi", allowed, place)
        arguments = (ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
        _call(
            _libc.syscall(ctypes.c_long(_ADD_RULE), ctypes.c_int(ruleset), *arguments),
            f"landlock rule for {path}",
        )
    finally:
        os.close(place)


def enforce(ruleset: int) -> None:
    """Bind this process and all that it starts to a ruleset."""
    _call(
        _libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint(0)),
        "landlock_restrict_self",
    )
