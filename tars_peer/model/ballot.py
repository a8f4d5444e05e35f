"""A ballot: one peer's signed verdict on a change, with what it measured itself.

What a signature covers is defined in ``ledger.signature``; no cryptography may enter here. Ratios
are old cost divided by new cost in parts per million, so 1_100_000 reads "1.10 times as fast".
"""

from __future__ import annotations

from enum import StrEnum

from tars_peer.model.noun import Count, HexDigest, HexSignature, Noun, PeerName, Text, Word

#: The gate that measures old against new.
MEASURING_GATE = "benchmark"


class Verdict(StrEnum):
    """What a voter says of a change."""

    APPROVE = "approve"
    REFUSE = "refuse"
    ABSTAIN = "abstain"


class GateResult(Noun, frozen=True, kw_only=True):
    """How one gate of the ladder ended on this voter."""

    gate: Word
    passed: bool
    reason: Text


class Measurement(Noun, frozen=True, kw_only=True):
    """Old against new, measured in interleaved pairs of fresh processes.

    ``ratio_ppm`` is the median over pairs of old/new; ``low_ppm`` and ``high_ppm`` bound it
    (bootstrap, one-sided 95 % each). ``old_ns`` and ``new_ns`` are medians per run.
    """

    pairs: Count
    ratio_ppm: Count
    low_ppm: Count
    high_ppm: Count
    old_ns: Count
    new_ns: Count
    source: Word


class Ballot(Noun, frozen=True, kw_only=True):
    """A verdict and its evidence, signed with the voter's Ed25519 ballot key."""

    cluster_id: Word
    change_id: HexDigest
    voter: PeerName
    verdict: Verdict
    gates: tuple[GateResult, ...]
    tests_passed: Count
    measurement: Measurement | None
    sandbox: Word
    signature: HexSignature

    @property
    def reason(self) -> str:
        """The first gate that did not pass, as ``gate: reason``; empty where all did."""
        failed = self.failed_gate
        return f"{failed.gate}: {failed.reason}" if failed else ""

    @property
    def failed_gate(self) -> GateResult | None:
        """The first gate that did not pass, or None."""
        return next((gate for gate in self.gates if not gate.passed), None)


class Certificate(Noun, frozen=True, kw_only=True):
    """Ballots of a majority of members that approve the same change."""

    change_id: HexDigest
    ballots: tuple[Ballot, ...]
