"""The comparison names everything that differs, and nothing else."""

from tars_peer.cli.verify import Report, differences, diverged, settled
from tars_peer.model.status import HeadStatus
from tests.fakes.desk import COMMITS, DIGEST, TREES, some_peer

HEAD = HeadStatus(generation=1, commit=COMMITS[1], tree=TREES[1])


def _report(number: int, *, head: HeadStatus = HEAD, **fields: object) -> Report:
    return Report(peer=some_peer(number, **fields), head=head)


def test_equal_peers_are_settled() -> None:
    reports = [_report(number) for number in (1, 2, 3)]
    assert settled(reports)
    assert differences(reports) == ()


def test_digests_of_different_moments_are_no_difference_but_the_moment_is() -> None:
    reports = [_report(1), _report(2, applied_index=42, ledger_digest="9" * 64)]
    assert not settled(reports)
    assert differences(reports) == ("applied index differs: p1 41, p2 42",)
    assert not diverged(differences(reports))


def test_another_ledger_at_the_same_index_is_what_no_waiting_heals() -> None:
    reports = [_report(2, ledger_digest="9" * 64), _report(1)]
    assert differences(reports) == (f"ledger digest differs: p1 {DIGEST}, p2 {'9' * 64}",)
    assert diverged(differences(reports))


def test_a_peer_that_runs_something_else_is_named() -> None:
    reports = [_report(1), _report(2, commit=COMMITS[0], tree=TREES[0])]
    assert differences(reports) == (
        f"p2 runs commit {COMMITS[0]}, its head is {COMMITS[1]}",
        f"p2 runs tree {TREES[0]}, its head's is {TREES[1]}",
    )
    assert differences([_report(1, commit="", tree="")])[0].startswith("p1 runs commit none")


def test_heads_that_differ_are_named() -> None:
    other = HeadStatus(generation=1, commit=COMMITS[2], tree=TREES[1])
    found = differences([_report(1), _report(2, head=other, commit=COMMITS[2])])
    assert found == (f"head commit differs: p1 {COMMITS[1]}, p2 {COMMITS[2]}",)
