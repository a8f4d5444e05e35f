"""The constitution binds TARS' own genome and no other."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tars_peer.gates.constitution import CONSTITUTION, OWN_NAME, constitution_for
from tests.unit.gates.cases import POLICY

ROOT = Path(__file__).parents[3]


def test_only_the_own_genome_has_a_constitution():
    assert constitution_for(POLICY) == ()
    assert constitution_for(msgspec.structs.replace(POLICY, name=OWN_NAME)) == CONSTITUTION


def test_the_own_name_is_the_projects_name():
    assert f'\nname = "{OWN_NAME}"\n' in (ROOT / "pyproject.toml").read_text()


def test_what_is_named_without_a_pattern_is_there():
    # A renamed folder must not silently leave the constitution.
    plain = [entry for entry in CONSTITUTION if "*" not in entry and entry.startswith("tars_peer")]
    missing = [entry for entry in plain if not (ROOT / entry).exists()]
    assert missing in ([], ["tars_peer/__main__.py"])
