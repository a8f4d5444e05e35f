"""Entries of the log: a decision, who asks for it, when, and their signature.

An entry kind never changes its meaning once it exists; a new meaning is a new kind. No handling
of decisions may enter here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tars_peer.errors import RefusedError
from tars_peer.ledger.canon import canonical
from tars_peer.ledger.signature import UNSIGNED, is_signed, sign
from tars_peer.model.ballot import Ballot, Certificate
from tars_peer.model.member import Member
from tars_peer.model.noun import (
    Count,
    GitId,
    HexDigest,
    HexSignature,
    Noun,
    PeerName,
    Text,
    Word,
)

LARGEST_ENTRY_BYTES = 96 * 1024


class Found(Noun, frozen=True, kw_only=True, tag_field="kind", tag="found"):
    """Begin: who the members are, and from which commit and under which settings they evolve."""

    members: tuple[Member, ...]
    commit: GitId
    tree: GitId
    policy: HexDigest
    worse_ppm: Count


class Accept(Noun, frozen=True, kw_only=True, tag_field="kind", tag="accept"):
    """Make a proved change the next generation; ``change`` is packed (see ``ledger.parcel``)."""

    change: str
    certificate: Certificate


class Refuse(Noun, frozen=True, kw_only=True, tag_field="kind", tag="refuse"):
    """Record that a change was refused, with the ballots that say why."""

    change: str
    ballots: tuple[Ballot, ...]


class Report(Noun, frozen=True, kw_only=True, tag_field="kind", tag="report"):
    """The author's switch to ``generation``: live with what it measured, or failed and why.

    Costs are in nanoseconds a run, before and after the switch.
    """

    generation: Count
    commit: GitId
    tree: GitId
    live: bool
    reason: Text
    before_ns: tuple[Count, ...]
    after_ns: tuple[Count, ...]


class Observe(Noun, frozen=True, kw_only=True, tag_field="kind", tag="observe"):
    """What the author, still on the old tree, measured beside the canary: the control."""

    generation: Count
    before_ns: tuple[Count, ...]
    after_ns: tuple[Count, ...]


class Promote(Noun, frozen=True, kw_only=True, tag_field="kind", tag="promote"):
    """Go on from the step of the rollout in which ``target`` peers may run the generation."""

    generation: Count
    target: Count


class Excuse(Noun, frozen=True, kw_only=True, tag_field="kind", tag="excuse"):
    """Do not wait for ``peer`` in this rollout: it is out of reach."""

    generation: Count
    peer: PeerName
    reason: Text


class Rollback(Noun, frozen=True, kw_only=True, tag_field="kind", tag="rollback"):
    """Take the head, ``generation``, back to the tree of generation ``to``.

    An automatic one needs evidence in the rollout; a person's does not.
    """

    generation: Count
    to: Count
    automatic: bool
    reason: Text


class Pause(Noun, frozen=True, kw_only=True, tag_field="kind", tag="pause"):
    """Accept no changes until ``paused`` is false again."""

    paused: bool
    reason: Text


class Clear(Noun, frozen=True, kw_only=True, tag_field="kind", tag="clear"):
    """A person takes what was rolled back with ``generation`` off the deny-list."""

    generation: Count


Decision = Found | Accept | Refuse | Report | Observe | Promote | Excuse | Rollback | Pause | Clear


class Entry(Noun, frozen=True, kw_only=True):
    """One entry; the author is a member and signs everything but the signature."""

    version: Literal[1]
    cluster_id: Word
    operation: Word
    author: PeerName
    time_ms: Count
    decision: Decision
    signature: HexSignature


def sign_entry(entry: Entry, private_key: bytes) -> Entry:
    """Return ``entry`` with its signature filled in."""
    unsigned = msgspec.structs.replace(entry, signature=UNSIGNED)
    return msgspec.structs.replace(unsigned, signature=sign("entry", unsigned, private_key))


def is_entry_of(entry: Entry, key: str) -> bool:
    """Say whether ``entry`` carries a valid signature by the owner of ``key`` (hex)."""
    unsigned = msgspec.structs.replace(entry, signature=UNSIGNED)
    return is_signed("entry", unsigned, entry.signature, key)


def encode_entry(entry: Entry) -> bytes:
    """Return the bytes of ``entry`` for the log.

    Raises:
        RefusedError: every replica would refuse them: they are more than ``LARGEST_ENTRY_BYTES``,
            or a value in them is beyond its bounds.
    """
    payload = canonical(entry)
    decode_entry(payload)
    return payload


def decode_entry(payload: bytes) -> Entry:
    """Return the entry in ``payload``, which must be in canonical form.

    Raises:
        RefusedError: it is too large, not an entry, or written in another form.
    """
    if len(payload) > LARGEST_ENTRY_BYTES:
        raise RefusedError(f"the entry is {len(payload)} bytes, {LARGEST_ENTRY_BYTES} at most")
    try:
        entry = msgspec.json.decode(payload, type=Entry)
        if canonical(entry) != payload:
            raise RefusedError("the entry is not in canonical form")
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise RefusedError(f"not an entry: {error}") from error
    return entry
