"""What goes wrong in a schedule, drawn from its seed; then all is healed and must recover."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from tests.simulation.witness import ViolationError
from tests.simulation.world import Weather, World

#: Virtual seconds of trouble, and how long the healed cluster may take to be one again.
TROUBLE_S = 12.0
RECOVERY_S = 20.0
#: Between two misfortunes, and between two operations of clients, on average.
MISFORTUNE_S = 0.2
OPERATION_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of one schedule; ``violation`` is empty where every promise was kept."""

    seed: int
    violation: str
    trace: str
    leader_count: int
    acknowledged_count: int
    restored_count: int
    virtual_s: float


def play(seed: int, *, count: int | None = None) -> Report:
    """Run one schedule from beginning to end."""
    members = count if count is not None else (3, 5)[seed % 2]
    world = World(
        seed,
        members,
        batch_entries=(256, 3)[seed // 2 % 2],
        snapshot_every=(0, 5, 30)[seed % 3],
    )
    story = Story(world)
    began_s, violation = world.time.now_s, ""
    with world.installed():
        try:
            story.tell()
        except ViolationError as error:
            violation = str(error)
    calls = world.witness.calls.values()
    return Report(
        seed=seed,
        violation=violation,
        trace=world.trace,
        leader_count=world.witness.leader_count,
        acknowledged_count=sum(call.acknowledged_index is not None for call in calls),
        restored_count=world.witness.restored_count,
        virtual_s=world.time.now_s - began_s,
    )


class Story:
    """Misfortune by the dice of a world."""

    def __init__(self, world: World) -> None:
        """Prepare; ``tell`` runs it."""
        self._world = world
        self._dice = world.dice
        self._names: list[str] = []
        self._end_s = world.time.now_s + TROUBLE_S
        self._away_s: float | None = None
        self._misfortunes: dict[Callable[[], None], int] = {
            self._crash: 3,
            self._light_fuses: 6,
            self._fail_disk: 2,
            self._crash_leader: 2,
            self._pause: 3,
            self._pause_leader: 2,
            self._isolate: 3,
            self._isolate_leader: 3,
            self._cut_one_way: 4,
            self._reset_link: 4,
            self._change_weather: 3,
            self._power_cut: 1,
            self._storm: 6,
        }

    def tell(self) -> None:
        """Run the trouble, the healing and the end.

        Raises:
            ViolationError: a promise was broken.
        """
        world = self._world
        world.on_crash = self._start_again
        for me in world.members:
            world.start(me)
        self._change_weather()
        self._weaken()
        self._after(OPERATION_S, "client", self._operate)
        self._after(MISFORTUNE_S, "misfortune", self._strike)
        world.run_until(self._end_s)
        self._heal()
        self._recover()

    def _after(self, mean_s: float, label: str, action: Callable[[], None]) -> None:
        self._world.later(self._dice.expovariate(1 / mean_s), label, action)

    def _operate(self) -> None:
        """Let a client try something new, or again what was tried before, anywhere."""
        if self._world.time.now_s > self._end_s:
            return
        self._after(OPERATION_S, "client", self._operate)
        me = self._dice.choice(self._world.members)
        if self._names and self._dice.random() < 0.25:
            name = self._dice.choice(self._names)
        else:
            name = f"op-{len(self._names)}"
            self._names.append(name)
        if me in self._world.seats:
            self._world.propose(me, name, self._dice.uniform(0.3, 4.0))

    def _strike(self) -> None:
        if self._world.time.now_s > self._end_s:
            return
        self._after(MISFORTUNE_S, "misfortune", self._strike)
        kinds, weights = list(self._misfortunes), list(self._misfortunes.values())
        self._dice.choices(kinds, weights)[0]()

    # -- misfortunes ---------------------------------------------------------------------------

    def _somebody(self) -> str | None:
        return self._dice.choice(sorted(self._world.seats)) if self._world.seats else None

    def _leader(self) -> str | None:
        seats = self._world.seats
        leading = sorted(me for me in seats if seats[me].leads())
        return self._dice.choice(leading) if leading else None

    def _weaken(self) -> None:
        """Often begin with no more than a majority, for then every copy and every vote counts."""
        members = self._world.members
        if self._dice.random() < 0.5:
            for me in self._dice.sample(members, (len(members) - 1) // 2):
                self._away_s = self._dice.uniform(1.0, TROUBLE_S)
                self._world.crash(me)
        self._away_s = None

    def _start_again(self, me: str) -> None:
        """Whoever dies, of whatever, comes back; often while the others still count on it."""
        away_s = self._away_s or self._dice.choice([0.02, 0.02, 0.1, 0.3, 1.5])
        self._world.later(away_s, f"start {me}", partial(self._up, me))

    def _power_cut(self) -> None:
        for me in sorted(self._world.seats):
            self._world.crash(me)

    def _storm(self) -> None:
        """Have some stand unasked, again and again: no promise may rest on pre-vote."""
        standing = [me for me in self._world.members if self._dice.random() < 0.7]
        for number in range(self._dice.randint(1, 6)):
            delay_s = number * self._dice.uniform(0.0, 0.04)
            self._world.later(delay_s, f"stand {standing}", partial(self._stand, standing))

    def _stand(self, standing: list[str]) -> None:
        for me in standing:
            if me in self._world.seats and not self._world.seats[me].is_paused:
                self._world.step(me, self._world.seats[me].stand)

    def _crash(self) -> None:
        me = self._somebody()
        if me is not None:
            self._world.crash(me)

    def _crash_leader(self) -> None:
        me = self._leader()
        if me is not None:
            self._world.crash(me)

    def _up(self, me: str) -> None:
        self._world.disks[me].is_failing = False
        if me not in self._world.seats:
            self._world.start(me)

    def _light_fuses(self) -> None:
        """Kill some at a write, or between two sends, of a moment soon."""
        for me in sorted(self._world.seats):
            if self._dice.random() < 0.5:
                self._world.seats[me].fuse.moments_left = self._dice.randint(1, 12)

    def _fail_disk(self) -> None:
        me = self._somebody()
        if me is not None:
            self._world.disks[me].is_failing = True
            self._world.later(self._dice.uniform(0.1, 1.5), f"repair {me}", partial(self._up, me))

    def _pause(self) -> None:
        self._pause_one(self._somebody())

    def _pause_leader(self) -> None:
        self._pause_one(self._leader())

    def _pause_one(self, me: str | None) -> None:
        if me is not None and not self._world.seats[me].is_paused:
            seat = self._world.seats[me]
            self._world.pause(me)
            self._world.later(
                self._dice.uniform(0.05, 3.0), f"resume {me}", partial(self._resume, me, seat)
            )

    def _resume(self, me: str, seat: object) -> None:
        if self._world.seats.get(me) is seat and self._world.seats[me].is_paused:
            self._world.resume(me)

    def _isolate(self) -> None:
        """Part the members in two; each link breaks, or just swallows."""
        members = self._world.members
        self._part(set(self._dice.sample(members, self._dice.randint(1, len(members) - 1))))

    def _isolate_leader(self) -> None:
        leader = self._leader()
        if leader is not None:
            self._part({leader})

    def _part(self, side: set[str]) -> None:
        is_told = self._dice.random() < 0.5
        cut = [link for link in self._world.links if len(side & set(link)) == 1]
        for link in cut:
            self._world.links[link].is_cut = True
            if is_told and link[0] < link[1]:
                self._world.disconnect(*link)
        self._mend_later(cut, self._dice.choice([0.3, 1.0, 3.0]))

    def _cut_one_way(self) -> None:
        link = self._dice.choice(list(self._world.links))
        self._world.links[link].is_cut = True
        self._mend_later([link], self._dice.choice([0.3, 1.0, 3.0]))

    def _reset_link(self) -> None:
        one, other = sorted(self._dice.sample(self._world.members, 2))
        self._world.disconnect(one, other)
        self._mend_later([(one, other)], 0.1)

    def _mend_later(self, links: list[tuple[str, str]], mean_s: float) -> None:
        self._after(mean_s, f"mend {links}", partial(self._mend, links))

    def _mend(self, links: Iterable[tuple[str, str]]) -> None:
        """End cuts; broken links are dialled again."""
        world = self._world
        for one, other in links:
            world.links[one, other].is_cut = False
            is_up = world.links[one, other].is_up
            if not is_up and {one, other} <= world.seats.keys():
                world.connect(one, other)

    def _change_weather(self) -> None:
        is_fifo = self._dice.random() < 0.5
        self._world.weather = Weather(
            is_fifo=is_fifo,
            delay_s=self._dice.choice([0.0005, 0.002, 0.01, 0.05]),
            loss=self._dice.choice([0.0, 0.0, 0.02, 0.2]),
            doubling=0.0 if is_fifo else self._dice.choice([0.0, 0.1, 0.4]),
            lateness=0.0 if is_fifo else self._dice.choice([0.0, 0.05]),
        )

    # -- the end -------------------------------------------------------------------------------

    def _heal(self) -> None:
        world = self._world
        world.weather = Weather()
        for disk in world.disks.values():
            disk.is_failing = False
        for me in world.members:
            if me not in world.seats:
                world.start(me)
            seat = world.seats[me]
            seat.fuse.moments_left = 0
            if seat.is_paused:
                world.resume(me)
        self._mend(world.links)

    def _recover(self) -> None:
        """Everybody must take a new append, and deliver the same as everybody else."""
        world, witness = self._world, self._world.witness
        deadline_s = world.time.now_s + RECOVERY_S
        last = [f"last {me}" for me in world.members]
        for me, name in zip(world.members, last, strict=True):
            world.propose(me, name, RECOVERY_S)

        def is_done() -> bool:
            return all(witness.calls[name].acknowledged_index is not None for name in last) and all(
                seat.delivered_count == len(witness.sequence) for seat in world.seats.values()
            )

        if not world.run_until(deadline_s, is_done):
            counts = {me: seat.delivered_count for me, seat in world.seats.items()}
            raise ViolationError(f"stuck: {counts} of {len(witness.sequence)} delivered")
        if sum(seat.leads() for seat in world.seats.values()) != 1:
            raise ViolationError("leaders: not exactly one in a healthy cluster")
        delivered = {payload.decode(): index for index, payload in witness.sequence}
        lost = [
            call.name
            for call in witness.calls.values()
            if call.acknowledged_index not in {None, delivered.get(call.name)}
        ]
        if lost:
            raise ViolationError(f"lost: {lost} were acknowledged")
