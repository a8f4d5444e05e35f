"""What a ballot says in one line."""

from __future__ import annotations

import msgspec

from tars_peer.model.ballot import GateResult
from tests.unit.ledger.members import ballot, begun, change_on

BALLOT = ballot("p1", change_on(begun(1).head, "sum"))


def gate(name: str, reason: str, *, passed: bool) -> GateResult:
    return GateResult(gate=name, passed=passed, reason=reason)


def test_the_reason_is_the_first_gate_that_did_not_pass() -> None:
    gates = (
        gate("parses", "", passed=True),
        gate("tests", "2 fail", passed=False),
        gate("benchmark", "slower", passed=False),
    )
    assert msgspec.structs.replace(BALLOT, gates=gates).reason == "tests: 2 fail"


def test_there_is_no_reason_where_all_passed() -> None:
    assert msgspec.structs.replace(BALLOT, gates=()).reason == ""
    assert BALLOT.reason == ""
