r"""The git commit that a decision becomes: its bytes and id follow from the entry alone.

Format: git's commit object (gitformat; SHA-1 of ``commit <size>\0<content>``). No git library may
enter here; ``adapters.git`` stores these very bytes.
"""

from __future__ import annotations

import hashlib

from tars_peer.model.ballot import Certificate
from tars_peer.model.change import Change

IDENTITY = "TARS <tars@tars.local>"

#: Git refuses NUL in a commit, and terminals obey the others; only tab and newline are text.
_CONTROLS = {code: " " for code in (*range(32), 127) if chr(code) not in "\t\n"}


def commit_content(*, tree: str, parent: str, time_ms: int, message: str) -> bytes:
    """Return the content of the commit object; ``time_ms`` is cut to seconds, in UTC.

    Control characters in ``message`` become spaces.
    """
    stamp = f"{IDENTITY} {time_ms // 1000} +0000"
    lines = [f"tree {tree}", f"parent {parent}", f"author {stamp}", f"committer {stamp}", ""]
    text = message.translate(_CONTROLS).rstrip("\n")
    return ("\n".join([*lines, text]) + "\n").encode()


def commit_id(content: bytes) -> str:
    """Return the id that git gives to this commit content, in hex."""
    header = f"commit {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def times(ratio_ppm: int) -> str:
    """Return a ratio in parts per million as text, such as ``1.082x``; integers only."""
    return f"{ratio_ppm // 1_000_000}.{ratio_ppm % 1_000_000 // 1000:03d}x"


def change_message(
    change: Change, certificate: Certificate, *, number: int, index: int, ratio_ppm: int
) -> str:
    """Return the commit message of an accepted change, with its evidence."""
    lines = [
        f"{change.improvement}: {change.target}"[:72],
        "",
        change.summary,
        "",
        f"Generation: {number}",
        f"Raft-Index: {index}",
        f"Change-Id: {certificate.change_id}",
        f"Measured: {times(ratio_ppm)}",
    ]
    for ballot in certificate.ballots:
        figure = ballot.measurement
        seen = f"{times(figure.ratio_ppm)} over {figure.pairs} pairs" if figure else "not measured"
        lines.append(f"Approved-by: {ballot.voter} ({seen}, {ballot.tests_passed} tests)")
    return "\n".join(lines)


def rollback_message(*, to: int, withdraws: int, number: int, index: int, reason: str) -> str:
    """Return the commit message of a rollback."""
    return "\n".join(
        [
            f"Roll back generation {withdraws} to generation {to}",
            "",
            reason or "(no reason given)",
            "",
            f"Generation: {number}",
            f"Raft-Index: {index}",
        ]
    )
