"""The way decisions go in and come out: signed and appended here, stepped over in log order.

The log's callbacks only enqueue; one thread steps the ledger and hands the effects on. What a
decision led to is read at its own log index, so a retry or a late answer can never be taken for
another decision's.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from tars_peer.errors import CorruptError, NoQuorumError, OvertakenError, RefusedError
from tars_peer.ledger.effect import Effect, Refused
from tars_peer.ledger.entry import Decision, Entry, encode_entry, sign_entry
from tars_peer.ledger.keeping import decode_state, encode_state
from tars_peer.ledger.signature import UNSIGNED
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tars_peer.model.noun import ClusterId, OperationId, PeerId
from tars_peer.ports.clock import Clock
from tars_peer.ports.events import Events
from tars_peer.ports.log import Log

Listener = Callable[[int, State, Effect], None]

_KEPT_OUTCOMES = 1_024
#: Refusals that only say that somebody was quicker.
_OVERTAKEN = frozenset({"founded", "known", "stale", "turn"})


class Decisions:
    """This peer's ledger and its door; implements ``ports.log.StateKeeper``."""

    def __init__(
        self,
        *,
        me: PeerId,
        cluster_id: ClusterId,
        private_key: bytes,
        clock: Clock,
        events: Events,
    ) -> None:
        """Begin with the empty ledger; ``deliver`` may be called at once."""
        self._me = me
        self._cluster_id = cluster_id
        self._private_key = private_key
        self._clock = clock
        self._events = events
        self._state = EMPTY
        self._delivered = 0
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A state the log asked for, its bytes, and the newest generation whose commit is here.
        self._captured: tuple[State, bytes] | None = None
        self._enacted = -1
        self._moved = threading.Condition()
        self._outcomes: OrderedDict[int, Effect] = OrderedDict()
        self._listeners: list[Listener] = []
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    @property
    def state(self) -> State:
        """The ledger as stepped so far; a frozen value."""
        return self._state

    @property
    def caught_up(self) -> bool:
        """True where everything that was delivered has been stepped over."""
        return self._state.index >= self._delivered

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with each effect, in log order, on the ledger's thread."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin stepping over what has been delivered."""
        self._thread.start()

    def deliver(self, index: int, payload: bytes) -> None:
        """Take an entry of the log; only enqueues."""
        self._delivered = max(self._delivered, index)
        self._queue.put(partial(self.step_over, index, payload))

    def capture(self, index: int) -> None:
        """See ``ports.log.StateKeeper``; the bytes are made on the ledger's thread."""
        self._queue.put(partial(self._capture, index))

    def captured(self) -> tuple[int, bytes] | None:
        """See ``ports.log.StateKeeper``.

        An accepted change is in its entry and nowhere else until its commit is made, so the state
        is held back until ``note_enacted`` has told of its newest generation.
        """
        captured = self._captured
        if captured is None or captured[0].last_number > self._enacted:
            return None
        self._captured = None
        return captured[0].index, captured[1]

    def note_enacted(self, generation: int) -> None:
        """Note that the commits of all generations up to this number are on this peer's disk."""
        self._enacted = max(self._enacted, generation)

    def restore(self, index: int, state: bytes) -> str:
        """See ``ports.log.StateKeeper``; what led to the state is told to no listener."""
        try:
            restored = decode_state(state, index)
        except CorruptError as error:
            return f"{error} ({error.hint})"
        self._delivered = max(self._delivered, index)
        self._queue.put(partial(self._restore, restored))
        return ""

    def step_over(self, index: int, payload: bytes) -> None:
        """Step over an entry now and tell the listeners; the ledger's thread does nothing else."""
        state, effects = step(self._state, index, payload)
        with self._moved:
            self._state = state
            for effect in effects:
                self._outcomes[index] = effect
            while len(self._outcomes) > _KEPT_OUTCOMES:
                self._outcomes.popitem(last=False)
            self._moved.notify_all()
        for effect in effects:
            for listener in self._listeners:
                self._tell(listener, index, state, effect)

    def submit(
        self, log: Log, decision: Decision, *, timeout_s: float, operation: str | None = None
    ) -> Effect:
        """Append ``decision`` and return what it led to.

        Raises:
            NoQuorumError: it was not decided in time; it may be still.
            OvertakenError: the ledger has moved on since it was asked for.
            RefusedError: the ledger refused it, or it is too large.
        """
        identity = OperationId(operation or uuid.uuid4().hex)
        entry = Entry(
            version=1,
            cluster_id=self._cluster_id,
            operation=identity,
            author=self._me,
            time_ms=self._clock.now_ms(),
            decision=decision,
            signature=UNSIGNED,
        )
        payload = encode_entry(sign_entry(entry, self._private_key))
        deadline_s = self._clock.monotonic_s() + timeout_s
        index = log.append(payload, operation=identity, timeout_s=timeout_s)
        effect = self._outcome(index, deadline_s - self._clock.monotonic_s() + 1.0)
        if isinstance(effect, Refused) and effect.code in _OVERTAKEN:
            raise OvertakenError(f"{effect.code}: {effect.reason}")
        if isinstance(effect, Refused):
            raise RefusedError(f"{effect.code}: {effect.reason}")
        return effect

    def wait_past(self, index: int, timeout_s: float) -> bool:
        """Wait until the ledger has moved past ``index``; say whether it has."""
        with self._moved:
            return self._moved.wait_for(lambda: self._state.index > index, timeout_s)

    def close(self) -> None:
        """Stop stepping; what is enqueued is left."""
        self._queue.put(None)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(5.0)

    def _outcome(self, index: int, timeout_s: float) -> Effect:
        with self._moved:
            if self._moved.wait_for(lambda: self._state.index >= index, timeout_s):
                effect = self._outcomes.get(index)
                if effect is not None:
                    return effect
        raise NoQuorumError(
            "it was decided, but its outcome is not known here",
            hint="look at `tars evolve history`",
        )

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def _capture(self, index: int) -> None:
        if self._state.index == index:
            self._captured = self._state, encode_state(self._state)

    def _restore(self, state: State) -> None:
        with self._moved:
            if state.index <= self._state.index:
                return
            self._state = state
            self._moved.notify_all()
        self._events.say(
            "restored",
            f"the ledger goes on from a snapshot of entry {state.index}",
            index=state.index,
        )

    def _tell(self, listener: Listener, index: int, state: State, effect: Effect) -> None:
        """Tell one listener; its fault must not end the ledger's thread, nor be kept silent."""
        try:
            listener(index, state, effect)
        except Exception as error:  # noqa: BLE001  (whatever it is, the next entry must be taken)
            self._events.say(
                "fault", f"what follows from entry {index} failed here: {error!r}", index=index
            )
