"""Three real members in processes of their own: what a healthy or wounded cluster promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tars_peer.model.noun import PeerId
from tests.fakes.waiting import until
from tests.integration.raft_member import Member, free_addresses

Cluster = dict[PeerId, Member]


def _start(
    addresses: Mapping[PeerId, str], folder: Path, *, snapshot_every_entries: int = 0
) -> Cluster:
    members = {
        me: Member(me, addresses, folder / me, snapshot_every_entries=snapshot_every_entries)
        for me in addresses
    }
    until(lambda: all(member.status()["ready"] for member in members.values()), timeout_s=20)
    return members


def _leader_and_followers(members: Cluster) -> tuple[Member, list[Member]]:
    """Wait until all agree on who leads."""

    def leaders() -> set[str | None]:
        return {member.status()["leader"] for member in members.values()}

    until(lambda: len(leaders()) == 1 and None not in leaders(), timeout_s=20)
    leader = PeerId(next(iter(leaders())) or "")
    return members[leader], [member for me, member in members.items() if me != leader]


def _until_all_delivered(members: Cluster, index: int) -> None:
    until(
        lambda: all(member.status()["applied_index"] >= index for member in members.values()),
        timeout_s=20,
    )


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for the tests that leave it as healthy as they found it."""
    members = _start(free_addresses(3), tmp_path_factory.mktemp("cluster"))
    yield members
    codes = [member.close() for member in members.values()]
    assert codes == [0, 0, 0], "every member must close cleanly"


def test_append_from_anywhere_is_delivered_everywhere_at_one_index(members: Cluster) -> None:
    leader, followers = _leader_and_followers(members)
    places = {
        member.append(f"anywhere-{member.me}"): f"anywhere-{member.me}"
        for member in (followers[0], leader, followers[1])
    }
    assert list(places) == sorted(places), "later appends lie later"
    _until_all_delivered(members, max(places))
    for member in members.values():
        assert places.items() <= dict(member.delivered()).items(), member.me
        assert member.delivered() == leader.delivered()


def test_an_operation_is_decided_once_however_often_it_is_tried(members: Cluster) -> None:
    asked = [
        member.ask("append", operation="again", timeout_s=10, size_bytes=0)
        for member in members.values()
        for _ in range(8)
    ]
    indexes = {future.result(15) for future in asked}
    indexes |= {member.append("again") for member in members.values()}
    assert len(indexes) == 1
    last = next(iter(members.values())).append("after again")
    _until_all_delivered(members, last)
    for member in members.values():
        assert [name for _, name in member.delivered()].count("again") == 1


def test_the_largest_payload_fits_and_a_larger_one_is_refused(members: Cluster) -> None:
    _, followers = _leader_and_followers(members)
    index = followers[0].append("large", size_bytes=96 * 1024)
    _until_all_delivered(members, index)
    with pytest.raises(RuntimeError, match="PermanentError: the payload has 98305 bytes"):
        followers[0].append("too large", size_bytes=96 * 1024 + 1)


def test_many_outstanding_appends_keep_one_order(members: Cluster) -> None:
    leader, followers = _leader_and_followers(members)
    asked = [
        member.ask("append", operation=f"many-{number}", timeout_s=10, size_bytes=300)
        for number, member in enumerate([leader, *followers] * 60)
    ]
    indexes = [future.result(20) for future in asked]
    assert len(set(indexes)) == len(asked)
    _until_all_delivered(members, max(indexes))
    assert followers[0].delivered() == followers[1].delivered() == leader.delivered()


def test_status_says_what_a_healthy_cluster_looks_like(members: Cluster) -> None:
    leader, followers = _leader_and_followers(members)
    for member in (leader, *followers):
        status = member.status()
        assert status["has_quorum"]
        assert status["ready"]
        assert status["leader"] == leader.me
        assert status["connected"] == sorted(set(members) - {member.me})


def test_one_member_down_is_borne_two_are_not_and_it_recovers(tmp_path: Path) -> None:
    addresses = free_addresses(3)
    members = _start(addresses, tmp_path)
    leader, (kept, other) = _leader_and_followers(members)
    try:
        other.kill()
        first = kept.append("one is down", timeout_s=10)
        leader.kill()
        began_s = time.monotonic()
        with pytest.raises(RuntimeError, match="NoQuorumError: operation two are down"):
            kept.append("two are down", timeout_s=1.5)
        assert time.monotonic() - began_s < 3.0, "the deadline is kept"
        until(lambda: not kept.status()["has_quorum"], timeout_s=10)
        assert kept.status()["leader"] is None
        members[other.me] = Member(other.me, addresses, tmp_path / other.me)
        second = kept.append("two are down", timeout_s=20)
        assert second > first
        members[leader.me] = Member(leader.me, addresses, tmp_path / leader.me)
        until(lambda: all(each.status()["ready"] for each in members.values()), timeout_s=20)
        logs = [member.delivered() for member in members.values()]
        assert logs == [[(first, "one is down"), (second, "two are down")]] * 3
    finally:
        for member in members.values():
            member.close()


def test_no_acknowledged_operation_is_lost_or_doubled_when_leaders_are_killed(
    tmp_path: Path,
) -> None:
    addresses = free_addresses(3)
    members = _start(addresses, tmp_path)
    client = _leader_and_followers(members)[1][0]
    acknowledged: dict[str, int] = {}

    def write(numbers: range) -> None:
        for number in numbers:
            acknowledged[f"op-{number}"] = client.append(f"op-{number}", timeout_s=20)

    writers = [threading.Thread(target=write, args=(range(k, 200, 8),)) for k in range(8)]
    try:
        for writer in writers:
            writer.start()
        for enough in (60, 130):
            until(lambda enough=enough: len(acknowledged) >= enough, timeout_s=30)
            leader = PeerId(client.status()["leader"] or "")
            if leader not in {"", client.me}:
                members[leader].kill()
                members[leader] = Member(leader, addresses, tmp_path / leader)
        for writer in writers:
            writer.join(40)
        assert len(acknowledged) == 200
        # Power cut: all at once, no goodbye; what was acknowledged must come back from the disks.
        for member in members.values():
            member.kill()
        members = _start(addresses, tmp_path)
        logs = [member.delivered() for member in members.values()]
        assert logs[0] == logs[1] == logs[2]
        assert len(logs[0]) == len({name for _, name in logs[0]}) == 200
        assert {name: index for index, name in logs[0]} == acknowledged
    finally:
        for member in members.values():
            member.close()


def test_kills_while_snapshots_are_taken_and_sent_lose_nothing(tmp_path: Path) -> None:
    """Findings, p06: 17 of 30 kills during PySyncObj's own compaction lost entries."""
    addresses, every = free_addresses(3), 20
    members = _start(addresses, tmp_path, snapshot_every_entries=every)

    def restart(member: Member) -> Member:
        member.kill()
        members[member.me] = _member(member.me)
        return members[member.me]

    def _member(me: PeerId) -> Member:
        return Member(me, addresses, tmp_path / me, snapshot_every_entries=every)

    client, absent = _leader_and_followers(members)[1]
    acknowledged: dict[str, int] = {}

    def write(numbers: range) -> None:
        for number in numbers:
            name = f"op-{number}"
            acknowledged[name] = client.append(name, timeout_s=20, size_bytes=2_000)

    writers = [threading.Thread(target=write, args=(range(k, 400, 8),)) for k in range(8)]
    try:
        absent.kill()
        for writer in writers:
            writer.start()
        for enough in (70, 130, 190):
            until(lambda enough=enough: len(acknowledged) >= enough, timeout_s=30)
            other = next(me for me in members if me not in {client.me, absent.me})
            restart(members[other])
        members[absent.me] = _member(absent.me)
        for enough in (250, 290, 320, 350):
            until(lambda enough=enough: len(acknowledged) >= enough, timeout_s=30)
            restart(members[absent.me])
        for writer in writers:
            writer.join(40)
        assert len(acknowledged) == 400
        assert client.append("op-3") == acknowledged["op-3"], "it is remembered in the snapshot"
        # Power cut.
        for member in members.values():
            member.kill()
        members = _start(addresses, tmp_path, snapshot_every_entries=every)
        last = max(acknowledged.values())
        _until_all_delivered(members, last)
        logs = [member.delivered() for member in members.values()]
        assert logs[0] == logs[1] == logs[2]
        assert {name: index for index, name in logs[0]} == acknowledged
        assert len(logs[0]) == 400
        for member in members.values():
            assert member.restored()[-1] > last - 3 * every
    finally:
        for member in members.values():
            member.close()
