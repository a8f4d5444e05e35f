"""Tests of what the set-up script decides before it installs anything; no network enters here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "environment.py"


@pytest.fixture
def environment():
    """Return the script as a module; it is started by path, so it has no name to import."""
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path):
    """Return a function that runs the script in a project of its own, which has no .venv."""
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "environment.py"
    script.write_bytes(SCRIPT.read_bytes())

    def run(*arguments):
        command = [sys.executable, "-I", "-S", str(script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def record(folder: Path, environment, **fields: str) -> None:
    environment.VENV = folder / ".venv"
    environment.RECORD = environment.VENV / "setup.json"
    environment.ROOT = folder
    environment.VENV.mkdir(exist_ok=True)
    environment.write_record(**fields)


def test_settings_of_pip_become_settings_of_uv(environment):
    settings = environment.uv_settings(
        "global.index-url='https://one.example/simple'\n"
        "install.index-url='https://two.example/simple'\n"
        ":env:.find-links='/wheels /more'\n"
        "global.cert='/certificates.pem'\n"
        "global.quiet='1'\n"
        "a line that is no setting\n",
        {},
    )
    assert settings["UV_DEFAULT_INDEX"] == "https://two.example/simple"
    assert settings["UV_FIND_LINKS"] == "/wheels,/more"
    assert settings["SSL_CERT_FILE"] == "/certificates.pem"
    assert not [name for name in settings if "QUIET" in name.upper()]


@pytest.mark.parametrize("order", [1, -1])
def test_what_the_environment_says_to_pip_wins(environment, order):
    lines = [":env:.index-url='https://env.example'", "global.index-url='https://file.example'"]
    settings = environment.uv_settings("\n".join(lines[::order]), {})
    assert settings["UV_DEFAULT_INDEX"] == "https://env.example"


def test_what_is_set_for_uv_stays(environment):
    settings = environment.uv_settings(
        "global.index-url='https://pip.example'", {"UV_DEFAULT_INDEX": "https://uv.example"}
    )
    assert "UV_DEFAULT_INDEX" not in settings


def test_a_pin_is_cut_out_with_all_its_hashes(environment, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "uv==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\nvw==3\n"
    )
    pin = environment.locked("uv", lock)
    assert pin.startswith("uv==1.2")
    assert "bb" in pin
    assert "vw" not in pin


def test_both_locks_pin_uv_with_hashes_and_agree(environment):
    both = [
        dict(line.split(" ")[0].split("==") for line in text.splitlines() if "==" in line[:60])
        for text in ((ROOT / name).read_text() for name in environment.LOCKS.values())
    ]
    assert "uv" in both[0]
    assert {name: both[1].get(name) for name in both[0]} == both[0]
    assert "--hash=sha256:" in environment.locked("uv", ROOT / "requirements.lock")


def test_a_new_clone_is_to_be_set_up(copy):
    assert copy("--check", "runtime").returncode == 1


def test_what_was_set_up_is_left_alone(copy, environment, tmp_path):
    record(tmp_path, environment, kind="runtime", digest=environment_digest(tmp_path, environment))
    assert copy("--check", "runtime").returncode == 0
    assert copy("--check", "dev").returncode == 1


def test_the_environment_of_the_checks_is_good_for_a_peer(copy, environment, tmp_path):
    digest = environment_digest(tmp_path, environment, "dev")
    record(tmp_path, environment, kind="dev", digest=digest)
    assert copy("--check", "runtime").returncode == 0


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_input_asks_for_a_new_set_up(copy, environment, tmp_path, name):
    record(tmp_path, environment, kind="runtime", digest=environment_digest(tmp_path, environment))
    (tmp_path / name).write_text("# changed\n")
    assert copy("--check", "runtime").returncode == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"place": "building"}'])
def test_a_half_built_environment_is_not_current(copy, tmp_path, text):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "setup.json").write_text(text)
    assert copy("--check", "runtime").returncode == 1


def environment_digest(folder: Path, environment, kind: str = "runtime") -> str:
    environment.ROOT = folder
    return environment.digest(kind)


@pytest.mark.parametrize("arguments", [(), ("all",), ("--check",), ("runtime", "dev")])
def test_wrong_use_is_told_apart(copy, arguments):
    done = copy(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr
