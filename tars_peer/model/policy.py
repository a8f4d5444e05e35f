"""The genome's own words: how it is built, tested, measured and served, and what may change.

Read from ``[tool.tars]`` by ``config``; fixed in the ledger by its digest. No parsing and no
defaults that depend on the machine may enter here.
"""

from __future__ import annotations

from tars_peer.model.noun import Count, Noun, Path, Word


class Timeouts(Noun, frozen=True, kw_only=True):
    """Deadlines in milliseconds of wall time."""

    build_ms: Count = 120_000
    test_ms: Count = 300_000
    benchmark_ms: Count = 60_000
    healthy_ms: Count = 30_000
    ballot_ms: Count = 600_000


class Thresholds(Noun, frozen=True, kw_only=True):
    """What counts as better and as worse, in parts per million of the ratio old/new.

    A change of a genome with a benchmark must be faster by ``gain_ppm`` at its lower bound; one
    of a genome without may not be slower than ``slack_ppm`` at its lower bound. A live generation
    whose probe costs more than ``worse_ppm`` over the old one is rolled back.
    """

    gain_ppm: Count = 10_000
    slack_ppm: Count = 50_000
    worse_ppm: Count = 150_000
    pairs: Count = 12
    probes: Count = 5
    baseline_runs: Count = 3


class Limits(Noun, frozen=True, kw_only=True):
    """What candidate code may use in the sandbox."""

    memory_mib: Count = 2_048
    processes: Count = 128
    file_mib: Count = 256


class Health(Noun, frozen=True, kw_only=True):
    """How to see that a service is healthy: exactly one of the three is set."""

    http_path: str = ""
    grpc_service: str | None = None
    command: tuple[str, ...] = ()


class Service(Noun, frozen=True, kw_only=True):
    """The long-running program that each peer serves; ``{port}`` is replaced in its words."""

    command: tuple[str, ...]
    health: Health


class Policy(Noun, frozen=True, kw_only=True):
    """All settings of a genome; equal policies have equal digests on every peer.

    ``house`` are commands that must succeed on every candidate (a linter, import contracts);
    an empty ``build``, ``benchmark`` or ``house`` means there is none.
    """

    name: Word
    source: tuple[Path, ...]
    protected: tuple[Path, ...]
    build: tuple[str, ...]
    house: tuple[tuple[str, ...], ...]
    test: tuple[str, ...]
    benchmark: tuple[str, ...]
    service: Service | None
    requirements: tuple[str, ...]
    timeouts: Timeouts
    thresholds: Thresholds
    limits: Limits
