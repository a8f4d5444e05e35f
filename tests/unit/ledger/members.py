"""Members with keys of their own who make changes, ballots and entries for the ledger's tests.

Keys follow from names, so that every run signs the same bytes. Nothing here may judge: what is
right is said by the tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from tars_peer.ledger.entry import (
    Accept,
    Decision,
    Entry,
    Found,
    encode_entry,
    sign_entry,
)
from tars_peer.ledger.parcel import change_id, pack
from tars_peer.ledger.signature import UNSIGNED, public_key, sign_ballot
from tars_peer.ledger.state import EMPTY, Closed, State
from tars_peer.ledger.step import step
from tars_peer.model.ballot import Ballot, Certificate, GateResult, Measurement, Verdict
from tars_peer.model.change import Change, Edit
from tars_peer.model.generation import Generation
from tars_peer.model.member import Member

CLUSTER = "orchard"
START_MS = 1_700_000_000_000


def private_key(name: str) -> bytes:
    """Return the ballot key of ``name``; the same one always."""
    return hashlib.sha256(f"private key of {name}".encode()).digest()


def hex64(word: str) -> str:
    """Return a digest that stands for ``word``."""
    return hashlib.sha256(word.encode()).hexdigest()


def git_id(word: str) -> str:
    """Return a git object id that stands for ``word``."""
    return hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest()


POLICY = hex64("policy")


def names(count: int) -> tuple[str, ...]:
    """Return the first ``count`` names: p1, p2 and so on."""
    return tuple(f"p{number}" for number in range(1, count + 1))


def member(name: str, *, key_of: str = "") -> Member:
    """Return the member ``name``, with the key of ``key_of`` if another is named."""
    key = public_key(private_key(key_of or name))
    return Member(id=name, address=f"{name}.example:7400", ballot_key=key)


def members(count: int) -> tuple[Member, ...]:
    """Return ``count`` members."""
    return tuple(member(name) for name in names(count))


def change_on(
    head: Generation,
    word: str,
    *,
    tree: str = "",
    idea: str = "",
    policy: str = POLICY,
    improvement: str = "hoist",
) -> Change:
    """Return the change called ``word`` on ``head``; its tree and idea are its own unless named."""
    return Change(
        base_generation=head.number,
        base_commit=head.commit,
        base_tree=head.tree,
        tree=git_id(tree or f"tree of {word}"),
        improvement=improvement,
        summary=f"make {word} faster",
        target=f"orchard.py:{word}",
        fingerprint=hex64(idea or f"idea of {word}"),
        policy=policy,
        edits=(Edit(path="orchard.py", start=0, end=1, before="a", after=word),),
    )


def measured(ratio_ppm: int = 1_100_000) -> Measurement:
    """Return a measurement with this ratio."""
    return Measurement(
        pairs=12,
        ratio_ppm=ratio_ppm,
        low_ppm=ratio_ppm,
        high_ppm=ratio_ppm,
        old_ns=1_100,
        new_ns=1_000,
        source="benchmark",
    )


def ballot(
    voter: str,
    change: Change,
    *,
    verdict: Verdict = Verdict.APPROVE,
    cluster: str = CLUSTER,
    measurement: Measurement | None = None,
    key_of: str = "",
    gate: str = "tests",
) -> Ballot:
    """Return the signed ballot of ``voter``; a refusal is said by ``gate``."""
    result = GateResult(
        gate=gate,
        passed=verdict is not Verdict.REFUSE,
        reason="2 tests fail" if verdict is Verdict.REFUSE else "",
    )
    unsigned = Ballot(
        cluster_id=cluster,
        change_id=change_id(change),
        voter=voter,
        verdict=verdict,
        gates=(result,),
        tests_passed=12,
        measurement=measurement or measured(),
        sandbox="bubblewrap",
        signature=UNSIGNED,
    )
    return sign_ballot(unsigned, private_key(key_of or voter))


def some_closed(fingerprint: str, *, tries: int = 1, final: bool = True) -> Closed:
    """Return the record of an idea that was refused."""
    return Closed(fingerprint=fingerprint, reason="no", tries=tries, final=final, last="0" * 128)


def certificate(change: Change, ballots: Sequence[Ballot]) -> Certificate:
    """Return the certificate that ``ballots`` make for ``change``."""
    return Certificate(change_id=change_id(change), ballots=tuple(ballots))


def acceptance(change: Change, voters: Sequence[str]) -> Accept:
    """Return the decision to accept ``change`` with approving ballots of ``voters``."""
    approving = certificate(change, [ballot(voter, change) for voter in voters])
    return Accept(change=pack(change), certificate=approving)


def founding(who: Sequence[Member], *, worse_ppm: int = 150_000) -> Found:
    """Return the decision to begin with these members."""
    return Found(
        members=tuple(who),
        commit=git_id("commit of genesis"),
        tree=git_id("tree of genesis"),
        policy=POLICY,
        worse_ppm=worse_ppm,
    )


def entry_of(
    author: str,
    decision: Decision,
    *,
    time_ms: int = START_MS,
    cluster: str = CLUSTER,
    key_of: str = "",
) -> Entry:
    """Return the signed entry of ``author``."""
    unsigned = Entry(
        version=1,
        cluster_id=cluster,
        operation=f"{author}-{time_ms}",
        author=author,
        time_ms=time_ms,
        decision=decision,
        signature=UNSIGNED,
    )
    return sign_entry(unsigned, private_key(key_of or author))


def payload_of(author: str, decision: Decision, *, time_ms: int = START_MS) -> bytes:
    """Return the bytes of the signed entry of ``author``."""
    return encode_entry(entry_of(author, decision, time_ms=time_ms))


def begun(count: int) -> State:
    """Return the state of a founded cluster of ``count`` members."""
    after, _ = step(EMPTY, 1, payload_of("p1", founding(members(count))))
    return after


def round_trip(state: State) -> State:
    """Return ``state`` as it comes back from a snapshot."""
    return msgspec.json.decode(msgspec.json.encode(state), type=State)
