"""The small language of ``tests/scenarios``: a line is a command, under it stands what followed.

    found p1 p2 p3 by p1                       begin; ``sharing p1 p2``: both with the key of p1
    propose sum [tree B] [idea B] [policy x]   make a change on the head as it is now
    accept sum by p1 with p1 p3                ask for it, with ballots (proposed now if not before)
    refuse sum by p1 with p2:refuse            record ballots that refuse it
    report live|failed by p1 [on 1]            ``cost OLD NEW``, ``runs N``, ``commit x``
    observe by p3 cost 100 110
    promote by p1 [at 1]                       ``at`` is the step the author believes in
    excuse p2 by p1
    rollback to 0 by p1 [on 2] [automatic]
    pause by p1, resume by p1, clear 1 by p1
    follow by p1                               all peers in turn report live, up to the end
    bytes TEXT                                 anything at all
    show generations|rollout|denied|record     more of the state

``because ...`` ends a line with a reason. ``next`` names the peer whose turn it is, ``first``,
``second`` and so on those in switching order. ``key p2`` signs with another's key, ``cluster x``
is another cluster. A ballot is a voter with what is odd about it: ``p1:forged``, ``p1:refuse``,
``p1:abstain``, ``p1:cluster``, ``p1:change``; ``p1:doubt`` refuses for lack of proof, with
``gain PPM`` as the ratio that it measured. Nothing here may know what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tars_peer.ledger.effect import (
    Cleared,
    Effect,
    Enacted,
    Founded,
    Learned,
    PauseChanged,
    Promoted,
    Refused,
    Reported,
)
from tars_peer.ledger.entry import (
    Accept,
    Clear,
    Decision,
    Excuse,
    Observe,
    Pause,
    Promote,
    Refuse,
    Report,
    Rollback,
    decode_entry,
    encode_entry,
)
from tars_peer.ledger.learning import MOST_TRIES
from tars_peer.ledger.parcel import pack
from tars_peer.ledger.rollout import turn
from tars_peer.ledger.state import EMPTY, State, state_digest
from tars_peer.ledger.step import step
from tars_peer.model.ballot import Ballot, Verdict
from tars_peer.model.change import Change
from tests.unit.ledger import invariants
from tests.unit.ledger.members import (
    CLUSTER,
    POLICY,
    START_MS,
    ballot,
    certificate,
    change_on,
    entry_of,
    founding,
    git_id,
    hex64,
    measured,
    member,
)

CLAUSES = frozenset(
    {
        "at",
        "automatic",
        "by",
        "cluster",
        "commit",
        "cost",
        "edits",
        "gain",
        "idea",
        "key",
        "on",
        "policy",
        "runs",
        "sharing",
        "to",
        "tree",
        "with",
    }
)
PLACES = ("first", "second", "third", "fourth", "fifth")


class Line:
    """One command: its verb, its words, its clauses and its reason."""

    def __init__(self, text: str) -> None:
        """Read ``text``."""
        text, _, self.reason = text.partition(" because ")
        self.verb, *rest = text.split()
        self.words: list[str] = []
        self.clauses: dict[str, list[str]] = {}
        current = self.words
        for word in rest:
            if word in CLAUSES:
                current = self.clauses.setdefault(word, [])
            else:
                current.append(word)

    def one(self, clause: str, default: str = "") -> str:
        """Return the single word of ``clause``."""
        return (self.clauses.get(clause) or [default])[0]


class Scenario:
    """A cluster's ledger under commands; after each, every invariant is checked."""

    def __init__(self) -> None:
        """Start with nothing decided."""
        self.state: State = EMPTY
        self.changes: dict[str, Change] = {}

    def run(self, command: str) -> Iterator[str]:
        """Do ``command`` and yield what followed, line by line."""
        line = Line(command)
        match line.verb:
            case "show":
                yield from getattr(self, f"_show_{line.words[0]}")()
            case "propose":
                yield self._propose(line)
            case "follow":
                yield from self._follow(line)
            case "bytes":
                yield from self._step(command.removeprefix("bytes ").encode())
            case _:
                yield from self._entry(line)

    def _entry(self, line: Line) -> Iterator[str]:
        author = self._peer(line.one("by"))
        decision = self._decision(line)
        entry = entry_of(
            author,
            decision,
            time_ms=START_MS + 1_000 * self.state.index,
            cluster=line.one("cluster", CLUSTER),
            key_of=line.one("key"),
        )
        yield from self._step(encode_entry(entry))

    def _step(self, payload: bytes) -> Iterator[str]:
        before = self.state
        self.state, effects = step(before, before.index + 1, payload)
        invariants.check_refusal(before, self.state, effects)
        accepted = not isinstance(effects[0], Refused)
        invariants.check_effect(before, decode_entry(payload) if accepted else None, effects)
        invariants.check_state(self.state)
        yield from map(told, effects)
        yield self._summary()

    def _decision(self, line: Line) -> Decision:
        make: dict[str, Callable[[Line], Decision]] = {
            "found": self._found,
            "accept": self._accept,
            "refuse": self._refuse,
            "report": self._report,
            "observe": self._observe,
            "promote": self._promote,
            "excuse": lambda line: Excuse(
                generation=self._generation(line),
                peer=self._peer(line.words[0]),
                reason=line.reason,
            ),
            "rollback": lambda line: Rollback(
                generation=self._generation(line),
                to=int(line.one("to")),
                automatic="automatic" in line.clauses,
                reason=line.reason,
            ),
            "pause": lambda line: Pause(paused=True, reason=line.reason),
            "resume": lambda line: Pause(paused=False, reason=line.reason),
            "clear": lambda line: Clear(generation=int(line.words[0])),
        }
        return make[line.verb](line)

    def _found(self, line: Line) -> Decision:
        shared = line.clauses.get("sharing", [])
        who = [member(name, key_of=shared[0] if name in shared else "") for name in line.words]
        return founding(who)

    def _propose(self, line: Line) -> str:
        word, head = line.words[0], self.state.head
        policy = hex64(line.one("policy")) if line.one("policy") else POLICY
        like = self.changes.get(line.one("tree"))
        idea = line.one("idea")
        change = change_on(
            head, word, idea=f"idea of {idea}" if idea else "", policy=policy, tree=""
        )
        if like or line.one("tree") == "same":
            tree = like.tree if like else head.tree
            change = msgspec.structs.replace(change, tree=tree)
        if line.one("tree").isdigit():
            tree = self.state.generations[int(line.one("tree"))].tree
            change = msgspec.structs.replace(change, tree=tree)
        if line.one("edits") == "none":
            change = msgspec.structs.replace(change, edits=())
        self.changes[word] = change
        return f"{word} is made on generation {change.base_generation}"

    def _change(self, line: Line) -> Change:
        if line.words[0] not in self.changes:
            self._propose(line)
        return self.changes[line.words[0]]

    def _ballots(self, line: Line, change: Change) -> list[Ballot]:
        return [self._ballot(word, change, line) for word in line.clauses.get("with", [])]

    def _ballot(self, word: str, change: Change, line: Line) -> Ballot:
        voter, _, odd = word.partition(":")
        gain = measured(int(line.one("gain", "1100000")))
        match odd:
            case "":
                return ballot(voter, change, measurement=gain)
            case "refuse" | "abstain":
                return ballot(voter, change, verdict=Verdict(odd))
            case "doubt":
                refuse = Verdict.REFUSE
                return ballot(voter, change, verdict=refuse, measurement=gain, gate="benchmark")
            case "forged":
                return ballot(voter, change, key_of="p1")
            case "cluster":
                return ballot(voter, change, cluster="vineyard")
            case "change":
                return ballot(voter, msgspec.structs.replace(change, summary="another"))
            case _:
                raise ValueError(f"a ballot cannot be {odd!r}")

    def _accept(self, line: Line) -> Decision:
        change = self._change(line)
        proof = certificate(change, self._ballots(line, change))
        return Accept(change=pack(change), certificate=proof)

    def _refuse(self, line: Line) -> Decision:
        change = self._change(line)
        return Refuse(change=pack(change), ballots=tuple(self._ballots(line, change)))

    def _report(self, line: Line) -> Decision:
        head = self.state.head
        live = line.words[0] == "live"
        before, after = self._costs(line) if live else ((), ())
        return Report(
            generation=self._generation(line),
            commit=git_id(line.one("commit")) if line.one("commit") else head.commit,
            tree=head.tree,
            live=live,
            reason=line.reason,
            before_ns=before,
            after_ns=after,
        )

    def _observe(self, line: Line) -> Decision:
        before, after = self._costs(line)
        return Observe(generation=self._generation(line), before_ns=before, after_ns=after)

    def _costs(self, line: Line) -> tuple[tuple[int, ...], tuple[int, ...]]:
        old, new = line.clauses.get("cost", ["100", "100"])
        runs = int(line.one("runs", "5"))
        return (int(old),) * runs, (int(new),) * runs

    def _promote(self, line: Line) -> Decision:
        target = self.state.rollout.target if self.state.rollout else 1
        return Promote(generation=self._generation(line), target=int(line.one("at", str(target))))

    def _follow(self, line: Line) -> Iterator[str]:
        author = line.one("by")
        while not self.state.settled:
            assert self.state.rollout is not None
            peer = turn(self.state.rollout)
            command = f"report live by {peer}" if peer else f"promote by {author}"
            outcome, summary = self._entry(Line(command))
            yield f"{command} > {summary}"
            if outcome.startswith("REFUSED"):
                yield outcome
                return

    def _peer(self, word: str) -> str:
        rollout = self.state.rollout
        if word == "next":
            assert rollout is not None
            return turn(rollout) or "nobody"
        if word in PLACES:
            assert rollout is not None
            return rollout.order[PLACES.index(word)]
        return word

    def _generation(self, line: Line) -> int:
        head = self.state.head.number if self.state.founded else 0
        return int(line.one("on", str(head)))

    def _summary(self) -> str:
        state, rollout = self.state, self.state.rollout
        if not state.founded:
            return f"[{state.index}] nothing founded"
        text = f"[{state.index}] head {state.head.number} {state.head.state.value}"
        if state.paused:
            text += ", paused"
        if rollout is None:
            return text
        text += f"; {rollout.stage.value}, {rollout.target} of {len(state.members)} allowed"
        for word in ("live", "excused", "failed"):
            peers = getattr(rollout, word)
            text += f"; {word} {' '.join(peers)}" if peers else ""
        return text if state.settled else f"{text}; next {turn(rollout) or 'nobody'}"

    def _show_generations(self) -> Iterator[str]:
        for one in self.state.generations:
            parent = f", parent {one.parent_commit[:8]}" if one.parent_commit else ""
            yield (
                f"{one.number} {one.kind.value} {one.state.value}:"
                f" commit {one.commit[:8]}, tree {one.tree[:8]}{parent}"
            )

    def _show_rollout(self) -> Iterator[str]:
        rollout = self.state.rollout
        if rollout is None:
            yield "no rollout yet"
            return
        yield f"order {' '.join(rollout.order)}; withdraws {rollout.withdraws}"
        yield f"reason: {rollout.reason or '(none)'}"
        for probe in rollout.probes:
            kind = "control" if probe.control else "switched"
            yield f"{probe.peer} {kind}: {probe.before_ns} then {probe.after_ns}"

    def _show_denied(self) -> Iterator[str]:
        for denied in self.state.denied:
            yield f"generation {denied.generation}: tree {denied.tree[:8]}"
        yield f"{len(self.state.denied)} denied"

    def _show_record(self) -> Iterator[str]:
        for track in self.state.tracks:
            yield (
                f"{track.improvement}: {track.accepted} accepted, {track.refused} refused,"
                f" {track.rolled_back} rolled back, gains of {track.gain_ppm_sum} ppm"
            )
        for closed in self.state.closed:
            again = "" if closed.final else f", tried {closed.tries} of {MOST_TRIES} times"
            yield f"closed {closed.fingerprint[:8]}{again}: {closed.reason}"

    def _show_digest(self) -> Iterator[str]:
        yield state_digest(self.state)


def told(effect: Effect) -> str:
    """Return ``effect`` in one line."""
    match effect:
        case Refused(code="malformed"):
            # What follows the colon is the decoder's word, which changes with its version.
            return f"REFUSED malformed: {effect.reason.partition(':')[0]}"
        case Refused():
            return f"REFUSED {effect.code}: {effect.reason}"
        case Founded():
            return f"founded on commit {effect.generation.commit[:8]}"
        case Enacted():
            made = effect.generation
            kind = made.kind.value
            return f"enacted generation {made.number} ({kind}), commit {made.commit[:8]}"
        case Learned():
            return f"learned about {effect.improvement}: {effect.reason}"
        case Reported():
            return f"reported {effect.peer}: {effect.note}"
        case Promoted():
            return f"promoted, live cost {effect.cost_ppm} ppm"
        case PauseChanged():
            return f"{'paused' if effect.paused else 'resumed'}: {effect.reason or '(no reason)'}"
        case Cleared():
            return f"cleared generation {effect.generation}"
