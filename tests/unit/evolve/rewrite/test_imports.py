"""An import lands where a person would put it."""

from __future__ import annotations

import ast

import pytest

from tars_peer.evolve.facts.source import read_source
from tars_peer.evolve.rewrite.imports import Wanted, bound_already, can_bind, import_edits
from tars_peer.model.change import apply_edits

DEQUE = Wanted(module="collections", name="deque")


def added(text: str, *wanted: Wanted) -> str:
    source = read_source("a.py", text.encode())
    content = apply_edits(source.content, import_edits(source, wanted)).decode()
    ast.parse(content)
    return content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nimport re\n", "import os\nimport re\nfrom collections import deque\n"),
        (
            "import re\nfrom typing import Any\n",
            "import re\nfrom collections import deque\nfrom typing import Any\n",
        ),
        ("from collections import Counter\n", "from collections import Counter, deque\n"),
        (
            "import re\n\nfrom mine import a\n",
            "import re\nfrom collections import deque\n\nfrom mine import a\n",
        ),
        ("from mine import a\n", "from collections import deque\n\nfrom mine import a\n"),
        (
            '"""Doc."""\n\nfrom __future__ import annotations\n\nx = 1\n',
            (
                '"""Doc."""\n\nfrom __future__ import annotations\n\n'
                "from collections import deque\n\nx = 1\n"
            ),
        ),
        ('"""Doc."""\nx = 1\n', '"""Doc."""\n\nfrom collections import deque\nx = 1\n'),
        ("# About.\n\nx = 1\n", "# About.\n\nfrom collections import deque\n\nx = 1\n"),
        (
            "#!/usr/bin/python\n# Licence.\nimport re\n",
            "#!/usr/bin/python\n# Licence.\nimport re\nfrom collections import deque\n",
        ),
        (
            "__all__ = ['x']\nimport re\nx = 1\n",
            "__all__ = ['x']\nimport re\nfrom collections import deque\nx = 1\n",
        ),
        (
            "from collections import (\n    Counter,  # why\n)\n",
            "from collections import (\n    Counter,  # why\n)\nfrom collections import deque\n",
        ),
        ("import re", "import re\nfrom collections import deque\n"),
    ],
)
def test_places(before: str, after: str) -> None:
    assert added(before, DEQUE) == after


def test_several_at_once() -> None:
    both = (Wanted(module="functools", name=None), DEQUE)
    assert added("x = 1\n", *both) == "import functools\nfrom collections import deque\n\nx = 1\n"


def test_what_is_there_is_used() -> None:
    source = read_source("a.py", b"import collections\nfrom collections import deque as d\n")
    assert bound_already(source, DEQUE) == "collections.deque"
    source = read_source("a.py", b"from collections import deque as d\n")
    assert bound_already(source, DEQUE) == "d"
    source = read_source("a.py", b"try:\n    from collections import deque\nexcept E: pass\n")
    assert bound_already(source, DEQUE) is None


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("x = 1\n", "deque", True),
        ("def f(deque): pass\n", "deque", False),
        ("def f(): return deque\n", "deque", False),
        ("class A:\n    deque = 1\n", "deque", False),
        ("x = 1\n", "open", False),
        ("from m import *\n", "deque", False),
        ("def f(): exec('')\n", "deque", False),
    ],
)
def test_names_must_be_free_everywhere(text: str, name: str, *, expected: bool) -> None:
    assert can_bind(read_source("a.py", text.encode()), name) is expected
