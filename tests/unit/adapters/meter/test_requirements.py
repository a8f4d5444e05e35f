"""Which packages a genome needs, and where the machine gets them from."""

from __future__ import annotations

import pytest

from tars_peer.adapters.meter.indexes import only_local, uv_environment
from tars_peer.adapters.meter.requirements import Project, required
from tars_peer.errors import UsageError
from tests.unit.adapters.meter.genomes import policy

PROJECT = b"""
[project]
name = "My_App"
version = "1.5"
dependencies = ["attrs>=20", "my-app"]
[project.optional-dependencies]
test = ["hypothesis", "my.app[extra]"]
extra = ["tomli ; python_version < '3.11'"]
docs = ["sphinx"]
[dependency-groups]
tests = ["pytest>=8", {include-group = "more"}, {include-group = "tests"}]
more = ["attrs>=20", "numpy"]
dev = ["mypy"]
"""


def test_a_project_needs_its_own_and_its_tests_requirements():
    found = required(policy(requirements=("rich",)), {"pyproject.toml": PROJECT})
    assert found == (
        *("attrs>=20", "hypothesis", "numpy", "pytest>=8", "rich"),
        "tomli ; python_version < '3.11'",
    )


@pytest.mark.parametrize(
    ("test", "requirements", "expected"),
    [
        (("pytest",), (), ("pytest",)),
        (("pytest",), ("pytest_timeout",), ("pytest", "pytest_timeout")),
        (("pytest",), ("PyTest==9.0",), ("PyTest==9.0",)),
        (("python", "-m", "unittest"), (), ()),
    ],
)
def test_pytest_is_added_where_only_the_test_command_asks_for_it(test, requirements, expected):
    assert required(policy(test=test, requirements=requirements), {}) == expected


@pytest.mark.parametrize("word", ["requirements/all.txt", "-r requirements/all.txt"])
def test_files_of_the_genome_may_list_requirements(word):
    files = {
        "requirements/all.txt": b"# ours\nattrs==1 \\\n  --hash=sha256:00\n\n-r more.txt  \n",
        "requirements/more.txt": b"rich  # tables\nfile @ git+https://host/x#egg=file\n",
    }
    found = required(policy(test=("x",), requirements=(word,)), files)
    assert found == ("attrs==1", "file @ git+https://host/x#egg=file", "rich")


@pytest.mark.parametrize(
    ("requirements", "files", "named"),
    [
        (("gone.txt",), {}, "gone.txt"),
        (("-r ../out.txt",), {}, "../out.txt"),
        (("a.txt",), {"a.txt": b"-r a.txt\n"}, "a.txt"),
        (("--index-url=http://elsewhere",), {}, "--index-url"),
        (("a.txt",), {"a.txt": b"--extra-index-url http://elsewhere\n"}, "--extra-index-url"),
        (("-e .",), {}, "-e ."),
        (("./local",), {}, "./local"),
    ],
)
def test_what_is_no_requirement_is_an_error_that_names_it(requirements, files, named):
    with pytest.raises(UsageError) as caught:
        required(policy(requirements=requirements), files)
    assert named in str(caught.value)
    assert caught.value.hint


def test_a_project_that_is_no_toml_is_an_error():
    with pytest.raises(UsageError, match=r"pyproject\.toml"):
        required(policy(), {"pyproject.toml": b"[project"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"version = '2'", "2"), (b"dynamic = ['version']", "0"), (b"version = '../../x'", "0")],
)
def test_a_version_is_one_or_nothing(text, expected):
    assert Project({"pyproject.toml": b"[project]\n" + text}).version == expected


@pytest.fixture
def machine(tmp_path) -> dict[str, str]:
    """The variables of a machine with nothing configured but what a test writes to its pip.conf."""
    return {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}


def test_uv_is_told_what_pip_is_told(machine, tmp_path):
    (tmp_path / "wheels").mkdir()
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = http://one/simple\ntrusted_host = one\n"
        f"find-links = {tmp_path}/wheels\n  {tmp_path}/gone\n"
        "[install]\nextra-index-url = http://two/\n  http://three/\n"
    )
    made = uv_environment(machine)
    assert made["UV_DEFAULT_INDEX"] == "http://one/simple"
    assert made["UV_INDEX"] == "http://two/ http://three/"
    assert made["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert made["UV_FIND_LINKS"] == f"{tmp_path}/wheels"
    assert made["UV_INSECURE_HOST"] == "one"


def test_variables_go_before_files_and_uvs_own_before_pips(machine, tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://file/\n")
    said = {**machine, "PIP_INDEX_URL": "http://variable/"}
    assert uv_environment(said)["UV_DEFAULT_INDEX"] == "http://variable/"
    said |= {"UV_INDEX_URL": "http://uv/"}
    assert "UV_DEFAULT_INDEX" not in uv_environment(said)


def test_a_configuration_that_cannot_be_read_says_nothing(machine, tmp_path):
    (tmp_path / "pip.conf").write_bytes(b"index-url = \xff\n")
    made = uv_environment(machine)
    assert {key: made[key] for key in machine} == machine
    assert "UV_DEFAULT_INDEX" not in made


def test_no_index_is_no_index(machine, tmp_path):
    assert not only_local(machine)
    assert only_local({**machine, "PIP_NO_INDEX": "1"})
    (tmp_path / "pip.conf").write_text("[install]\nno-index = true\n")
    assert only_local(machine)
