"""What must be true of the ledger after every entry, said a second time and as simply as possible.

Nothing here may call the rules it checks: signatures are verified with the cryptography package,
canonical JSON is written by ``json``, sums are counted by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tars_peer.ledger.effect import Effect, Enacted, Refused
from tars_peer.ledger.entry import Accept, Entry
from tars_peer.ledger.rollout import may_switch
from tars_peer.ledger.state import State, state_digest
from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.generation import GenerationState, Kind, Stage
from tars_peer.model.member import Member
from tars_peer.model.noun import Noun


def plain_canonical(noun: Noun) -> bytes:
    """Return canonical JSON as Python's own ``json`` writes it; equal for all our nouns' keys."""
    value = msgspec.to_builtins(noun)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def plain_change_id(change: Change) -> str:
    """Return the digest that ballots name a change by."""
    return hashlib.sha256(b"tars.change.v1\n" + plain_canonical(change)).hexdigest()


def plain_is_signed(ballot: Ballot, key: str) -> bool:
    """Say whether the owner of ``key`` signed ``ballot``."""
    unsigned = msgspec.structs.replace(ballot, signature="0" * 128)
    message = b"tars.ballot.v1\n" + plain_canonical(unsigned)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(ballot.signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def check_proof(
    change: Change, ballots: Sequence[Ballot], members: Sequence[Member], cluster: str
) -> None:
    """Assert that more than half of the members signed that they approve this very change."""
    identity = plain_change_id(change)
    convinced = {
        member.ballot_key
        for member in members
        for ballot in ballots
        if ballot.voter == member.id
        and ballot.cluster_id == cluster
        and ballot.change_id == identity
        and ballot.verdict.value == "approve"
        and plain_is_signed(ballot, member.ballot_key)
    }
    assert 2 * len(convinced) > len(members), "a change was accepted without a majority"


def check_effect(before: State, entry: Entry | None, effects: Sequence[Effect]) -> None:
    """Assert that what became the head was proved, and was not on the deny-list."""
    assert len(effects) == 1, "an entry has one effect"
    effect = effects[0]
    if not isinstance(effect, Enacted):
        return
    head = effect.generation
    header = f"commit {len(effect.commit)}\0".encode()
    assert hashlib.sha1(header + effect.commit).hexdigest() == head.commit
    assert effect.commit.startswith(f"tree {head.tree}\nparent {head.parent_commit}\n".encode())
    if effect.change is None:
        return
    assert entry is not None
    assert isinstance(entry.decision, Accept)
    check_proof(
        effect.change, entry.decision.certificate.ballots, before.members, before.cluster_id
    )
    assert effect.change.tree == head.tree
    for denied in before.denied:
        assert head.tree != denied.tree, "a denied tree became the head"
        assert head.fingerprint != denied.fingerprint, "a denied idea became the head"


def check_refusal(before: State, after: State, effects: Sequence[Effect]) -> None:
    """Assert that a refused entry moved nothing but the index."""
    if isinstance(effects[0], Refused):
        assert msgspec.structs.replace(after, index=before.index) == before
        assert effects[0].code
        assert effects[0].reason


def check_state(state: State) -> None:
    """Assert what holds of every state."""
    _check_chain(state)
    _check_rollout(state)
    _check_whole_numbers(msgspec.to_builtins(state))
    again = msgspec.json.decode(msgspec.json.encode(state), type=State)
    assert again == state
    assert state_digest(again) == state_digest(state)
    assert len({denied.generation for denied in state.denied}) == len(state.denied)
    names = [track.improvement for track in state.tracks]
    assert names == sorted(set(names))


def _check_chain(state: State) -> None:
    parent = ""
    for number, generation in enumerate(state.generations):
        assert generation.number == number
        assert generation.parent_commit == parent
        assert generation.raft_index <= state.index
        assert generation.kind is Kind.GENESIS or number > 0
        parent = generation.commit
    times = [generation.time_ms for generation in state.generations]
    assert times == sorted(times)
    if state.founded and state.settled:
        live = [old for old in state.generations if old.state is GenerationState.LIVE]
        assert live == [state.head], "exactly one generation is live when nothing is rolled out"
        assert all(denied.tree != state.head.tree for denied in state.denied)


def _check_rollout(state: State) -> None:
    rollout, total = state.rollout, len(state.members)
    if rollout is None:
        assert len(state.generations) <= 1
        return
    assert rollout.generation == state.head.number
    assert sorted(rollout.order) == sorted(member.id for member in state.members)
    for peers in (rollout.live, rollout.excused, rollout.failed):
        assert set(peers) <= set(rollout.order)
        assert len(set(peers)) == len(peers)
    assert 2 * len(rollout.excused) < total, "a majority is waited for"
    switching = [
        peer for peer in rollout.order if peer not in rollout.live and may_switch(rollout, peer)
    ]
    if state.settled:
        assert rollout.stage in (Stage.COMPLETE, Stage.ROLLED_BACK)
        assert (rollout.stage is Stage.ROLLED_BACK) == bool(rollout.withdraws)
        assert 2 * len(rollout.live) > total, "it is over, and a majority does not serve it"
        assert 2 * len(switching) < total, "a majority may switch at the same time"
    else:
        assert len(switching) <= 1, "one peer at a time"


def _check_whole_numbers(value: object) -> None:
    """No float may reach a digest: floats print differently and add up differently."""
    if isinstance(value, dict):
        for key, inner in value.items():
            assert isinstance(key, str)
            _check_whole_numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_whole_numbers(inner)
    else:
        assert value is None or isinstance(value, bool | int | str), f"{value!r} in the state"
