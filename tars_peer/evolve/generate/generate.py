"""Makes the change of a plan item: new contents, the tree they give, and the noun around them.

No git may enter here: the caller's ``write_tree`` writes the tree and says its id.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping

from tars_peer.errors import RefusedError
from tars_peer.model.change import Change, Edit, changed_files
from tars_peer.model.finding import PlanItem

_LONGEST_TARGET = 200


def generate(
    item: PlanItem,
    *,
    files: Mapping[str, bytes],
    generation: int,
    commit: str,
    tree: str,
    policy: str,
    write_tree: Callable[[Mapping[str, bytes]], str],
) -> Change:
    """Return the change that makes the finding's edits on the base ``tree``.

    ``files`` is the base's content by path; ``write_tree`` gets the new content of the files that
    change and returns the id of the tree with them.

    Raises:
        RefusedError: the edits do not fit the base, change nothing, or do not give valid Python.
    """
    finding = item.finding
    contents = changed_files(files, finding.edits)
    changed = {path: content for path, content in contents.items() if content != files[path]}
    if not changed:
        raise RefusedError(f"{finding.improvement} at {finding.path} changes nothing")
    for path, content in changed.items():
        _check(path, files[path], content, finding.edits)
    return Change(
        base_generation=generation,
        base_commit=commit,
        base_tree=tree,
        tree=write_tree(changed),
        improvement=finding.improvement,
        summary=f"{finding.path}: {finding.function}: {finding.message}",
        target=f"{finding.path}:{finding.function}"[:_LONGEST_TARGET],
        fingerprint=finding.fingerprint,
        policy=policy,
        edits=finding.edits,
    )


def _check(path: str, old: bytes, new: bytes, edits: tuple[Edit, ...]) -> None:
    """Refuse what is not Python, and what differs anywhere but in the edits' own spans."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(ast.parse(new, filename=path), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise RefusedError(
            f"{path} would not be valid Python: {error}",
            hint="the improvement wrote something wrong; close this idea and report it",
        ) from error
    own = sorted((edit for edit in edits if edit.path == path), key=lambda edit: edit.start)
    kept_old: list[bytes] = []
    kept_new: list[bytes] = []
    at_old = at_new = 0
    for edit in own:
        same = edit.start - at_old
        kept_old.append(old[at_old : edit.start])
        kept_new.append(new[at_new : at_new + same])
        at_old, at_new = edit.end, at_new + same + len(edit.after.encode())
    if [*kept_old, old[at_old:]] != [*kept_new, new[at_new:]]:
        raise RefusedError(f"{path} would differ outside of what the change declares")
