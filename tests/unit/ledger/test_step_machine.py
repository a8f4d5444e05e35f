"""Random decisions of random members, right and wrong, with every invariant checked after each.

Two replicas step over the same payloads; one of them is restarted from a snapshot now and then.
"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tars_peer.ledger.effect import Enacted
from tars_peer.ledger.entry import (
    Accept,
    Clear,
    Decision,
    Entry,
    Excuse,
    Observe,
    Pause,
    Promote,
    Refuse,
    Report,
    Rollback,
    encode_entry,
)
from tars_peer.ledger.parcel import pack
from tars_peer.ledger.rollout import turn
from tars_peer.ledger.state import EMPTY, state_digest
from tars_peer.ledger.step import step
from tars_peer.model.ballot import Verdict
from tars_peer.model.change import Change
from tars_peer.model.generation import Kind
from tests.unit.ledger import invariants
from tests.unit.ledger.members import (
    START_MS,
    ballot,
    certificate,
    change_on,
    entry_of,
    founding,
    members,
    names,
    round_trip,
)

WORDS = ("sum", "product", "quotient", "root")
IMPROVEMENTS = ("hoist", "slots", "join")
people = st.integers(min_value=0, max_value=4)
costs = st.sampled_from([(100, 90), (100, 100), (100, 110), (100, 200), (0, 100)])
ODD_BALLOTS = ("", "", "", "", "", "forged", "refuse", "cluster", "twice")


class Members(RuleBasedStateMachine):
    """What members may do to a ledger, and what they may only try."""

    changes: Bundle[Change] = Bundle("changes")

    def __init__(self) -> None:
        """Start with nothing decided."""
        super().__init__()
        self.state = EMPTY
        self.replica = EMPTY
        self.count = 0
        self.proved: set[str] = set()

    def decide(self, person: int, decision: Decision, *, key_of: str = "") -> None:
        author = f"p{person % self.count + 1}"
        time_ms = START_MS + 500 * (self.state.index % 7)
        self.take(entry_of(author, decision, time_ms=time_ms, key_of=key_of))

    def take(self, entry: Entry) -> None:
        before, payload = self.state, encode_entry(entry)
        self.state, effects = step(before, before.index + 1, payload)
        self.replica, same = step(self.replica, before.index + 1, payload)
        assert same == effects
        invariants.check_refusal(before, self.state, effects)
        invariants.check_effect(before, entry, effects)
        if isinstance(effects[0], Enacted) and effects[0].change is not None:
            self.proved.add(effects[0].generation.commit)

    @initialize(
        count=st.sampled_from([1, 2, 3, 3, 4, 5, 5]),
        past=st.lists(
            st.tuples(st.sampled_from(WORDS), st.sampled_from([0, 1, 2, 9]), costs), max_size=5
        ),
    )
    def found(self, count: int, past: list[tuple[str, int, tuple[int, int]]]) -> None:
        """Begin, with a past: changes that were deployed, a while, and some taken back."""
        self.count = count
        self.take(entry_of("p1", founding(members(count))))
        assert self.state.founded
        for word, back, cost in past:
            self.evolve(1, word, IMPROVEMENTS[0], cost, 30 if back else 2)
            if back < 9:
                self.roll_back(1, back, automatic=False)

    @rule(
        target=changes,
        word=st.sampled_from(WORDS),
        tree=st.sampled_from(["", "", "", *WORDS]),
        idea=st.sampled_from(["", "", "", *WORDS]),
        improvement=st.sampled_from(IMPROVEMENTS),
        old_tree=st.one_of(st.none(), st.none(), people),
    )
    def propose(
        self, word: str, tree: str, idea: str, improvement: str, old_tree: int | None
    ) -> Change:
        head = self.state.head
        unique = f"{word} on {head.number}"
        change = change_on(
            head, unique, tree=tree or unique, idea=idea or unique, improvement=improvement
        )
        if old_tree is not None and old_tree < len(self.state.generations):
            tree = self.state.generations[old_tree].tree
            change = msgspec.structs.replace(change, tree=tree)
        return change

    @rule(
        person=people,
        change=changes,
        voters=st.integers(min_value=0, max_value=5),
        odd=st.sampled_from(ODD_BALLOTS),
    )
    def accept(self, person: int, change: Change, voters: int, odd: str) -> None:
        ballots = [ballot(name, change) for name in names(min(voters, self.count))]
        if ballots and odd == "forged":
            ballots[-1] = ballot(ballots[-1].voter, change, key_of="p9")
        elif ballots and odd == "refuse":
            ballots[-1] = ballot(ballots[-1].voter, change, verdict=Verdict.REFUSE)
        elif ballots and odd == "cluster":
            ballots[-1] = ballot(ballots[-1].voter, change, cluster="vineyard")
        elif odd == "twice":
            ballots += ballots[-1:]
        self.decide(person, Accept(change=pack(change), certificate=certificate(change, ballots)))

    @rule(
        person=people,
        word=st.sampled_from(WORDS),
        improvement=st.sampled_from(IMPROVEMENTS),
        cost=costs,
        steps=st.sampled_from([0, 1, 2, 4, 30, 30]),
    )
    def evolve(
        self, person: int, word: str, improvement: str, cost: tuple[int, int], steps: int
    ) -> None:
        """Get a right change accepted, once what is under way is over, and follow it a while."""
        self.follow(person, (100, 100), 30)
        if self.state.paused:
            self.decide(person, Pause(paused=False, reason=""))
        unique = f"{word} on {self.state.head.number}"
        change = change_on(self.state.head, unique, improvement=improvement)
        ballots = [ballot(name, change) for name in names(self.count)]
        self.decide(person, Accept(change=pack(change), certificate=certificate(change, ballots)))
        self.follow(person, cost, steps)

    @rule(person=people, cost=costs, steps=st.integers(min_value=1, max_value=6))
    def follow(self, person: int, cost: tuple[int, int], steps: int) -> None:
        """Let peers report in their turn, and promote, as long as that leads anywhere."""
        for _ in range(steps):
            before, rollout = self.state, self.state.rollout
            if rollout is None or before.settled:
                return
            peer = turn(rollout)
            if peer is None:
                self.promote(person)
            else:
                self.take(entry_of(peer, self.reported(cost, live=True)))
            if msgspec.structs.replace(self.state, index=before.index) == before:
                return

    @rule(person=people, change=changes, refusing=st.booleans())
    def refuse(self, person: int, change: Change, *, refusing: bool) -> None:
        verdict = Verdict.REFUSE if refusing else Verdict.APPROVE
        ballots = (ballot("p1", change, verdict=verdict),)
        self.decide(person, Refuse(change=pack(change), ballots=ballots))

    @rule(person=people, live=st.booleans(), cost=costs)
    def report(self, person: int, cost: tuple[int, int], *, live: bool) -> None:
        self.decide(person, self.reported(cost, live=live))

    @rule(person=people, cost=costs)
    def observe(self, person: int, cost: tuple[int, int]) -> None:
        before, after = cost
        number = self.state.head.number
        self.decide(
            person, Observe(generation=number, before_ns=(before,) * 4, after_ns=(after,) * 4)
        )

    @rule(person=people)
    def promote(self, person: int) -> None:
        target = self.state.rollout.target if self.state.rollout else 1
        self.decide(person, Promote(generation=self.state.head.number, target=target))

    @rule(person=people, peer=people)
    def excuse(self, person: int, peer: int) -> None:
        peer_name = f"p{peer + 1}"
        number = self.state.head.number
        self.decide(person, Excuse(generation=number, peer=peer_name, reason="out of reach"))

    @rule(person=people, back=st.integers(min_value=0, max_value=3), automatic=st.booleans())
    def roll_back(self, person: int, back: int, *, automatic: bool) -> None:
        head = self.state.head.number
        decision = Rollback(
            generation=head, to=max(0, head - back), automatic=automatic, reason="it is worse"
        )
        self.decide(person, decision)

    @rule(person=people, number=st.integers(min_value=0, max_value=6), paused=st.booleans())
    def meddle(self, person: int, number: int, *, paused: bool) -> None:
        """Clear and pause, which is allowed; found again and sign for another, which is not."""
        self.decide(person, Clear(generation=number))
        if number > 3:
            self.decide(person, Pause(paused=paused, reason="holidays"))
        before = self.state
        self.decide(person, founding(members(1)))
        self.decide(person, Pause(paused=not before.paused, reason=""), key_of="p9")
        assert msgspec.structs.replace(self.state, index=before.index) == before

    @rule()
    def restart_a_replica(self) -> None:
        self.replica = round_trip(self.replica)

    @invariant()
    def everything_holds(self) -> None:
        invariants.check_state(self.state)
        assert state_digest(self.replica) == state_digest(self.state)
        for generation in self.state.generations:
            assert (generation.kind is Kind.CHANGE) == (generation.commit in self.proved)

    def teardown(self) -> None:
        """Say how far the run went, for ``--hypothesis-show-statistics``."""
        event(f"{min(len(self.state.generations), 6)} generations")
        event(f"{sum(old.kind is Kind.ROLLBACK for old in self.state.generations)} rollbacks")

    def reported(self, cost: tuple[int, int], *, live: bool) -> Report:
        head, (before, after) = self.state.head, cost
        return Report(
            generation=head.number,
            commit=head.commit,
            tree=head.tree,
            live=live,
            reason="" if live else "it does not start",
            before_ns=(before,) * 4,
            after_ns=(after,) * 4,
        )


TestMembers = pytest.mark.timeout(120)(Members.TestCase)
TestMembers.settings = settings(max_examples=30, stateful_step_count=20)
