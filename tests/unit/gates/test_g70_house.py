"""Gate 70: the genome's own house rules."""

from __future__ import annotations

from tars_peer.gates import g70_house
from tests.unit.gates.cases import CANDIDATE, good_meter, make_case


def test_a_tidy_candidate_passes():
    meter = good_meter()
    assert g70_house.check(make_case(meter=meter)).passed
    assert meter.calls == [("house", CANDIDATE)]


def test_a_complaint_refuses_in_its_own_words():
    meter = good_meter()
    meter.house_complaint = "ruff: exit code 1: F401"
    outcome = g70_house.check(make_case(meter=meter))
    assert not outcome.passed
    assert outcome.reason == "ruff: exit code 1: F401"
