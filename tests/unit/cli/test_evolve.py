"""``tars evolve``: the stages by hand, the history and the way back."""

import uuid

from tars_peer.errors import RefusedError, UnreachableError, UsageError
from tars_peer.model.ballot import Verdict
from tars_peer.model.status import AnalysisView
from tests.fakes.desk import COMMITS, DIFF, TREES, some_cluster, some_peer, some_row


def test_history_json_is_the_contract(tars) -> None:
    answer = tars("evolve", "history", "--json")
    assert (answer.code, answer.err) == (0, "")
    genesis, first = answer.json
    assert first == {
        "generation": 1,
        "commit": COMMITS[1],
        "tree": TREES[1],
        "parent_commit": COMMITS[0],
        "kind": "change",
        "improvement": "hoist-regex",
        "files": ["parcels/report.py"],
        "measured_ratio": 1.25,
        "ballots": ["p1", "p2"],
        "raft_index": 41,
        "state": "live",
        "summary": "compile the pattern once",
    }
    assert genesis["measured_ratio"] is None


def test_history_for_people_has_the_total(cluster, tars) -> None:
    cluster.desks[0].rows = (some_row(0), some_row(1), some_row(2, measured_ratio=2.0))
    answer = tars("evolve", "history")
    assert "hoist-regex" in answer.out
    assert "2.500 times as fast" in answer.err


def test_analysis_and_plan(tars) -> None:
    everything = tars("evolve", "analyze")
    assert everything.code == 0
    assert "2 findings" in everything.out
    assert "left alone: broken.py: line 3: invalid syntax" in everything.out
    assert "parcels/report.py:17" in everything.out
    plan = tars("evolve", "plan", "--json").json
    assert [finding["rank"] for finding in plan["findings"]] == [1]
    assert [f["rank"] for f in tars("evolve", "analyze", "--json").json["findings"]] == [1, 0]


def test_an_empty_plan_says_so(cluster, tars) -> None:
    cluster.desks[0].found = AnalysisView(generation=4, findings=(), skipped=())
    answer = tars("evolve", "plan")
    assert (answer.code, answer.out) == (0, "generation 4: nothing left to gain\n")


def test_generate_prints_the_diff_alone_on_stdout(tars) -> None:
    answer = tars("evolve", "generate", "1")
    assert (answer.code, answer.out) == (0, DIFF)
    assert "compile the pattern once" in answer.err
    assert tars("evolve", "generate", "--json").json["diff"] == DIFF


def test_code_under_study_does_not_steer_the_terminal(cluster, tars) -> None:
    cluster.desks[0].diff_text = '+x = "\x1b]0;pwned\x07"\n'
    assert "\x1b" not in tars("evolve", "generate").out


def test_validate_is_1_unless_it_approves(cluster, tars) -> None:
    good = tars("evolve", "validate", "1")
    assert good.code == 0
    assert "old/new 1.250x (1.200x to 1.300x), 12 pairs of benchmark" in good.out
    cluster.desks[0].verdict = Verdict.REFUSE
    bad = tars("evolve", "validate", "1")
    assert bad.code == 1
    assert "5-tests: test_day fails" in bad.out
    assert tars("evolve", "validate", "--json").json["verdict"] == "refuse"


def test_deploy_says_the_generation_and_is_asked_once(cluster, tars) -> None:
    answer = tars("evolve", "deploy", "1", "--json")
    assert (answer.code, answer.json) == (0, {"generation": 2, "live": False})
    cluster.desks[0].faults["deploy"] = UnreachableError("lost in the middle")
    assert tars("evolve", "deploy", "1").code == 3
    assert [call for desk in cluster.desks[1:] for call in desk.asked if call[0] == "deploy"] == []
    cluster.desks[0].faults["deploy"] = RefusedError("p2: tests fail", hint="see the gates")
    refused = tars("evolve", "deploy", "1")
    assert (refused.code, refused.err) == (1, "error: p2: tests fail\nhint: see the gates\n")


def test_show_tells_one_generation_with_its_diff(cluster, tars) -> None:
    answer = tars("evolve", "show", "1")
    assert answer.code == 0
    assert answer.out.endswith(DIFF)
    assert "old/new cost  1.250x" in answer.out
    assert ("diff", 0, 1) in cluster.desks[0].asked
    as_json = tars("evolve", "show", "1", "--json").json
    assert (as_json["generation"], as_json["diff"]) == (1, DIFF)
    assert tars("evolve", "show", "0", "--json").json["diff"] == ""
    missing = tars("evolve", "show", "9")
    assert missing.code == 2
    assert "there is no generation 9" in missing.err


def test_diff_of_two(tars) -> None:
    assert tars("evolve", "diff", "0", "1").out == DIFF
    assert tars("evolve", "diff", "0", "1", "--json").json == {"older": 0, "newer": 1, "diff": DIFF}


def test_rollback_is_decided_once_though_the_first_peer_falls_silent(cluster, tars) -> None:
    cluster.desks[0].faults["rollback"] = UnreachableError("went away")
    answer = tars("evolve", "rollback", "--to", "0", "--reason", "slower", "--json")
    assert (answer.code, answer.json) == (0, {"generation": 2, "live": False})
    (first,) = (call for call in cluster.desks[0].asked if call[0] == "rollback")
    (second,) = (call for call in cluster.desks[1].asked if call[0] == "rollback")
    assert first == second
    assert first[1:3] == (0, "slower")
    assert uuid.UUID(str(first[3]))


def test_rollback_to_what_is_not_there_is_wrong_use(cluster, tars) -> None:
    for desk in cluster.desks:
        desk.faults["rollback"] = UsageError("there is no generation 9", hint="0 to 1 are there")
    answer = tars("evolve", "rollback", "--to", "9")
    assert (answer.code, answer.err) == (
        2,
        "error: there is no generation 9\nhint: 0 to 1 are there\n",
    )


def test_rollback_waits_until_it_is_live(cluster, tars) -> None:
    desk = cluster.desks[0]
    back = some_row(2, kind="rollback", state="rolling", commit=COMMITS[2])
    desk.rows = (*desk.rows, back)
    on_its_way = iter([0, 1])

    def status():
        if next(on_its_way, None) is None:
            peers = tuple(some_peer(number, commit=COMMITS[2]) for number in (1, 2, 3))
            desk.rows = (*desk.rows[:2], some_row(2, kind="rollback", commit=COMMITS[2]))
            return some_cluster(peers=peers)
        return some_cluster()

    desk.cluster_status = status
    answer = tars("evolve", "rollback", "--wait", "--json")
    assert (answer.code, answer.json) == (0, {"generation": 2, "live": True})


def test_waiting_ends_with_3_when_it_takes_too_long(tars) -> None:
    answer = tars("evolve", "rollback", "--wait", "--timeout", "1")
    assert answer.code == 3
    assert "not live on all peers after 1 s" in answer.err


def test_waiting_ends_with_1_when_it_is_taken_back(cluster, tars) -> None:
    cluster.desks[0].rows = (*cluster.desks[0].rows, some_row(2, state="rolled_back"))
    answer = tars("evolve", "deploy", "--wait")
    assert (answer.code, "generation 2 was taken back" in answer.err) == (1, True)


def test_pause_resume_clear_run(cluster, tars) -> None:
    assert tars("evolve", "pause", "--reason", "lunch").code == 0
    assert tars("evolve", "resume").code == 0
    assert tars("evolve", "clear", "3").code == 0
    assert tars("evolve", "run", "--json").json == {"text": "looking at generation 1"}
    done = [call for call in cluster.desks[0].asked if call[0] in {"pause", "clear", "run_once"}]
    assert [call[:3] for call in done[:2]] == [
        ("pause", True, "lunch"),
        ("pause", False, "by hand"),
    ]
    assert done[2][:2] == ("clear", 3)


def test_sync_asks_every_peer_and_names_who_is_silent(cluster, tars) -> None:
    assert tars("evolve", "sync").out.splitlines() == [
        f"p{number}: nothing was missing" for number in (1, 2, 3)
    ]
    cluster.lose(2)
    answer = tars("evolve", "sync", "--json")
    assert answer.code == 3
    assert [row["done"] for row in answer.json] == [True, False, True]


def test_with_nobody_there_every_command_is_3_and_says_how_to_go_on(nobody, tars) -> None:
    for words in (
        ("analyze",),
        ("plan",),
        ("generate",),
        ("validate",),
        ("deploy",),
        ("run",),
        ("history",),
        ("show", "1"),
        ("diff", "0", "1"),
        ("rollback",),
        ("pause",),
        ("resume",),
        ("clear", "1"),
        ("sync",),
    ):
        answer = tars("evolve", *words, "--endpoint", nobody)
        assert (answer.code, answer.out) == (3, ""), words
        assert answer.err.startswith("error: "), words
