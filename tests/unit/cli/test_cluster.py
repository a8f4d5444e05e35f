"""``tars cluster``: exit codes, the contract's JSON, and what a person reads."""

from tars_peer.errors import NoQuorumError
from tests.fakes.desk import COMMITS, TREES, some_cluster, some_peer


def test_status_json_is_the_contract(cluster, tars) -> None:
    answer = tars("cluster", "status", "--json")
    assert answer.code == 0
    assert answer.err == ""
    status = answer.json
    assert set(status) == {
        "cluster_id",
        "leader",
        "term",
        "healthy",
        "head",
        "rollout",
        "paused",
        "reason",
        "peers",
    }
    assert status["head"] == {"generation": 1, "commit": COMMITS[1], "tree": TREES[1]}
    assert status["rollout"] == {"generation": 1, "stage": "complete", "reason": ""}
    assert status["peers"][0] == {
        "id": "p1",
        "address": cluster.desks[0].peer.address,
        "state": "leader",
        "generation": 1,
        "commit": COMMITS[1],
        "tree": TREES[1],
        "applied_index": 41,
        "ledger_digest": "d" * 64,
        "health": "healthy",
        "sandbox": "bubblewrap",
        "service_url": "",
        "reason": "",
    }


def test_status_without_rollout_says_null(cluster, tars) -> None:
    for desk in cluster.desks:
        desk.cluster = some_cluster(rollout=None, peers=desk.cluster.peers)
    assert tars("cluster", "status", "--json").json["rollout"] is None


def test_one_peer_is_enough(cluster, tars) -> None:
    endpoint = cluster.desks[2].peer.address
    answer = tars("cluster", "status", "--endpoint", endpoint, "--json")
    assert (answer.code, answer.json["leader"]) == (0, "p1")
    cluster.lose(1, 2)
    assert tars("cluster", "status").code == 0


def test_status_for_people_names_peers_and_reasons(cluster, tars) -> None:
    cluster.desks[0].cluster = some_cluster(
        healthy=False,
        reason="p3 is unreachable",
        paused=True,
        peers=(*cluster.desks[0].cluster.peers[:2], some_peer(3, state="unreachable")),
    )
    answer = tars("cluster", "status")
    assert answer.code == 0
    for words in ("not healthy", "p3 is unreachable", "tars evolve resume", "bubblewrap"):
        assert words in answer.out


def test_status_without_quorum_is_3_and_still_tells(cluster, tars) -> None:
    lonely = some_cluster(
        leader=None,
        healthy=False,
        reason="no quorum: nothing can be decided",
        peers=(
            some_peer(1, state="no-quorum"),
            some_peer(2, state="unreachable"),
            some_peer(3, state="unreachable"),
        ),
    )
    cluster.desks[0].cluster = lonely
    cluster.lose(2, 3)
    answer = tars("cluster", "status", "--json")
    assert answer.code == 3
    assert answer.json["head"]["commit"] == COMMITS[1]
    assert "no quorum: nothing can be decided" in answer.err


def test_a_leader_that_lost_its_majority_is_no_quorum(cluster, tars) -> None:
    cluster.desks[0].cluster = some_cluster(
        healthy=False,
        peers=(
            some_peer(1),
            some_peer(2, state="unreachable"),
            some_peer(3, state="unreachable"),
        ),
    )
    assert tars("cluster", "status").code == 3


def test_status_with_no_peer_at_all_is_3_and_says_what_is_known(cluster, tars) -> None:
    cluster.lose(1, 2, 3)
    cluster.machine.words["p2"] = "the peer ended with code 2: bad key"
    answer = tars("cluster", "status", "--json")
    assert answer.code == 3
    assert answer.json["cluster_id"] == "tars-test"
    assert answer.json["leader"] is None
    assert not answer.json["healthy"]
    assert [peer["state"] for peer in answer.json["peers"]] == ["unreachable"] * 3
    assert answer.json["peers"][1]["reason"] == "the peer ended with code 2: bad key"
    assert "no peer of .tars answers" in tars("cluster", "status").out


def test_who_is_cut_off_is_asked_last(cluster, tars) -> None:
    cluster.desks[0].peer = some_peer(1, state="no-quorum")
    cluster.desks[0].cluster = some_cluster(leader=None, healthy=False)
    assert tars("cluster", "status").code == 0


def test_peers_is_a_table_and_json(cluster, tars) -> None:
    answer = tars("cluster", "peers")
    assert answer.code == 0
    assert answer.out.split("\n")[0].split()[:2] == ["ENDPOINT", "ID"]
    assert [peer["id"] for peer in tars("cluster", "peers", "--json").json] == ["p1", "p2", "p3"]
    cluster.lose(1, 2, 3)
    lost = tars("cluster", "peers")
    assert (lost.code, lost.out) == (3, "")
    assert lost.err.startswith("error: no peer of .tars answers\nhint: start them with")


def test_verify_equal_peers(cluster, tars) -> None:
    answer = tars("cluster", "verify", "--json")
    assert answer.code == 0
    assert answer.json["equal"]
    assert answer.json["differences"] == answer.json["unreachable"] == []
    by_endpoint = tars("cluster", "verify", "--endpoint", cluster.desks[1].peer.address)
    assert by_endpoint.code == 0
    assert "equal on 3 peers" in by_endpoint.out


def test_verify_names_the_difference(cluster, tars) -> None:
    address = cluster.desks[1].peer.address
    cluster.desks[1].peer = some_peer(2, address=address, ledger_digest="9" * 64)
    answer = tars("cluster", "verify", "--json")
    assert answer.code == 1
    assert not answer.json["equal"]
    assert answer.json["differences"] == [
        f"ledger digest differs: p1 {'d' * 64}, p2 {'9' * 64}, p3 {'d' * 64}"
    ]
    assert f"p2 {'9' * 64}" in tars("cluster", "verify").err


def test_verify_waits_for_replicas_that_move(cluster, tars) -> None:
    desk = cluster.desks[2]
    behind, there = some_peer(3, address=desk.peer.address, applied_index=40), desk.peer
    answers = iter([behind, behind])
    desk.peer_status = lambda: next(answers, there)
    assert tars("cluster", "verify").code == 0


def test_verify_names_who_is_unreachable(cluster, tars) -> None:
    cluster.lose(3)
    answer = tars("cluster", "verify", "--json")
    assert answer.code == 3
    assert len(answer.json["unreachable"]) == 1
    assert answer.json["unreachable"][0].startswith("p3: ")
    assert not answer.json["equal"]


def test_kill_and_down_are_the_machines(cluster, tars) -> None:
    assert tars("cluster", "kill", "p2").code == 0
    assert tars("cluster", "kill", "p3", "--no-restart").code == 0
    wrong = tars("cluster", "kill", "p9")
    assert (wrong.code, "one of: p1, p2, p3" in wrong.err) == (2, True)
    down = tars("cluster", "down")
    assert (down.code, down.out.splitlines()[0]) == (0, "p1 is stopped")
    assert "no peer of .tars was running" in tars("cluster", "down").err
    assert cluster.machine.asked[:2] == [("kill", "p2", True), ("kill", "p3", False)]


def test_wrong_use_is_2_and_says_what_is_right(tars) -> None:
    for words in (
        ("cluster", "status", "--home", "elsewhere"),
        ("cluster", "status", "--endpoint", "nonsense"),
        ("cluster", "up", "--peers", "0"),
        ("cluster", "nonsense"),
        ("evolve", "generate", "0"),
        ("evolve", "diff", "1"),
        ("cluster", "status", "--nonsense"),
    ):
        answer = tars(*words)
        assert answer.code == 2, words
        assert answer.out == "", words
        assert "Traceback" not in answer.err, words
    assert "hint: start one with" in tars("cluster", "status", "--home", "elsewhere").err


def test_a_refusal_of_the_peer_is_printed_with_its_hint(cluster, tars) -> None:
    for desk in cluster.desks:
        desk.faults["cluster_status"] = NoQuorumError("no majority", hint="start p2 and p3")
    answer = tars("cluster", "peers")
    assert answer.code == 3
    assert answer.err == "error: no majority\nhint: start p2 and p3\n"


def test_a_peer_runs_and_is_supervised_by_the_machine(cluster, tars) -> None:
    cluster.machine.exit_code = 75
    assert tars("peer", "run", "--peer", "p1", "--home", ".tars").code == 75
    assert tars("peer", "supervise", "--peer", "p1").code == 75
    assert [call[0] for call in cluster.machine.asked] == ["run_peer", "supervise"]
    assert tars("peer", "run").code == 2
