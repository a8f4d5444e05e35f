"""The paths of TARS' own source that evolution may never edit (design.md, invariant 7).

What proves a change, decides on it, signs it, and takes it back must not be changed by it. Only
paths may enter here; the check is gate 20.
"""

from __future__ import annotations

from tars_peer.model.policy import Policy

#: The name by which the genome that is TARS itself is known (``[project] name``).
OWN_NAME = "tars-peer"

#: Folders, files, or patterns with ``*`` (which also matches ``/``), relative to the tree.
CONSTITUTION: tuple[str, ...] = (
    # the core that decides, and the nouns it decides on
    "tars_peer/model",
    "tars_peer/ledger",
    "tars_peer/errors.py",
    "tars_peer/ports",
    # what proves a change: the ladder, and the adapters that run and measure candidates
    "tars_peer/gates",
    "tars_peer/adapters/meter",
    "tars_peer/adapters/sandbox",
    # what peers speak, and the log
    "tars_peer/wire",
    "tars_peer/adapters/raft",
    # who may speak at all, and what to whom
    "tars_peer/adapters/identity",
    "tars_peer/adapters/rpc",
    "proto",
    # what owns a peer's identity and puts an old generation back
    "tars_peer/peer*",
    "tars_peer/supervisor*",
    "tars_peer/__init__.py",
    "tars_peer/__main__.py",
    # what builds, starts and tests it all
    "pyproject.toml",
    "containers",
    "scripts",
    "tests",
    ".ci",
)


def constitution_for(policy: Policy) -> tuple[str, ...]:
    """Return what evolution may not edit beyond ``policy.protected``; empty for other genomes."""
    return CONSTITUTION if policy.name == OWN_NAME else ()
