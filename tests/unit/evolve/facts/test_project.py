"""Files, modules and names of a genome."""

from __future__ import annotations

import pytest

from tars_peer.errors import RefusedError
from tars_peer.evolve.facts.project import Project
from tars_peer.evolve.facts.source import read_source


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"def f(:\n", "line 1"),
        (b"x = '\xff'\n", "UTF-8"),
        (b"\xef\xbb\xbfx = 1\n", "byte order mark"),
        (b"x = 1\r\n", "carriage returns"),
        (b"x = '\0'\n", "null"),
        (b"x = " + b"(" * 300 + b")" * 300, "parenthes"),
    ],
)
def test_what_cannot_be_rewritten_is_refused(content: bytes, word: str) -> None:
    with pytest.raises(RefusedError, match=word):
        read_source("a.py", content)


def test_offsets_are_bytes_of_the_file() -> None:
    source = read_source("a.py", "é = 'ü' ; x = f('ö')\nz = 1\n".encode())
    texts = [source.text(statement) for statement in source.tree.body]
    assert texts == ["é = 'ü'", "x = f('ö')", "z = 1"]


def test_modules_are_found_where_they_are() -> None:
    project = Project({
        "src/pack/__init__.py": b"",
        "src/pack/a.py": b"from .sub.b import thing\nfrom pack.sub import c\n",
        "src/pack/sub/__init__.py": b"",
        "src/pack/sub/b.py": b"def thing(): pass\n",
        "src/pack/sub/c.py": b"",
        "other/b.py": b"",
    })  # fmt: skip
    source = project.source("src/pack/a.py")
    assert source is not None
    found = project.definition(source, "thing")
    assert found is not None
    assert found.source.path == "src/pack/sub/b.py"
    module = project.imported_module(source, "c")
    assert module is not None
    assert module.path == "src/pack/sub/c.py"
    assert project.named("b") is None, "two files could be meant"
    assert project.has_module("sub")
    assert not project.has_module("re")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from m import LIMIT\nprint(LIMIT)\n", False),
        ("import m\nprint(m.LIMIT == 3)\n", False),
        ("import m\nm.LIMIT = 3\n", True),
        ("import m\nm.LIMIT += 3\n", True),
        ("import m\ndel m.LIMIT\n", True),
        ("patch('m.LIMIT', 3)\n", True),
        ("setattr(m, 'LIMIT', 3)\n", True),
        ("m.LIMITS = 3\n", False),
    ],
)
def test_names_that_others_may_rebind(text: str, *, expected: bool) -> None:
    project = Project({"m.py": b"LIMIT = 3\n", "t.py": text.encode()})
    assert project.may_rebind("LIMIT", besides="m.py") is expected
