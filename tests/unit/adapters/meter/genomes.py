"""Small genomes for the tests of the meter. No assertion may enter here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tars_peer.adapters.meter.meter import GenomeMeter
from tars_peer.model.policy import Limits, Policy, Thresholds, Timeouts
from tars_peer.ports.sandbox import Sandbox
from tests.unit.adapters.sandbox.jobs import bubblewrap

PYTEST = ("python", "-m", "pytest", "-q")


def policy(**changes: object) -> Policy:
    """Make the settings of a genome whose source is ``app`` and that has pytest tests."""
    settings: dict[str, object] = {
        "name": "genome",
        "source": ("app",),
        "protected": (),
        "build": (),
        "house": (),
        "test": PYTEST,
        "benchmark": (),
        "service": None,
        "requirements": (),
        "timeouts": Timeouts(build_ms=30_000, test_ms=30_000, benchmark_ms=30_000),
        "thresholds": Thresholds(),
        "limits": Limits(memory_mib=1_024, processes=32, file_mib=16),
    }
    return Policy(**{**settings, **changes})  # type: ignore[arg-type]


def artifact(folder: Path, files: Mapping[str, str]) -> Path:
    """Write ``files`` to ``folder``/artifact and return that."""
    root = folder / "artifact"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def meter(folder: Path, sandbox: Sandbox | None = None, **changes: object) -> GenomeMeter:
    """Make a meter with a lock of its own in ``folder``, and settings changed as given."""
    return GenomeMeter(
        policy=policy(**changes),
        python=Path(sys.executable),
        sandbox=sandbox or bubblewrap(),
        machine_lock=folder / "machine.lock",
    )
