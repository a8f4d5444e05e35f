"""Profile whatever this interpreter runs and leave the figures as JSON when it ends.

Python imports this by its name as it starts. It then imports the ``sitecustomize`` that it stands
in front of, if there is one. What is written is ``{"total": seconds, "functions": [[path, line,
name, calls, own seconds, cumulative seconds], ...]}`` for functions below ``TARS_PROFILE_ROOT``.
"""

# ruff: noqa: PTH100, PTH105, PTH118, PTH120, PTH123  (pathlib is slow to import)

from __future__ import annotations

import atexit
import cProfile
import importlib.machinery
import importlib.util
import json
import os
import sys


def import_the_other() -> None:
    """Run the ``sitecustomize`` that would have been found without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    elsewhere = [path for path in sys.path if os.path.abspath(path) != here]
    found = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if found is not None and found.loader is not None:
        module = importlib.util.module_from_spec(found)
        sys.modules["sitecustomize"] = module
        found.loader.exec_module(module)


def dump(profile: cProfile.Profile, root: str, folder: str) -> None:
    """Write the figures of this process, so that a half-written file has another name."""
    profile.disable()
    total = 0.0
    functions = []
    for entry in profile.getstats():
        total += entry.inlinetime
        code = entry.code
        if isinstance(code, str):
            continue
        path = os.path.join(root, code.co_filename)
        if path.startswith(root + os.sep):
            figures = [entry.callcount, entry.inlinetime, entry.totaltime]
            where = [os.path.relpath(path, root), code.co_firstlineno, code.co_name]
            functions.append(where + figures)
    path = os.path.join(folder, f"profile-{os.getpid()}.json")
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        json.dump({"total": total, "functions": functions}, file)
    os.replace(f"{path}.part", path)


def main() -> None:
    """Start profiling, to be written at the very end."""
    root, folder = os.environ.get("TARS_PROFILE_ROOT"), os.environ.get("TARS_PROFILE_FOLDER")
    if root and folder:
        profile = cProfile.Profile()
        atexit.register(dump, profile, root, folder)
        profile.enable()


import_the_other()
main()
