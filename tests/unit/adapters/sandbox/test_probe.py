"""Which sandbox is chosen, and why not another."""

from __future__ import annotations

import pytest

from tars_peer.adapters.sandbox.probe import choose_sandbox, trial
from tars_peer.errors import PermanentError
from tests.fakes.sandbox import FakeSandbox, outcome
from tests.unit.adapters.sandbox.jobs import bubblewrap, landlock, limits

GOOD = FakeSandbox(lambda _job: outcome(stdout="ready\n"), level="good")
LEAKY = FakeSandbox(lambda _job: outcome(stdout="reach the network\nready\n"), level="leaky")
BROKEN = FakeSandbox(lambda _job: outcome(stderr="no namespaces", code=1), level="broken")
SILENT = FakeSandbox(lambda _job: outcome(), level="silent")


@pytest.mark.parametrize("make", [bubblewrap, landlock])
def test_a_level_with_walls_keeps_its_promise_here(make):
    assert trial(make()) == ""


def test_the_trial_sees_that_there_are_no_walls():
    assert trial(limits()) == (
        "a job could read a file of the host, write outside its folder, reach the network"
    )


def test_here_the_strongest_is_chosen():
    assert choose_sandbox().level == "bubblewrap"


@pytest.mark.parametrize("worse", [LEAKY, BROKEN, SILENT], ids=lambda one: one.level)
def test_one_that_does_not_keep_its_promise_is_passed_over(worse):
    assert choose_sandbox(candidates=[worse, GOOD]) is GOOD


def test_without_walls_is_an_error_that_says_why():
    with pytest.raises(PermanentError) as caught:
        choose_sandbox(candidates=[LEAKY, BROKEN])
    assert "leaky: a job could reach the network" in str(caught.value)
    assert "broken: exit code 1: no namespaces" in str(caught.value)
    assert "docs/sandbox.md" in caught.value.hint


def test_without_walls_can_be_allowed():
    assert choose_sandbox(candidates=[LEAKY], allow_none=True).level == "limits"
