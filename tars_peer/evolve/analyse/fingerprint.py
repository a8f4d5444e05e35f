"""The name of an idea, independent of where in the file it stands today. No positions may enter."""

from __future__ import annotations

import ast
import hashlib


def fingerprint(improvement: str, path: str, function: str, subject: str, node: ast.AST) -> str:
    """Return a hex SHA-256 of the improvement, the place and the code it touches.

    The code counts as ``ast`` writes it, so comments, layout and line numbers do not matter;
    ``subject`` tells several ideas for one function apart.
    """
    parts = (improvement, path, function, subject, ast.unparse(node))
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
