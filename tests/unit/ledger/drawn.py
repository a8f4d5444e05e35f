"""The tables of ``docs/ledger.md``, drawn from the code itself, so that they cannot lie.

What is written by hand (the sentences around them) does not belong here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec

from tars_peer.ledger import accepting, deploying, step
from tars_peer.ledger.entry import Decision
from tars_peer.ledger.rollout import begin, begin_rollback, promoted, turn
from tars_peer.model.generation import Rollout, Stage
from tests.unit.ledger.members import begun, members

BEGIN, END = "<!-- drawn: {} -->\n", "<!-- end -->"
#: The function that decides a kind, where its name is not the kind's.
DECIDED_BY = {"rollback": "roll_back", "pause": "_pause", "clear": "_clear"}


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a docstring in one line."""
    return (
        " ".join((text or "").split("\n\n", maxsplit=1)[0].split()).partition(". ")[0].rstrip(".")
    )


def refusals() -> dict[str, list[str]]:
    """Return the codes that each function of the ledger refuses with, in the order of its text."""
    codes: dict[str, list[str]] = {}
    calls: dict[str, list[str]] = {}
    for module in (accepting, deploying, step):
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        for function in ast.parse(source).body:
            if not isinstance(function, ast.FunctionDef):
                continue
            found = codes.setdefault(function.name, [])
            called = calls.setdefault(function.name, [])
            for node in ast.walk(function):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                called.append(node.func.id)
                if node.func.id == "Refused":
                    value = next(word.value for word in node.keywords if word.arg == "code")
                    assert isinstance(value, ast.Constant)
                    found.append(str(value.value))
    return {
        name: list(dict.fromkeys([*found, *_inner(codes, calls[name])]))
        for name, found in codes.items()
    }


def _inner(codes: dict[str, list[str]], called: list[str]) -> Iterator[str]:
    for name in called:
        if name.startswith("_"):
            yield from codes.get(name, ())


def entries() -> str:
    """Draw the table of entry kinds."""
    codes = refusals()
    rows = ["| kind | what it says | fields | refused as |", "|---|---|---|---|"]
    for kind in get_args(Decision):
        tag = kind.__struct_config__.tag
        sentence = first_sentence(kind.__doc__).replace("``", "`")
        fields = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
        refused = ", ".join(f"`{code}`" for code in codes[DECIDED_BY.get(tag, tag)])
        rows.append(f"| `{tag}` | {sentence} | {fields} | {refused} |")
    return "\n".join(rows) + "\n"


def anywhere() -> str:
    """Draw the list of codes that any entry may be refused with."""
    return ", ".join(f"`{code}`" for code in refusals()["step"]) + "\n"


def walk(rollout: Rollout, count: int) -> Iterator[str]:
    """Yield the stages of an untroubled rollout: stage and how many may run the generation."""
    while rollout.stage not in (Stage.COMPLETE, Stage.ROLLED_BACK):
        yield f"{rollout.stage.value} {rollout.target}"
        while (peer := turn(rollout)) is not None:
            rollout = msgspec.structs.replace(rollout, live=(*rollout.live, peer))
        rollout = promoted(rollout, count)
    yield f"{rollout.stage.value} {rollout.target}"


def stages() -> str:
    """Draw the table of rollouts by the number of members."""
    genesis = begun(1).head
    rows = ["| members | a change | a rollback | may be excused |", "|---|---|---|---|"]
    for count in range(1, 8):
        who = members(count)
        forth = " → ".join(walk(begin(genesis, who), count))
        rollback = begin_rollback(genesis, who, previous=None, withdraws=1)
        back = " → ".join(walk(rollback, count))
        excused = (count - 1) // 2
        rows.append(f"| {count} | {forth} | {back} | {excused} |")
    return "\n".join(rows) + "\n"


TABLES = {"entries": entries, "anywhere": anywhere, "stages": stages}


def redrawn(text: str) -> str:
    """Return ``text`` with each drawn part drawn anew."""
    for name, draw in TABLES.items():
        head = BEGIN.format(name)
        before, found, rest = text.partition(head)
        assert found, f"docs/ledger.md has no place for {name}"
        _, end, behind = rest.partition(END)
        text = before + head + draw() + end + behind
    return text
