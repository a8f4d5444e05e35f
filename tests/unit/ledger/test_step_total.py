"""``step`` is total: any bytes give a state, never an exception, and what is refused moves nothing.

An exception inside a replicated method would be tried again for ever and stop the log, so this is
searched from two sides: bytes that are nothing, and right entries of which one thing is changed,
signed again or not.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tars_peer.errors import RefusedError
from tars_peer.ledger.canon import canonical
from tars_peer.ledger.effect import Effect, Refused
from tars_peer.ledger.entry import (
    LARGEST_ENTRY_BYTES,
    Clear,
    Entry,
    Excuse,
    Observe,
    Pause,
    Promote,
    Refuse,
    Report,
    Rollback,
    decode_entry,
    encode_entry,
    sign_entry,
)
from tars_peer.ledger.parcel import LARGEST_UNPACKED_BYTES, pack
from tars_peer.ledger.rollout import turn
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tars_peer.model.ballot import Verdict
from tars_peer.model.change import Change
from tars_peer.model.noun import Noun
from tests.unit.ledger import invariants
from tests.unit.ledger.members import (
    acceptance,
    ballot,
    begun,
    change_on,
    entry_of,
    founding,
    members,
    names,
    private_key,
)

LARGEST_INDEX = 2**40


def after(state: State, *entries: Entry) -> State:
    """Return the state after ``entries``; the tests below say what each does."""
    for entry in entries:
        state, _ = step(state, state.index + 1, encode_entry(entry))
    return state


def served(state: State) -> State:
    """Return the state in which every peer has reported in its turn and the step is promoted."""
    while not state.settled:
        assert state.rollout is not None
        promotion = Promote(generation=state.head.number, target=state.rollout.target)
        peer = turn(state.rollout)
        entry = entry_of(peer, live_report(state)) if peer else entry_of("p1", promotion)
        state = after(state, entry)
    return state


@cache
def settled() -> State:
    """Return a state with a little of everything: a rolled back generation, a record, probes."""
    state = begun(3)
    state = after(state, entry_of("p1", acceptance(change_on(state.head, "sum"), names(2))))
    back = Rollback(generation=1, to=0, automatic=False, reason="it is ugly")
    return served(after(served(state), entry_of("p1", back)))


@cache
def rolling() -> State:
    """Return the same state with a change on top whose canary is live."""
    state = settled()
    state = after(state, entry_of("p1", acceptance(change_on(state.head, "product"), names(2))))
    assert state.rollout is not None
    return after(state, entry_of(state.rollout.order[0], live_report(state)))


def live_report(state: State) -> Report:
    head = state.head
    return Report(
        generation=head.number,
        commit=head.commit,
        tree=head.tree,
        live=True,
        reason="",
        before_ns=(100, 101, 102),
        after_ns=(99, 98, 97),
    )


@cache
def good_entries() -> tuple[Entry, ...]:
    """Return right entries: one for no state, two for ``settled()``, the rest for ``rolling()``."""
    state = rolling()
    assert state.rollout is not None
    order, number = state.rollout.order, state.head.number
    change = change_on(settled().head, "quotient")
    refusals = tuple(ballot(name, change, verdict=Verdict.REFUSE) for name in names(2))
    failure = msgspec.structs.replace(live_report(state), live=False, reason="x")
    return (
        entry_of("p1", founding(members(3))),
        entry_of("p1", acceptance(change, names(3))),
        entry_of("p1", Refuse(change=pack(change), ballots=refusals)),
        entry_of(order[1], failure),
        entry_of(order[2], Observe(generation=number, before_ns=(1, 2, 3), after_ns=(1, 2, 3))),
        entry_of("p1", Promote(generation=number, target=1)),
        entry_of("p1", Excuse(generation=number, peer=order[2], reason="")),
        entry_of("p1", Rollback(generation=number, to=0, automatic=False, reason="")),
        entry_of("p1", Pause(paused=True, reason="")),
        entry_of("p1", Clear(generation=1)),
    )


STATES: tuple[Callable[[], State], ...] = (lambda: EMPTY, settled, rolling)


def taken(state: State, payload: bytes) -> tuple[State, tuple[Effect, ...]]:
    """Step over ``payload`` twice and check everything that must hold whatever it is."""
    next_state, effects = step(state, state.index + 1, payload)
    again, again_effects = step(state, state.index + 1, payload)
    assert (next_state, effects) == (again, again_effects)
    assert next_state.index == state.index + 1
    invariants.check_refusal(state, next_state, effects)
    accepted = not isinstance(effects[0], Refused)
    invariants.check_effect(state, decode_entry(payload) if accepted else None, effects)
    invariants.check_state(next_state)
    return next_state, effects


def resigned(value: dict[str, object]) -> bytes:
    """Return ``value`` as canonical bytes, signed anew by its author where it still is an entry."""
    try:
        entry = msgspec.convert(value, type=Entry)
        return canonical(sign_entry(entry, private_key(entry.author)))
    except (ValueError, msgspec.ValidationError):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe{}")
@example(b'"\\ud800"')
@example(b"[" * 50_000)
@example(b'{"decision":' * 8_000)
@example(b'{"a":' + b"[" * 40_000)
@example(b"9" * 5_000)
@example(b"x" * (LARGEST_ENTRY_BYTES + 1))
@example(b"NaN")
@example(b'{"version":1,"version":1}')
def test_any_bytes_give_a_state(payload: bytes) -> None:
    for state in STATES:
        _, effects = taken(state(), payload)
        assert [effect.code for effect in effects if isinstance(effect, Refused)] == ["malformed"]


def test_the_good_entries_are_good() -> None:
    """Else the search below would search nothing."""
    states = [EMPTY, settled(), settled(), *[rolling()] * 7]
    for state, entry in zip(states, good_entries(), strict=True):
        _, effects = taken(state, encode_entry(entry))
        assert not isinstance(effects[0], Refused), effects


ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1.0, 1.5, 1e308, 2**53 - 1, 2**53, 2**64, 10**400,
    "", "\x00", "p1\n", "\ud800", "0" * 40, "0" * 64, "0" * 128, "x" * 5_000, "\u202e", "p9",
    [], {}, [[]], [None], [2**53 - 1] * 65, {"kind": "found"}, {"kind": "nothing"},
    [[[[[[[[[[[[]]]]]]]]]]]],
)  # fmt: skip


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Return the paths of all values inside ``value``."""
    inner: list[tuple[object, ...]] = [path] if path else []
    if isinstance(value, dict):
        for key, one in value.items():
            inner += places(one, (*path, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            inner += places(one, (*path, number))
    return inner


def packed(text: bytes) -> str:
    return base64.b64encode(zlib.compress(text)).decode()


def mutate(draw: st.DrawFn, value: dict[str, object], donors: tuple[object, ...]) -> None:
    """Replace, copy over, remove or add one value inside ``value``."""
    path = draw(st.sampled_from(places(value) or [("decision",)]))
    parent: Any = value
    for key in path[:-1]:
        parent = parent[key]
    what = draw(st.sampled_from(["replace", "replace", "copy", "remove", "add"]))
    if what == "replace":
        parent[path[-1]] = json.loads(json.dumps(draw(st.sampled_from(ODD_VALUES))))
    elif what == "copy":
        other: Any = draw(st.sampled_from(donors))
        for key in draw(st.sampled_from(places(other))):
            other = other[key]
        parent[path[-1]] = other
    elif what == "remove":
        del parent[path[-1]]
    elif isinstance(parent, dict):
        parent["weight"] = 1
    else:
        parent.append(parent[path[-1]])


def plain(noun: Noun) -> Any:
    return json.loads(canonical(noun))


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Draw a right entry with one to three values changed; signed anew or not."""
    value = plain(draw(st.sampled_from(good_entries())))
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        mutate(draw, value, tuple(map(plain, good_entries())))
    if draw(st.booleans()):
        return resigned(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@st.composite
def mutated_changes(draw: st.DrawFn) -> bytes:
    """Draw the acceptance of a mutated change, with ballots and signatures for what it became."""
    change = change_on(settled().head, "quotient")
    value = plain(change)
    for _ in range(draw(st.integers(min_value=1, max_value=2))):
        mutate(draw, value, (plain(change), plain(change_on(begun(1).head, "sum"))))
    try:
        became = msgspec.convert(value, type=Change)
        decision = acceptance(became, names(2))
    except (ValueError, RefusedError):
        text = packed(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
        decision = msgspec.structs.replace(acceptance(change, names(2)), change=text)
    return canonical(entry_of("p1", decision))


@settings(max_examples=100)
@given(mutations())
def test_a_mutated_entry_gives_a_state(payload: bytes) -> None:
    for state in STATES:
        taken(state(), payload)


@given(mutated_changes())
def test_a_mutated_change_gives_a_state(payload: bytes) -> None:
    taken(settled(), payload)


@given(st.sampled_from(good_entries()), st.data())
def test_a_flipped_bit_is_noticed(entry: Entry, data: st.DataObject) -> None:
    payload = bytearray(encode_entry(entry))
    place = data.draw(st.integers(min_value=0, max_value=len(payload) - 1))
    payload[place] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    for state in STATES:
        _, effects = taken(state(), bytes(payload))
        assert isinstance(effects[0], Refused)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload + b"\n",
        lambda payload: payload.replace(b":", b": ", 1),
        lambda payload: payload.replace(b'"version":1', b'"version":1.0'),
        lambda payload: payload.replace(b'"version":1', b'"version":1,"version":1'),
        lambda payload: payload.replace(b'"author":"p1"', b'"author":"\\u0070\\u0031"'),
        lambda payload: payload.replace(b'{"author"', b'{"b":1,"author"'),
        lambda payload: payload.replace(b'"time_ms":', b'"time_ms":-'),
        lambda payload: payload.replace(b'"reason":""', b'"reason":"\\ud800"'),
        lambda payload: payload.replace(b'"reason":""', b'"reason":"\xff"'),
        lambda payload: payload.replace(b'"reason":""', b'"reason":NaN'),
        lambda payload: payload[:-1],
    ],
)
def test_an_entry_has_one_form_only(spoil: Callable[[bytes], bytes]) -> None:
    """Two forms of one entry would be two entries with one signature."""
    payload = encode_entry(entry_of("p1", Pause(paused=True, reason="")))
    spoilt = spoil(payload)
    assert spoilt != payload
    _, effects = taken(begun(1), spoilt)
    assert [effect.code for effect in effects if isinstance(effect, Refused)] == ["malformed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64",
        "\u20ac",
        "AAAA",
        "A" * 40_000,
        packed(b""),
        packed(b"null"),
        packed(b"[" * 200_000),
        packed(b'{"edits":' + b"[" * 200_000),
        packed(b" " * (LARGEST_UNPACKED_BYTES + 1)),
        packed(b"0" * (LARGEST_UNPACKED_BYTES * 20)),
        packed(zlib.compress(b"0" * LARGEST_UNPACKED_BYTES)),
        packed(b'{"summary":"\\ud800"}'),
        packed(b"\xff" * 100),
        packed(b"9" * 100_000),
    ],
)
@pytest.mark.parametrize("kind", ["accept", "refuse"])
def test_what_is_packed_badly_is_refused(text: str, kind: str) -> None:
    state = begun(3)
    change = change_on(state.head, "sum")
    right = acceptance(change, names(2))
    refusal = Refuse(change=text, ballots=(ballot("p1", change, verdict=Verdict.REFUSE),))
    decision = msgspec.structs.replace(right, change=text) if kind == "accept" else refusal
    _, effects = taken(state, encode_entry(entry_of("p1", decision)))
    assert [effect.code for effect in effects if isinstance(effect, Refused)] == ["malformed"]


@given(st.integers(min_value=-5, max_value=LARGEST_INDEX))
def test_the_index_never_goes_back(index: int) -> None:
    state = begun(1)
    moved, _ = step(state, index, b"")
    assert moved.index == max(state.index, index)


@settings(max_examples=20)
@given(
    st.lists(st.one_of(mutations(), st.sampled_from(good_entries()).map(encode_entry)), max_size=12)
)
def test_replicas_that_take_the_same_payloads_are_equal(payloads: list[bytes]) -> None:
    replicas = [rolling(), rolling()]
    for payload in payloads:
        replicas = [step(replica, replica.index + 1, payload)[0] for replica in replicas]
    assert canonical(replicas[0]) == canonical(replicas[1])
    # A third one was restarted from a snapshot in the middle.
    half, third = len(payloads) // 2, rolling()
    for number, payload in enumerate(payloads):
        if number == half:
            third = msgspec.json.decode(msgspec.json.encode(third), type=State)
        third, _ = step(third, third.index + 1, payload)
    assert canonical(third) == canonical(replicas[0])
