"""Too few live runs would leave every change unmeasured for ever."""

from __future__ import annotations

import pytest

from tars_peer.config.genome import read_policy
from tars_peer.errors import UsageError


def test_fewer_probes_than_the_ledger_counts_are_refused() -> None:
    files = {
        "a/__init__.py": b"",
        "test_a.py": b"",
        "tars.toml": b"[thresholds]\nprobes = 2\n",
    }
    with pytest.raises(UsageError, match=r"tars\.toml: thresholds\.probes must be 3 or more"):
        read_policy(files)
