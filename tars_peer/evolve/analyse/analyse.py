"""One look at a tree: every improvement on every file that may change, with ready edits.

Pure: contents and profile come in, findings go out. No I/O, no clock and no ranking may enter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from tars_peer.errors import RefusedError
from tars_peer.evolve.analyse.fingerprint import fingerprint
from tars_peer.evolve.analyse.shares import Shares
from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.project import Project
from tars_peer.evolve.facts.quiet import Quiet
from tars_peer.evolve.facts.source import Source, read_source
from tars_peer.evolve.facts.types import Types
from tars_peer.evolve.improvements.improvement import Hit, Improvement
from tars_peer.evolve.improvements.registry import all_improvements
from tars_peer.model.finding import Analysis, Finding, Hotspot, Skipped

#: Files larger than this are data, not code somebody wrote.
LARGEST_FILE_BYTES = 1_000_000


def analyse(
    tree: str,
    files: Mapping[str, bytes],
    *,
    source: Sequence[str],
    protected: Sequence[str],
    hotspots: Sequence[Hotspot],
) -> Analysis:
    """Return what is worth improving in the ``.py`` files under ``source``.

    ``source`` and ``protected`` are folders or files, matched by path components; what is under
    both is protected. A file that cannot be read as Python is skipped and said so. Findings are
    sorted by path and line.
    """
    parsed: list[Source] = []
    skipped: list[Skipped] = []
    for path in sorted(files):
        if not path.endswith(".py") or not _under(path, source) or _under(path, protected):
            continue
        try:
            if len(files[path]) > LARGEST_FILE_BYTES:
                raise RefusedError(f"is larger than {LARGEST_FILE_BYTES} bytes")
            parsed.append(read_source(path, files[path]))
        except RefusedError as error:
            skipped.append(Skipped(path=path, reason=str(error)))
    findings = look(files, parsed, all_improvements(), Shares(hotspots))
    return Analysis(
        tree=tree,
        findings=tuple(sorted(findings, key=_order)),
        hotspots=tuple(hotspots),
        skipped=tuple(skipped),
    )


def look(
    files: Mapping[str, bytes],
    parsed: Sequence[Source],
    improvements: Sequence[Improvement],
    shares: Shares,
) -> Iterator[Finding]:
    """Yield the findings of ``improvements`` in the ``parsed`` files of the tree ``files``."""
    project = Project(files, parsed)
    types = Types(project)
    quiet = Quiet(types)
    for one in parsed:
        facts = Facts(source=one, project=project, types=types, quiet=quiet)
        for improvement in improvements:
            if improvement.needs in one.content:
                for hit in improvement.look(facts):
                    finding = _finding(one, improvement, hit, shares)
                    if finding is not None:
                        yield finding


def _finding(source: Source, improvement: Improvement, hit: Hit, shares: Shares) -> Finding | None:
    edits = hit.draft.edits()
    if edits is None:
        return None
    qualname = hit.function.qualname
    return Finding(
        improvement=improvement.name,
        path=source.path,
        function=qualname,
        line=hit.line,
        message=improvement.message,
        evidence=hit.evidence,
        edits=edits,
        fingerprint=fingerprint(
            improvement.name, source.path, qualname, hit.subject, hit.function.node
        ),
        expected_gain=improvement.expected_gain,
        risk=improvement.risk,
        share=shares.of(source.path, hit.function, improvement.reach),
    )


def _order(finding: Finding) -> tuple[str, int, str, str]:
    return finding.path, finding.line, finding.improvement, finding.fingerprint


def _under(path: str, places: Sequence[str]) -> bool:
    parts = PurePosixPath(path).parts
    for place in places:
        prefix = PurePosixPath(place).parts
        if parts[: len(prefix)] == prefix:
            return True
    return False
