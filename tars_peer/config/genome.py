"""The genome's own words: ``[tool.tars]`` in its pyproject.toml, or its tars.toml, as a Policy.

A missing or wrong key is an error that names the key, the file and what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath

from tars_peer.config.table import Table
from tars_peer.errors import UsageError
from tars_peer.ledger.verdict import FEWEST_RUNS
from tars_peer.model.policy import Health, Limits, Policy, Service, Thresholds, Timeouts

_PROJECT, _OWN = "pyproject.toml", "tars.toml"
ALWAYS_PROTECTED = (_PROJECT, _OWN)


def read_policy(files: Mapping[str, bytes]) -> Policy:
    """Return the settings of the genome whose tree holds ``files`` (path → content).

    Raises:
        UsageError: a key is unknown, missing or wrong; there is no source or no test.
    """
    name, table = _table(files)
    source = table.words("source") or _guess_source(files, table)
    for path in source:
        if not _is_there(path, files):
            raise table.fault("source", f"names {path!r}, which is not in the genome")
    test = table.command("test") or _guess_test(files, table)
    policy = Policy(
        name=name,
        source=source,
        protected=tuple(dict.fromkeys((*table.words("protected"), *ALWAYS_PROTECTED))),
        build=table.command("build"),
        house=table.commands("house"),
        test=test,
        benchmark=table.command("benchmark"),
        service=_service(table),
        requirements=table.words("requirements"),
        timeouts=Timeouts(**table.table("timeouts").counts(Timeouts)),
        thresholds=Thresholds(**table.table("thresholds").counts(Thresholds)),
        limits=Limits(**table.table("limits").counts(Limits)),
    )
    if policy.thresholds.probes < FEWEST_RUNS:
        raise table.fault("thresholds.probes", f"must be {FEWEST_RUNS} or more")
    table.done()
    return policy


def _table(files: Mapping[str, bytes]) -> tuple[str, Table]:
    """Return the genome's name and the table of its settings, wherever it is."""
    whole = Table(_PROJECT, "", _parsed(_PROJECT, files))
    name = whole.table("project").word("name") or "genome"
    tool = whole.table("tool")
    if _OWN not in files:
        return name, tool.table("tars")
    if tool.has("tars"):
        raise UsageError(
            f"settings are in {_OWN} and under [tool.tars] in {_PROJECT}",
            hint="keep one of the two and commit it",
        )
    return name, Table(_OWN, "", _parsed(_OWN, files))


def _parsed(file: str, files: Mapping[str, bytes]) -> dict[str, object]:
    try:
        return tomllib.loads(files.get(file, b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}", hint="correct the file and commit it") from error


def _is_there(path: str, files: Mapping[str, bytes]) -> bool:
    """Say whether ``path`` is a file, a folder with files, or (``.``) the genome as a whole."""
    plain = PurePosixPath(path).as_posix() if path else ""
    return plain == "." or any(file == plain or file.startswith(f"{plain}/") for file in files)


def _guess_source(files: Mapping[str, bytes], table: Table) -> tuple[str, ...]:
    packages = {
        path.rsplit("/", 1)[0]
        for path in files
        if path.endswith("/__init__.py") and path.count("/") <= 1 + path.startswith("src/")
    }
    found = sorted(packages - {"tests", "test", "docs", "examples"})
    if not found:
        raise table.fault(
            "source", "is missing, and no package was found: list the folders that may evolve"
        )
    return tuple(found)


def _guess_test(files: Mapping[str, bytes], table: Table) -> tuple[str, ...]:
    names = (path.rsplit("/", 1)[-1] for path in files)
    if any(
        name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
        for name in names
    ):
        return ("python", "-m", "pytest", "-q")
    raise table.fault(
        "test", "is missing, and no test_*.py was found: a genome without tests cannot evolve"
    )


def _service(table: Table) -> Service | None:
    if not table.has("service"):
        return None
    service = table.table("service")
    command = service.command("command")
    if not command:
        raise service.fault("command", 'is missing: a list such as ["python", "-m", "app"]')
    if not any("{port}" in word for word in command):
        raise service.fault("command", "must hold {port} in one of its words")
    kinds = [key for key in ("health_http", "health_grpc", "health_command") if service.has(key)]
    if len(kinds) != 1:
        raise service.fault(
            "health_http", "or health_grpc or health_command: exactly one of them is needed"
        )
    http_path = service.word("health_http")
    if kinds == ["health_http"] and not http_path.startswith("/"):
        raise service.fault("health_http", f'must be a path such as "/health", not {http_path!r}')
    health = Health(
        http_path=http_path,
        grpc_service=service.word("health_grpc") if kinds == ["health_grpc"] else None,
        command=service.command("health_command"),
    )
    service.done()
    return Service(command=command, health=health)
