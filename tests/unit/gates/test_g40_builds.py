"""Gate 40: the candidate builds."""

from __future__ import annotations

from tars_peer.gates import g40_builds
from tests.unit.gates.cases import CANDIDATE, good_meter, make_case


def test_a_candidate_that_builds_passes():
    meter = good_meter()
    assert g40_builds.check(make_case(meter=meter)).passed
    assert meter.calls == [("build", CANDIDATE)]


def test_a_complaint_refuses_in_its_own_words():
    meter = good_meter(complaints={CANDIDATE: "exit code 2: no such file"})
    outcome = g40_builds.check(make_case(meter=meter))
    assert not outcome.passed
    assert outcome.reason == "exit code 2: no such file"
