"""The program as a process: exit codes, no traceback, and a quick start."""

import os
import subprocess
import sys


def _tars(*words: str, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "tars_peer", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TARS_")}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean, **environment},
    )


def test_wrong_home_is_2_with_message_and_hint(tmp_path) -> None:
    ended = _tars("cluster", "status", "--home", str(tmp_path / "none"))
    assert ended.returncode == 2
    assert ended.stdout == ""
    first, second = ended.stderr.splitlines()
    assert first.startswith("error: no cluster in ")
    assert second.startswith("hint: ")


def test_the_environment_names_the_home(tmp_path) -> None:
    ended = _tars("evolve", "history", TARS_HOME=str(tmp_path))
    assert (ended.returncode, str(tmp_path) in ended.stderr) == (2, True)


def test_version_and_help_need_no_cluster() -> None:
    assert _tars("--version").stdout.startswith("tars")
    for words in ((), ("cluster",), ("evolve",), ("peer",)):
        shown = _tars(*words, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")


def test_a_fault_of_ours_is_told_without_a_traceback() -> None:
    code = (
        "import sys; from tars_peer.cli import main; sys.argv = ['tars', 'boom']\n"
        "@main.app.command()\n"
        "def boom() -> None: raise ZeroDivisionError('by hand')\n"
        "main.run()"
    )
    ended = _tars(code=code)
    assert ended.returncode == 1
    assert "error: a fault in TARS itself: ZeroDivisionError: by hand" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Traceback" in _tars(code=code, TARS_TRACEBACK="1").stderr


def test_a_reader_that_leaves_early_breaks_nothing() -> None:
    code = (
        "import sys; from tars_peer.cli import main; sys.argv = ['tars', 'chatter']\n"
        "from tars_peer.cli.speak import say_lines\n"
        "from rich.text import Text\n"
        "@main.app.command()\n"
        "def chatter() -> None: say_lines(*[Text('x' * 1000)] * 1000)\n"
        "main.run()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) in (0, 1)


def test_reading_commands_do_not_load_what_only_peers_need() -> None:
    code = (
        "import sys; import tars_peer.cli.main\n"
        "heavy = {'libcst', 'pysyncobj', 'pygit2', 'docker', 'tars_peer.peer'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    ended = _tars(code=code)
    assert (ended.returncode, ended.stderr) == (0, "")
