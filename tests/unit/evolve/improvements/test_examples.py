"""Every improvement's own examples: FINDS become exactly what they say, LEAVES stay."""

from __future__ import annotations

import pytest

from tars_peer.evolve.analyse.analyse import look
from tars_peer.evolve.analyse.shares import Shares
from tars_peer.evolve.facts.source import read_source
from tars_peer.evolve.improvements.improvement import Example, Improvement
from tars_peer.evolve.improvements.registry import all_improvements
from tars_peer.model.change import apply_edits

FINDS = [
    pytest.param(one, example, id=f"{one.name}-{number}")
    for one in all_improvements()
    for number, example in enumerate(one.finds)
]
LEAVES = [
    pytest.param(one, text, id=f"{one.name}-{number}")
    for one in all_improvements()
    for number, text in enumerate(one.leaves)
]


def rewritten(improvement: Improvement, text: str) -> str:
    """Make every rewrite of one improvement, one after the other, until it finds no more."""
    content = text.encode()
    for _ in range(10):
        files = {"example.py": content}
        findings = list(
            look(files, [read_source("example.py", content)], [improvement], Shares(()))
        )
        if not findings:
            return content.decode()
        content = apply_edits(content, findings[0].edits)
    pytest.fail(f"{improvement.name} finds itself again and again in:\n{content.decode()}")


def value(text: str, check: str) -> str:
    space: dict[str, object] = {"__name__": "example"}
    exec(compile(text, "example.py", "exec", dont_inherit=True), space)
    return repr(eval(check, space))


@pytest.mark.parametrize(("improvement", "example"), FINDS)
def test_finds_become_what_they_say(improvement: Improvement, example: Example) -> None:
    assert rewritten(improvement, example.before) == example.after


@pytest.mark.parametrize(("improvement", "example"), FINDS)
def test_finds_mean_the_same(improvement: Improvement, example: Example) -> None:
    assert improvement.needs in example.before.encode()
    assert value(example.before, example.check) == value(example.after, example.check)


@pytest.mark.parametrize(("improvement", "text"), LEAVES)
def test_leaves_stay(improvement: Improvement, text: str) -> None:
    compile(text, "example.py", "exec")
    content = text.encode()
    found = list(
        look(
            {"example.py": content}, [read_source("example.py", content)], [improvement], Shares(())
        )
    )
    assert found == []


def test_every_improvement_says_what_it_is() -> None:
    names = [one.name for one in all_improvements()]
    assert len(names) >= 10
    assert len(set(names)) == len(names)
    for one in all_improvements():
        assert one.finds, one.name
        assert len(one.leaves) >= 3, one.name
        assert one.name == type(one).__module__.rpartition(".")[2].replace("_", "-")
        assert 0 < one.expected_gain < 1
        assert one.risk >= 1
        assert one.message
        assert len(one.guards) > 40
