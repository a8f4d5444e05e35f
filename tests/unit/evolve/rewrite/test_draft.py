"""A draft writes exactly what was asked for, or nothing."""

from __future__ import annotations

import ast
from functools import partial

import pytest

from tars_peer.evolve.facts.source import Source, read_source
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import after, before, instead
from tars_peer.model.change import apply_edits

TEXT = '''
class A:
    """Ä."""

    @staticmethod
    def f(x):  # why
        """Do."""
        y = """
not indented
"""
        # About the loop.
        for i in x: pass
        if x: y = (g("ü", x)); z = 2
        return y + (
            x  # last
        )

    def other(self):
        return 1
'''


def drafted(text: str = TEXT) -> tuple[Source, Draft]:
    source = read_source("a.py", text.encode())
    return source, Draft(source, next(source.scopes.functions()))


def result(source: Source, draft: Draft) -> str:
    edits = draft.edits()
    assert edits is not None
    return apply_edits(source.content, edits).decode()


def test_only_what_is_replaced_changes() -> None:
    source, draft = drafted()
    call = source.nodes(ast.Call)[0]
    draft.replace(call, "h(1)")
    assert result(source, draft) == TEXT.replace('g("ü", x)', "h(1)")
    edits = draft.edits()
    assert edits is not None
    assert [edit.before.count("\n") for edit in edits] == [1]


def test_lines_are_put_before_and_after() -> None:
    source, draft = drafted()
    loop = source.nodes(ast.For)[0]
    draft.statement(loop, partial(before, "n = 1"))
    first = source.nodes(ast.Assign)[0]
    draft.statement(first, partial(after, "m = 2"))
    expected = TEXT.replace("        # About", "        m = 2\n        n = 1\n        # About")
    assert result(source, draft) == expected


def test_a_line_keeps_its_comment() -> None:
    source, draft = drafted("def f(x):\n    # a\n    x += 1  # b\n    return x\n")
    draft.statement(source.nodes(ast.AugAssign)[0], partial(instead, "x = 2"))
    assert result(source, draft) == "def f(x):\n    # a\n    x = 2  # b\n    return x\n"


def test_constants_go_above_the_class_and_its_comments() -> None:
    source, draft = drafted("import re\n\n# About A.\nclass A:\n    def f(self):\n        pass\n")
    draft.constant("_X = 1")
    draft.constant("_Y = 2")
    assert result(source, draft) == (
        "import re\n\n_X = 1\n_Y = 2\n\n\n# About A.\nclass A:\n    def f(self):\n        pass\n"
    )


def test_removal_takes_its_comment_and_the_gap_along() -> None:
    source, draft = drafted("def f():\n    # why\n    import re\n\n    x = 1\n    return x\n")
    draft.remove(source.nodes(ast.Import)[0])
    assert result(source, draft) == "def f():\n    x = 1\n    return x\n"


@pytest.mark.parametrize(
    "text",
    [
        # The comment belongs to more than the line.
        "def f():\n    # Section.\n\n    x = 1\n    return x\n",
        # The line is shared.
        "def f():\n    x = 1; y = 2\n    return x\n",
        "def f():\n    if 1: x = 1\n    return x\n",
    ],
)
def test_removal_that_takes_too_much_is_not_made(text: str) -> None:
    source, draft = drafted(text)
    draft.remove(source.nodes(ast.Assign)[0])
    assert draft.edits() is None


def test_constants_do_not_part_overloads_or_enter_blocks() -> None:
    for text in (
        "def f(x: int): ...\ndef f(x):\n    return x\n",
        "if 1:\n    def f(x):\n        return x\n",
    ):
        source = read_source("a.py", text.encode())
        draft = Draft(source, list(source.scopes.functions())[-1])
        draft.constant("_X = 1")
        assert draft.edits() is None, text


def test_broken_results_are_not_given_out() -> None:
    _, draft = drafted("def f(x):\n    return x\n")
    draft.constant("_X = = 1")
    assert draft.edits() is None


def test_new_names_are_nowhere_in_the_file() -> None:
    _, draft = drafted("def f(x):\n    '''_X is taken.'''\n    return x\n")
    assert draft.fresh("_X", "_F_X") == "_F_X"
    assert draft.fresh("_X", "_F_X") == "_F_X_2"
