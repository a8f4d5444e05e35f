"""The case that the gates judge: one change, its base, and the means to build and measure both.

A case only holds and derives; no check may enter here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tars_peer.gates.baseline import Baseline
from tars_peer.model.change import Change, changed_files
from tars_peer.model.policy import Policy
from tars_peer.ports.meter import Meter


@dataclass(frozen=True, kw_only=True)  # no slots: ``contents`` is kept in the instance's dict
class Case:
    """Everything a gate may look at.

    ``base_files`` is path → content of the whole base tree. ``base`` and ``candidate`` give the
    artifact folders of the two trees and make them when first asked, so that a change refused on
    paper costs no checkout. ``constitution`` are paths that evolution may never edit.
    ``cancelled`` says whether anybody still wants the verdict; it must be cheap.
    """

    change: Change
    policy: Policy
    base_files: Mapping[str, bytes]
    base: Callable[[], Path]
    candidate: Callable[[], Path]
    baseline: Baseline
    meter: Meter
    constitution: tuple[str, ...]
    cancelled: Callable[[], bool]

    @cached_property
    def contents(self) -> Mapping[str, bytes]:
        """The new content of each file that the change touches, by path.

        Raises:
            RefusedError: an edit does not fit the base.
        """
        return changed_files(self.base_files, self.change.edits)
