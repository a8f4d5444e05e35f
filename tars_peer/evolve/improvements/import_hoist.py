"""An import in a function runs at every call; at the top of the file it runs once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft

#: Standard modules that are there on every platform, import fast, and do nothing when imported.
_PLAIN = frozenset({
    "abc", "array", "ast", "base64", "binascii", "bisect", "calendar", "cmath", "codecs",
    "collections", "collections.abc", "colorsys", "contextlib", "copy", "copyreg", "csv",
    "dataclasses", "datetime", "decimal", "difflib", "enum", "errno", "fnmatch", "fractions",
    "functools", "glob", "hashlib", "heapq", "hmac", "html", "inspect", "io", "itertools", "json",
    "keyword", "linecache", "locale", "logging", "math", "numbers", "operator", "os", "os.path",
    "pathlib", "platform", "pprint", "queue", "random", "re", "reprlib", "secrets", "shlex",
    "shutil", "stat", "statistics", "string", "struct", "sys", "tempfile", "textwrap",
    "threading", "time", "token", "tokenize", "traceback", "types", "typing", "unicodedata",
    "urllib.parse", "uuid", "warnings", "weakref", "zlib",
})  # fmt: skip


class ImportHoist(Improvement):
    """Even when the module is there, an import takes a lock and two look-ups."""

    name: ClassVar[str] = "import-hoist"
    message: ClassVar[str] = "an import runs at every call; import once at the top"
    expected_gain: ClassVar[float] = 0.08
    risk: ClassVar[float] = 1.2
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "A standard module that is always there, imports fast and does nothing by itself; a plain "
        "statement of the function's own body (not under try, if or with), with no comment that "
        "may say why; the name is bound nowhere else in the file and shadows no builtin; the "
        "genome has no module of that name."
    )
    needs: ClassVar[bytes] = b"import "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code('''
                """Dates."""

                from __future__ import annotations

                import re


                def parse(line):
                    """Read a day."""
                    from datetime import datetime

                    return datetime.fromisoformat(re.sub(" .*", "", line)).day
            '''),
            after=code('''
                """Dates."""

                from __future__ import annotations

                import re
                from datetime import datetime


                def parse(line):
                    """Read a day."""

                    return datetime.fromisoformat(re.sub(" .*", "", line)).day
            '''),
            check="parse('2024-03-14 x')",
        ),
        Example(
            before=code("""
                def area(r):
                    import math
                    return math.pi * r


                def side(r):
                    from math import sqrt as root
                    x = 1
                    return root(r + x)
            """),
            after=code("""
                import math
                from math import sqrt as root

                def area(r):
                    return math.pi * r


                def side(r):
                    x = 1
                    return root(r + x)
            """),
            check="area(2), side(8)",
        ),
        Example(
            before=code("""
                import json


                class Reader:
                    def read(self, text):
                        import json
                        return json.loads(text)
            """),
            after=code("""
                import json


                class Reader:
                    def read(self, text):
                        return json.loads(text)
            """),
            check="Reader().read('[1]')",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # May be missing.
        code("""
            def f():
                try:
                    import zlib
                except ImportError:
                    return None
                return zlib
        """),
        code("""
            def f(x):
                if x:
                    import json
                    return json.dumps(x)
        """),
        # Not standard; may be slow, missing or circular.
        code("""
            def f(x):
                import numpy
                return numpy.array(x)
        """),
        code("""
            def f(x):
                from . import other
                return other.f(x)
        """),
        # Late on purpose, says the comment.
        code("""
            def f(x):
                import json  # slow to import
                return json.dumps(x)
        """),
        # Would shadow a builtin for the whole file.
        code("""
            def f(x):
                from os import open
                return open(x, 0)
        """),
        # The name means something else elsewhere.
        code("""
            json = None

            def f(x):
                import json
                return json.dumps(x)
        """),
        code("""
            def f(x):
                from os.path import join
                return join(x, x)

            def g(join):
                return join()
        """),
        # Bound twice.
        code("""
            def f(x):
                import json
                json = json.dumps
                return json(x)
        """),
        # Nothing else in the body.
        code("""
            def f():
                import json
        """),
        code("""
            def f():
                global json
                import json
                return json
        """),
        code("""
            def f():
                import os.path
                return os.path
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield imports of plain standard modules in the bodies of functions."""
        imports: list[ast.Import | ast.ImportFrom] = [
            *facts.source.nodes(ast.Import),
            *facts.source.nodes(ast.ImportFrom),
        ]
        for node in imports:
            function = facts.source.function_of(node)
            if function is None or function.dynamic or facts.source.scope_of(node) is not function:
                continue
            if not self._may_move(facts, function, node):
                continue
            draft = Draft(facts.source, function)
            for alias in node.names:
                if isinstance(node, ast.ImportFrom):
                    assert node.module is not None
                    draft.move_import(node.module, alias.name, alias.asname, alias)
                else:
                    draft.move_import(alias.name, None, alias.asname, alias)
            draft.remove(node)
            yield Hit(
                function=function,
                line=node.lineno,
                subject=ast.unparse(node),
                evidence=f"`{ast.unparse(node)}` runs at every call",
                draft=draft,
            )

    def _may_move(self, facts: Facts, function: Scope, node: ast.Import | ast.ImportFrom) -> bool:
        body = function.function.body
        if node not in body or facts.has_comment(node) or not facts.source.owns_line(node):
            return False
        if not facts.may_import():
            return False
        if len(body) <= 1 + (ast.get_docstring(function.function, clean=False) is not None):
            return False
        if isinstance(node, ast.ImportFrom):
            modules = ["" if node.level else node.module or ""]
        else:
            modules = [alias.name for alias in node.names]
            if any("." in alias.name and not alias.asname for alias in node.names):
                return False
        if any(name not in _PLAIN for name in modules):
            return False
        if any(facts.project.has_module(name.partition(".")[0]) for name in modules):
            return False
        names = [alias.asname or alias.name for alias in node.names]
        return all(
            name != "*" and len(function.bindings[name]) == 1 and name not in function.elsewhere
            for name in names
        )
