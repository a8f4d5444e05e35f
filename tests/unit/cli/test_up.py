"""``tars cluster up``: how it ends, what it prints, and that it always stops what it started."""

import _thread
import json
import threading

import pytest

from tars_peer.errors import UsageError
from tests.fakes.cluster import Cluster
from tests.fakes.desk import COMMITS, some_cluster, some_event, some_peer, some_row
from tests.fakes.waiting import until

GENESIS = some_row(0)


@pytest.fixture
def cluster():
    """A cluster that is served only when it is launched, with the events that it then has."""
    cluster = Cluster()
    cluster.start()
    cluster.machine.supervised = []
    for server in cluster.servers:
        server.stop(grace_s=0)
    cluster.machine.on_launch = cluster.start
    yield cluster
    cluster.stop()


def evolve(cluster: Cluster, *, kind: str = "change", complete: bool = True) -> None:
    """Let the peers find themselves on generation 0, and then reach generation 1."""
    first = cluster.desks[0]
    first.rows = (GENESIS, some_row(1, kind=kind))
    before = some_cluster(head=_head(0), rollout=None, peers=())
    asked = iter([before])

    def status():
        given = next(asked, None)
        if given is None:
            return first.cluster
        return some_cluster(head=_head(0), rollout=None, peers=first.cluster.peers)

    first.cluster_status = status
    if complete:
        first.kept = (
            some_event("decision", "generation 1", index=40, data={"approvals": ["p1", "p2"]}),
            some_event("complete", "generation 1 is live", index=44),
        )


def idle(cluster: Cluster, *numbers: int, generation: int = 1) -> None:
    for number in numbers:
        desk = cluster.desks[number - 1]
        said = some_event("idle", peer=f"p{number}", generation=generation)
        desk.kept = (*desk.kept, said)


def interrupt_after_the_summary(cluster: Cluster) -> threading.Thread:
    """Press Ctrl-C once ``up`` has said that all are idle and goes on to look after processes."""

    def press() -> None:
        until(lambda: ("history",) in cluster.desks[0].asked)
        looks = cluster.machine.looks
        until(lambda: cluster.machine.looks > looks)
        _thread.interrupt_main()

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def stopped(cluster: Cluster) -> bool:
    return cluster.machine.asked[-1][0] == "stop"


def test_once_ends_with_0_when_the_first_change_is_live(cluster, tars) -> None:
    evolve(cluster)
    answer = tars("cluster", "up", "--once", "--peers", "3")
    assert answer.code == 0
    assert "raft index 40: generation 1, approved by p1, p2" in answer.out
    assert "measured in all: 1.250 times as fast" in answer.out
    assert "p1 is stopped" in answer.err
    assert stopped(cluster)


def test_once_ends_with_1_when_nothing_can_be_gained(cluster, tars) -> None:
    cluster.desks[0].rows = (GENESIS,)
    idle(cluster, 1, 2, 3, generation=0)
    answer = tars("cluster", "up", "--once")
    assert answer.code == 1
    assert "error: nothing could be gained" in answer.err
    assert stopped(cluster)


def test_once_does_not_take_an_earlier_runs_change_for_its_own(cluster, tars) -> None:
    cluster.desks[0].kept = (some_event("complete", "generation 1 is live", index=44),)
    idle(cluster, 1, 2, 3)
    answer = tars("cluster", "up", "--once")
    assert answer.code == 1
    assert "nothing could be gained" in answer.err


def test_once_does_not_take_a_way_back_for_a_change(cluster, tars) -> None:
    evolve(cluster, kind="rollback")
    idle(cluster, 1, 2, 3)
    assert tars("cluster", "up", "--once").code == 1


def test_once_waits_until_every_peer_runs_it(cluster, tars) -> None:
    evolve(cluster)
    first = cluster.desks[0]
    arrived = threading.Event()
    looks = 0
    status = first.cluster_status

    def late():
        nonlocal looks
        looks += 1
        seen = status()
        if looks < 4:
            peers = (*seen.peers[:2], some_peer(3, commit=COMMITS[0]))
            return some_cluster(head=seen.head, rollout=seen.rollout, peers=peers)
        arrived.set()
        return seen

    first.cluster_status = late
    assert tars("cluster", "up", "--once").code == 0
    assert arrived.is_set()


def test_a_refused_genome_ends_with_1_reason_and_hint(cluster, tars) -> None:
    data = {"reason": "no test passes", "hint": "mend the tests"}
    cluster.desks[1].kept = (some_event("refused-genome", "no", peer="p2", data=data),)
    answer = tars("cluster", "up")
    assert answer.code == 1
    assert "error: this genome cannot evolve: no test passes\nhint: mend the tests" in answer.err
    assert stopped(cluster)


def test_json_events_are_one_a_line_and_nothing_else(cluster, tars) -> None:
    evolve(cluster)
    answer = tars("cluster", "up", "--once", "--json-events")
    events = [json.loads(line) for line in answer.out.splitlines()]
    assert [event["kind"] for event in events] == ["decision", "complete"]
    assert set(events[0]) == {
        "time_ms",
        "peer",
        "kind",
        "generation",
        "index",
        "change_id",
        "text",
        "data",
    }
    assert "measured in all" in answer.err


def test_detach_returns_once_healthy_and_stops_nothing(cluster, tars) -> None:
    answer = tars("cluster", "up", "--detach")
    assert answer.code == 0
    assert "it goes on by itself" in answer.err
    assert [call[0] for call in cluster.machine.asked] == ["launch"]


def test_detach_stops_a_cluster_whose_genome_is_refused(cluster, tars) -> None:
    cluster.desks[0].kept = (some_event("refused-genome", "no", data={"reason": "no tests"}),)
    answer = tars("cluster", "up", "--detach")
    assert (answer.code, stopped(cluster)) == (1, True)


def test_idle_peers_stay_up_until_ctrl_c(cluster, tars) -> None:
    idle(cluster, 1, 2, 3)
    thread = interrupt_after_the_summary(cluster)
    answer = tars("cluster", "up")
    thread.join()
    assert answer.code == 0
    assert answer.err.count("nothing left to gain") == 1
    assert "stopping the peers" in answer.err
    assert stopped(cluster)


def test_idle_is_said_though_one_peer_is_gone(cluster, tars) -> None:
    idle(cluster, 1, 2)
    gone = (*[desk.peer for desk in cluster.desks[:2]], some_peer(3, state="unreachable"))
    launch = cluster.machine.on_launch

    def lose_one() -> None:
        launch()
        for desk in cluster.desks:
            desk.cluster = some_cluster(peers=gone)
        cluster.lose(3)

    cluster.machine.on_launch = lose_one
    thread = interrupt_after_the_summary(cluster)
    answer = tars("cluster", "up")
    thread.join()
    assert "nothing left to gain" in answer.err


def test_a_second_ctrl_c_does_not_leave_orphans(cluster, tars) -> None:
    idle(cluster, 1, 2, 3)
    finished = threading.Event()

    def press_again() -> None:
        _thread.interrupt_main()
        # The handler runs in this, the main thread, before the next line is over.
        finished.set()

    cluster.machine.on_stop = press_again
    thread = interrupt_after_the_summary(cluster)
    answer = tars("cluster", "up")
    thread.join()
    assert answer.code == 0
    assert finished.is_set()
    assert "stopping already" in answer.err
    assert "p3 is stopped" in answer.err


def test_what_launch_refuses_stops_nothing(cluster, tars) -> None:
    cluster.machine.fault = UsageError("dirty tree: parcels/day.py", hint="commit it")
    answer = tars("cluster", "up", "--genome", "x")
    assert (answer.code, answer.out) == (2, "")
    assert "error: dirty tree: parcels/day.py\nhint: commit it" in answer.err
    assert [call[0] for call in cluster.machine.asked] == ["launch"]


def test_peers_that_all_ended_end_it_with_their_last_words(cluster, tars) -> None:
    launch = cluster.machine.on_launch

    def die() -> None:
        launch()
        cluster.machine.words["p1"] = "the peer ended with code 2: wrong key"

    cluster.machine.on_launch = die
    cluster.machine.running = lambda _home: []
    answer = tars("cluster", "up")
    assert answer.code == 1
    assert "all peers have ended: p1: the peer ended with code 2: wrong key" in answer.err


def test_peers_come_and_go_and_are_heard_once(cluster, tars) -> None:
    evolve(cluster, complete=False)
    first = cluster.desks[0]
    first.kept = (some_event("plan", "seven ideas"),)
    restarted = threading.Event()

    def restart() -> None:
        until(lambda: ("events", True) in first.asked)
        address = cluster.servers[0].address
        cluster.lose(1)
        first.closed.clear()
        evolve(cluster)
        first.kept = (some_event("plan", "seven ideas"), *first.kept)
        cluster.servers[0] = cluster.serve(first, address)
        restarted.set()

    thread = threading.Thread(target=restart)
    launch = cluster.machine.on_launch
    cluster.machine.on_launch = lambda: (launch(), thread.start())
    answer = tars("cluster", "up", "--once")
    thread.join()
    assert restarted.is_set()
    assert answer.code == 0
    assert answer.out.count("seven ideas") == 1


def _head(generation: int):
    return some_cluster().head.__class__(
        generation=generation, commit=COMMITS[generation], tree="a" * 40
    )
