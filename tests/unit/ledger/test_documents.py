"""``docs/ledger.md`` says what the code does; ``docs/glossary.md`` has each word once.

No text is checked here that is a matter of taste.
"""

from __future__ import annotations

import re
from pathlib import Path

from tars_peer.model.generation import GenerationState, Stage
from tests.unit.ledger.drawn import entries, redrawn, refusals

DOCS = Path(__file__).parents[3] / "docs"


def test_the_tables_are_as_drawn(*, rewrite: bool) -> None:
    path = DOCS / "ledger.md"
    text = path.read_text(encoding="utf-8")
    if rewrite:
        path.write_text(redrawn(text), encoding="utf-8")
        return
    assert redrawn(text).splitlines() == text.splitlines(), "see --rewrite"


def test_every_kind_of_entry_is_drawn() -> None:
    kinds = re.findall(r"^\| `(\w+)`", entries(), flags=re.MULTILINE)
    assert kinds == [
        *("found", "accept", "refuse", "report", "observe"),
        *("promote", "excuse", "rollback", "pause", "clear"),
    ]


def test_every_code_is_explained() -> None:
    text = (DOCS / "ledger.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| [^|]+\|$", text, flags=re.MULTILINE)
    used = {code for codes in refusals().values() for code in codes}
    assert used == set(explained)
    assert len(explained) == len(set(explained))


def test_every_state_of_a_generation_and_a_rollout_is_explained() -> None:
    text = (DOCS / "ledger.md").read_text(encoding="utf-8")
    for word in (*GenerationState, *Stage):
        assert f"`{word.value}`" in text


def test_a_word_has_one_meaning() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*([^*]+)\*\*", text, flags=re.MULTILINE)
    assert words == sorted(words, key=str.lower), "in the order of the alphabet"
    assert len(words) == len(set(words))
    assert len(words) >= 40
