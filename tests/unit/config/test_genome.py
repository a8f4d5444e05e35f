"""The genome's settings: defaults, and for every mistake what is wrong and what is right."""

from __future__ import annotations

import pytest

from tars_peer.config.genome import read_policy
from tars_peer.errors import UsageError
from tars_peer.ledger.canon import digest
from tars_peer.model.policy import Health, Limits, Policy, Service, Thresholds, Timeouts

PLAIN = {
    "orchard/__init__.py": b"",
    "orchard/trees.py": b"",
    "tests/test_trees.py": b"",
    "README.md": b"",
}
PYTEST = ("python", "-m", "pytest", "-q")


def genome(text: str = "", *, file: str = "pyproject.toml", **others: bytes) -> dict[str, bytes]:
    """Return the files of a small genome with these settings under [tool.tars]."""
    head = "" if file == "tars.toml" or "[" in text[:1] else "[tool.tars]\n"
    return {**PLAIN, **others, file: (head + text).encode()}


def test_a_genome_with_no_settings_gets_its_packages_and_pytest():
    assert read_policy(PLAIN) == Policy(
        name="genome",
        source=("orchard",),
        protected=("pyproject.toml", "tars.toml"),
        build=(),
        house=(),
        test=PYTEST,
        benchmark=(),
        service=None,
        requirements=(),
        timeouts=Timeouts(),
        thresholds=Thresholds(),
        limits=Limits(),
    )


FULL = """
source = ["orchard/trees.py", "./orchard"]
protected = ["orchard/__init__.py"]
build = ["make"]
house = [["ruff", "check"], ["lint-imports"]]
test = ["python", "-m", "unittest"]
benchmark = ["python", "bench.py"]
requirements = ["pytest>=8"]
[tool.tars.service]
command = ["python", "-m", "orchard", "{port}"]
health_http = "/health"
[tool.tars.timeouts]
test_ms = 5
[tool.tars.thresholds]
pairs = 20
[tool.tars.limits]
memory_mib = 64
"""


def test_every_setting_is_read():
    assert read_policy(genome(FULL)) == Policy(
        name="genome",
        source=("orchard/trees.py", "./orchard"),
        protected=("orchard/__init__.py", "pyproject.toml", "tars.toml"),
        build=("make",),
        house=(("ruff", "check"), ("lint-imports",)),
        test=("python", "-m", "unittest"),
        benchmark=("python", "bench.py"),
        service=Service(
            command=("python", "-m", "orchard", "{port}"), health=Health(http_path="/health")
        ),
        requirements=("pytest>=8",),
        timeouts=Timeouts(test_ms=5),
        thresholds=Thresholds(pairs=20),
        limits=Limits(memory_mib=64),
    )


def test_tars_toml_says_the_same_without_the_prefix():
    text = FULL.replace("[tool.tars.", "[")
    assert read_policy(genome(text, file="tars.toml")) == read_policy(genome(FULL))


def test_the_name_is_the_projects_own_wherever_the_settings_are():
    project = b'[project]\nname = "orchard"\n'
    assert read_policy({**PLAIN, "pyproject.toml": project}).name == "orchard"
    own = genome('benchmark = ["x"]', file="tars.toml", **{"pyproject.toml": project})
    assert (read_policy(own).name, read_policy(own).benchmark) == ("orchard", ("x",))


def test_the_settings_of_a_genome_may_not_be_changed_by_it_even_if_they_are_named_twice():
    policy = read_policy(genome('protected = ["tars.toml", "tars.toml"]'))
    assert policy.protected == ("tars.toml", "pyproject.toml")


@pytest.mark.parametrize("source", [".", "orchard", "orchard/", "./orchard", "orchard/trees.py"])
def test_a_source_is_a_folder_a_file_or_everything(source):
    assert read_policy(genome(f'source = ["{source}"]')).source == (source,)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["src/a/__init__.py", "src/b/__init__.py"], ("src/a", "src/b")),
        (["a/__init__.py", "a/inner/__init__.py"], ("a",)),
        (["a/__init__.py", "tests/__init__.py", "docs/__init__.py"], ("a",)),
    ],
)
def test_the_source_is_guessed_from_the_packages(files, found):
    tree = dict.fromkeys([*files, "test_a.py"], b"")
    assert read_policy(tree).source == found


@pytest.mark.parametrize("test", ["tests/test_a.py", "a_test.py", "a/test_inside.py"])
def test_a_test_is_found_by_its_name(test):
    assert read_policy({"a/__init__.py": b"", test: b""}).test == PYTEST


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ('health_http = "/"', Health(http_path="/")),
        ('health_grpc = ""', Health(grpc_service="")),
        ('health_grpc = "a.B"', Health(grpc_service="a.B")),
        ('health_command = ["curl", "{port}"]', Health(command=("curl", "{port}"))),
    ],
)
def test_a_service_has_one_kind_of_health(health, expected):
    policy = read_policy(genome(f'service = {{command = ["x", "--port={{port}}"], {health}}}'))
    assert policy.service.health == expected


def test_equal_settings_have_equal_digests_however_they_are_written():
    one = genome('source = ["orchard"]\n[tool.tars.timeouts]\ntest_ms = 5\nbuild_ms = 120000')
    two = genome("[tool.tars.timeouts]\ntest_ms = 5\n", notes=b"other files count for nothing")
    assert digest("policy", read_policy(one)) == digest("policy", read_policy(two))
    other = genome("[tool.tars.timeouts]\ntest_ms = 6\n")
    assert digest("policy", read_policy(one)) != digest("policy", read_policy(other))


SERVICE = '[tool.tars.service]\ncommand = ["x", "{port}"]\n'

MISTAKES = [
    ("sources = []", "tool.tars.sources is not known; allowed are source, "),
    ("source = 5", "tool.tars.source must be a list of strings, not 5"),
    ('source = "orchard"', "tool.tars.source must be a list of strings, not 'orchard'"),
    ("source = [1]", "tool.tars.source must be a list of strings, not [1]"),
    ('source = ["oak"]', "tool.tars.source names 'oak', which is not in the genome"),
    ('source = ["orch"]', "names 'orch', which is not in the genome"),
    ('source = ["../x"]', "names '../x', which is not in the genome"),
    ('source = ["/orchard"]', "names '/orchard', which is not in the genome"),
    ('source = [""]', "names '', which is not in the genome"),
    ('protected = "x"', "tool.tars.protected must be a list of strings"),
    ('test = "pytest -q"', "tool.tars.test must be a list of strings such as ['pytest', '-q']: no"),
    ("test = []", "tool.tars.test is empty: give a command, or leave the key out"),
    ("benchmark = []", "tool.tars.benchmark is empty"),
    ('benchmark = "python b.py"', "tool.tars.benchmark must be a list of strings such as"),
    ("build = [3]", "tool.tars.build must be a list of strings, not [3]"),
    ('house = ["ruff", "check"]', "tool.tars.house must be a list of commands (lists of strings)"),
    ("house = [[]]", "tool.tars.house must be a list of commands"),
    ("house = 1", "tool.tars.house must be a list of commands"),
    ("requirements = {}", "tool.tars.requirements must be a list of strings, not {}"),
    ("timeouts = 5", "tool.tars.timeouts must be a table, not 5"),
    (
        "[tool.tars.timeouts]\ntest = 5",
        "tool.tars.timeouts.test is not known; allowed are build_ms",
    ),
    ("[tool.tars.timeouts]\ntest_ms = 0", "timeouts.test_ms must be a whole number from 1 to"),
    ("[tool.tars.timeouts]\ntest_ms = -1", "timeouts.test_ms must be a whole number from 1 to"),
    ("[tool.tars.timeouts]\ntest_ms = 1.5", "test_ms must be a whole number from 1 to"),
    (
        '[tool.tars.timeouts]\ntest_ms = "5"',
        "must be a whole number from 1 to 9007199254740991, no",
    ),
    ("[tool.tars.timeouts]\ntest_ms = true", "must be a whole number from 1 to"),
    ("[tool.tars.timeouts]\ntest_ms = 10000000000000000", "must be a whole number from 1 to"),
    ("[tool.tars.thresholds]\nworse = 1", "tool.tars.thresholds.worse is not known; allowed are"),
    ("[tool.tars.limits]\nmemory = 1", "tool.tars.limits.memory is not known; allowed are memory_"),
    ('service = "x"', "tool.tars.service must be a table, not 'x'"),
    ("[tool.tars.service]", "tool.tars.service.command is missing: a list such as"),
    (
        '[tool.tars.service]\ncommand = ["x"]\nhealth_http = "/"',
        "tool.tars.service.command must hold {port} in one of its words",
    ),
    (
        '[tool.tars.service]\ncommand = "x {port}"',
        "tool.tars.service.command must be a list of strings such as ['x', '{port}']: no shell",
    ),
    (SERVICE, "health_http or health_grpc or health_command: exactly one of them is needed"),
    (SERVICE + 'health_http = "/"\nhealth_grpc = ""', "exactly one of them is needed"),
    (SERVICE + 'health_http = ""', "health_http must be a path such as \"/health\", not ''"),
    (SERVICE + 'health_http = "health"', "must be a path such as"),
    (SERVICE + "health_http = 5", "tool.tars.service.health_http must be a string, not 5"),
    (SERVICE + "health_command = []", "tool.tars.service.health_command is empty"),
    (SERVICE + 'health_http = "/"\nhealth = "/"', "service.health is not known; allowed are"),
    ("[tool]\ntars = 5", "tool.tars must be a table, not 5"),
    ("tool = 5", "tool must be a table, not 5"),
    ("[project]\nname = 5", "project.name must be a string, not 5"),
    ("source = [", "(at end of document)"),
    ("a = 1\na = 2", "Cannot overwrite a value"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_a_mistake_is_named_with_its_key_and_file(text, expected):
    files = genome(text)
    if text.startswith("tool ="):
        files["pyproject.toml"] = text.encode()
    with pytest.raises(UsageError) as caught:
        read_policy(files)
    assert f"{caught.value}".startswith("pyproject.toml: ")
    assert expected in f"{caught.value}"
    assert "correct the file and commit it" in caught.value.hint


def test_a_mistake_in_tars_toml_is_said_of_that_file():
    with pytest.raises(UsageError, match=r"^tars\.toml: timeouts\.test_ms must be"):
        read_policy(genome("timeouts = {test_ms = 0}", file="tars.toml"))
    with pytest.raises(UsageError, match=r"^tars\.toml: "):
        read_policy(genome("timeouts = ", file="tars.toml"))


def test_a_file_that_is_no_text_is_named():
    with pytest.raises(UsageError, match=r"^pyproject\.toml: .*codec"):
        read_policy({**PLAIN, "pyproject.toml": b"\xff\xfe"})


def test_settings_in_two_places_are_refused():
    both = genome("source = ['orchard']", **{"tars.toml": b"source = ['orchard']"})
    with pytest.raises(UsageError, match=r"in tars\.toml and under \[tool\.tars\]") as caught:
        read_policy(both)
    assert "one of the two" in caught.value.hint


def test_a_genome_with_no_package_is_asked_for_its_source():
    with pytest.raises(
        UsageError, match=r"tool\.tars\.source is missing, and no package was found"
    ):
        read_policy({"a.py": b"", "test_a.py": b""})


def test_a_genome_with_no_tests_cannot_evolve():
    with pytest.raises(UsageError, match=r"tool\.tars\.test is missing, and no test_\*\.py"):
        read_policy({"a/__init__.py": b""})
