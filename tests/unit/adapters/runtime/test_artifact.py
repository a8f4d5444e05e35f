"""What is live without a service: a pointer and a link, whole after any crash."""

from __future__ import annotations

import os

import pytest

from tars_peer.adapters.runtime.artifact import ArtifactRuntime
from tars_peer.adapters.runtime.itself import SelfRuntime
from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.adapters.runtime.swap import Swap, take_swap, write_swap
from tars_peer.model.noun import TreeId

OLD, NEW = TreeId("a" * 40), TreeId("b" * 40)


@pytest.fixture
def folder(tmp_path):
    for tree in (OLD, NEW):
        (tmp_path / tree).mkdir()
    return tmp_path


def test_a_switch_moves_the_link_and_outlives_a_restart(folder):
    runtime = ArtifactRuntime(folder)
    assert runtime.running() is None
    assert runtime.switch(OLD, folder / OLD) == ""
    assert runtime.switch(NEW, folder / NEW) == ""
    assert (folder / "active").resolve() == folder / NEW
    again = ArtifactRuntime(folder)
    running = again.running()
    assert (running.tree, running.healthy, running.url) == (NEW, True, "")
    assert again.verdict(NEW) == ""
    assert again.verdict("c" * 40) is None
    again.close()


def test_an_artifact_that_is_not_there_is_not_made_live(folder):
    runtime = ArtifactRuntime(folder)
    runtime.switch(OLD, folder / OLD)
    (folder / NEW).rmdir()
    assert "is not there" in runtime.switch(NEW, folder / NEW)
    assert ArtifactRuntime(folder).running().tree == OLD
    assert (folder / "active").resolve() == folder / OLD
    assert "is not there" in ArtifactRuntime(folder).verdict(NEW)


@pytest.mark.parametrize("left", [".active.making", ".active.json.making"])
def test_what_a_crash_left_half_made_does_no_harm(folder, left):
    runtime = ArtifactRuntime(folder)
    runtime.switch(OLD, folder / OLD)
    (folder / left).write_text('{"tr')
    again = ArtifactRuntime(folder)
    assert again.running().tree == OLD
    assert again.switch(NEW, folder / NEW) == ""
    assert ArtifactRuntime(folder).running().tree == NEW


def test_a_crash_between_link_and_pointer_is_switched_again(folder):
    runtime = ArtifactRuntime(folder)
    runtime.switch(OLD, folder / OLD)
    (folder / "active").unlink()
    (folder / "active").symlink_to(folder / NEW)
    again = ArtifactRuntime(folder)
    assert again.running().tree == OLD
    assert again.switch(NEW, folder / NEW) == ""


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"5", b"{}", b'{"tree": "a"}', b'{"tree": "a", "verdicts": 5}']
)
def test_a_pointer_that_cannot_be_read_counts_as_none(folder, damage):
    (folder / "active.json").write_bytes(damage)
    pointer = Pointer(folder / "active.json")
    assert pointer.tree is None
    pointer.move(OLD, tried=OLD, verdict="")
    assert Pointer(folder / "active.json").tree == OLD


def test_verdicts_are_kept_by_tree(folder):
    pointer = Pointer(folder / "active.json")
    pointer.move(OLD, tried=OLD, verdict="")
    pointer.move(OLD, tried=NEW, verdict="it hangs")
    again = Pointer(folder / "active.json")
    assert (again.tree, again.verdict(OLD), again.verdict(NEW)) == (OLD, "", "it hangs")


def test_a_swap_note_is_read_once(folder):
    swap = Swap(tree=NEW, artifact=f"{folder / NEW}", python="/usr/bin/python3")
    write_swap(folder, swap)
    assert take_swap(folder) == swap
    assert take_swap(folder) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"tree": "a"}', b'{"other": 1}'])
def test_a_swap_note_that_cannot_be_read_is_removed(folder, damage):
    (folder / "swap.json").write_bytes(damage)
    assert take_swap(folder) is None
    assert not (folder / "swap.json").exists()


def test_tars_itself_leaves_a_note_and_goes(folder):
    left = []
    runtime = SelfRuntime(
        folder, python=folder / "python", leave=lambda: left.append(os.getpid()), tree=OLD
    )
    assert runtime.running().tree == OLD
    assert runtime.verdict(NEW) is None
    runtime.switch(NEW, folder / NEW)
    assert left
    assert take_swap(folder) == Swap(
        tree=NEW, artifact=f"{folder / NEW}", python=f"{folder / 'python'}"
    )
    Pointer(folder / "active.json").move(OLD, tried=NEW, verdict="it hangs")
    assert runtime.verdict(NEW) == "it hangs"
    runtime.close()
