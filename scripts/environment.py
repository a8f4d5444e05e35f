"""Make ``.venv`` hold exactly what a lock file names, and this project.

Started by ``setup_environment.sh``, with any Python from 3.11 on and nothing installed, so only
the standard library may enter here. It may be killed and started again at any time: the record of
what is there says "building" from the first change on until all is done, one run at a time holds
the lock, and what was left half-built is thrown away.

uv installs, because it is four times as fast as pip; it comes from the lock, too. Where uv cannot
reach the packages as pip can, pip installs.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RECORD = VENV / "setup.json"
TURN = VENV / "setup.lock"
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}

#: What uv calls the settings that it does not read from pip, and what stands between two values.
UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "no-index": ("UV_NO_INDEX", " "),
}


def say(text: str) -> None:
    """Tell a person; standard output belongs to the program that runs afterwards."""
    sys.stderr.write(f"setup: {text}\n")
    sys.stderr.flush()


def fail(message: str) -> NoReturn:
    """Stop with one line that says what to do."""
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(1)


def read_record() -> dict[str, str]:
    """Return what is known of ``.venv``: its kind, and the digest of what it was made from."""
    try:
        record = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(**record: str) -> None:
    """Replace the record in one step, so that a kill leaves the old one or the new one."""
    fresh = RECORD.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    fresh.replace(RECORD)


def place() -> str:
    """Return what a virtual environment cannot outlive: its folder and its kind of Python."""
    return f"{ROOT} {sys.implementation.cache_tag}{sys.abiflags}"


def digest(kind: str) -> str:
    """Return the digest of all that decides what an environment of this kind holds."""
    parts = [
        place().encode(),
        *((ROOT / name).read_bytes() for name in (LOCKS[kind], "pyproject.toml")),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(wanted: str) -> bool:
    """Say whether nothing is to be done: the checks' environment is good for a peer, too."""
    kind = read_record().get("kind")
    return kind in {wanted, "dev"} and read_record().get("digest") == digest(kind)


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> bool:
    """Run ``command``, its words on standard error; say whether it succeeded.

    It inherits the lock: should we be killed, nobody begins before the command has ended.
    """
    merged = {**os.environ, **(environment or {})}
    done = subprocess.run(command, stdout=sys.stderr, env=merged, close_fds=False, check=False)
    return done.returncode == 0


def answer(*command: str | Path) -> str | None:
    """Return what ``command`` prints; None when it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, close_fds=False, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Hold the right to change ``.venv``; it ends with this process, however that ends."""
    VENV.mkdir(exist_ok=True)
    with TURN.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is setting up .venv; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.set_inheritable(handle.fileno(), True)  # noqa: FBT003  (the standard library's own)
        yield


def clear() -> None:
    """Empty ``.venv``, except for the lock that we hold."""
    for path in VENV.iterdir():
        if path == TURN:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def find_pip() -> list[str] | None:
    """Return the command of a pip that installs into ``.venv``: the host's, or Python's own."""
    host = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if answer(*host, "--version"):
        return host
    own = [str(PYTHON), "-m", "pip"]
    has_own = answer(*own, "--version") or answer(PYTHON, "-m", "ensurepip", "--default-pip")
    return own if has_own else None


def add_pip() -> None:
    """Ask the system's package manager for Python's own pip, where we may."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    of_system = sys.executable.startswith("/usr/bin/") and shutil.which("apt-get")
    if of_system and os.geteuid() == 0:
        say(f"{sys.executable} has no pip; running: apt-get install {name}")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        install = ("apt-get", "install", "-qq", "-y", "--no-install-recommends", name)
        if run(*install, environment=quiet):
            return
        run("apt-get", "update", "-qq", environment=quiet)
        if run(*install, environment=quiet):
            return
    advice = f"sudo apt-get install {name}" if of_system else "python3 -m ensurepip --upgrade"
    fail(
        f"{sys.executable} can install nothing, it has no pip; get it one and start again: {advice}"
    )


def uv_settings(pip_settings: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make uv use what ``pip config list`` printed.

    What a person has set for uv already stays as it is. pip's order: environment, then the
    section of the command, then ``global``.
    """
    found: dict[str, tuple[int, str]] = {}
    for line in pip_settings.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([a-z-]+)=(['\"].*['\"])", line)
        if match is None or match[2] not in UV_NAMES:
            continue
        name, separator = UV_NAMES[match[2]]
        value = separator.join(str(ast.literal_eval(match[3])).split())
        rank = ("global", "install", ":env:").index(match[1])
        if rank >= found.get(name, (0, ""))[0]:
            found[name] = (rank, value)
    settings = {name: value for name, (_, value) in found.items() if name not in environment}
    # As pip does it: the best of all places. Safe, because every file must match its hash.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never", **settings}


def locked(name: str, lock: Path) -> str:
    """Return the lines of ``lock`` that pin the package ``name``."""
    match = re.search(rf"^{re.escape(name)}==.*\n(?:[ \t].*\n)*", lock.read_text(), re.MULTILINE)
    if match is None:
        fail(f"{lock.name} does not pin {name}; write it again with: make lock")
    return match[0]


def add_uv(pip: Sequence[str], lock: Path) -> bool:
    """Install the locked uv with pip; say whether it is there."""
    pin = locked("uv", lock)
    version = pin.split("==", 1)[1].split()[0]
    if (answer(VENV / "bin" / "uv", "--version") or "").split()[1:2] == [version]:
        return True
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as handle:
        handle.write(pin)
        handle.flush()
        return run(*pip, "install", "-q", "--no-deps", "--require-hashes", "-r", handle.name)


def install(pip: Sequence[str], lock: Path) -> None:
    """Bring ``.venv`` to exactly what ``lock`` names, and this project, editable."""
    own = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    if add_uv(pip, lock):
        settings = uv_settings(answer(*pip, "config", "list") or "", os.environ)
        uv = (VENV / "bin" / "uv", "pip")
        into = ("--quiet", "--python", PYTHON)
        pinned = ("--require-hashes", "--build-constraints", lock, lock)
        if run(*uv, "sync", *into, *pinned, environment=settings) and run(
            *uv, "install", *into, *own, environment=settings
        ):
            return
        say("uv could not install; trying with pip")
    if not (
        run(*pip, "install", "-q", "--require-hashes", "-r", lock)
        and run(*pip, "install", "-q", *own)
    ):
        fail("the packages could not be installed (see above); check the network, then start again")


def set_up(kind: str) -> None:
    """Make ``.venv`` an environment of this ``kind``; what it holds for the checks stays."""
    record = read_record()
    kind = "dev" if record.get("kind") == "dev" else kind
    if record.get("place", place()) != place() or answer(PYTHON, __file__, "--place") != place():
        clear()
    write_record(place="building")
    if not PYTHON.exists():
        if importlib.util.find_spec("venv") is None:
            add_pip()
        if not run(sys.executable, "-m", "venv", "--without-pip", VENV):
            fail(f"{sys.executable} made no virtual environment in {VENV} (see above)")
    pip = find_pip()
    if pip is None:
        add_pip()
        pip = find_pip()
    if pip is None:
        fail(f"{sys.executable} still has no pip; give TARS_PYTHON another Python")
    lock = ROOT / LOCKS[kind]
    count = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    say(f"installing {count} packages into .venv (once; about 10 s)")
    install(pip, lock)
    write_record(kind=kind, place=place(), digest=digest(kind))


def main(arguments: Sequence[str]) -> int:
    """Set up, or with ``--check`` only say by the exit code whether that is needed."""
    if arguments == ["--place"]:
        sys.stdout.write(place())
        return 0
    checking = arguments[:1] == ["--check"]
    kinds = arguments[1:] if checking else arguments
    if len(kinds) != 1 or kinds[0] not in LOCKS:
        sys.stderr.write("usage: environment.py [--check] runtime|dev\n")
        return 2
    if checking:
        return 0 if is_current(kinds[0]) else 1
    with turn():
        if answer(PYTHON, __file__, "--check", kinds[0]) is None:
            set_up(kinds[0])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted; the next start begins again")
        sys.exit(130)
