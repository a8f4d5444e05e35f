"""What events add up to: who is idle, what is complete, what was said before."""

from tars_peer.cli.story import Story
from tests.fakes.desk import some_event


def _story(*events: tuple[str, str, int]) -> Story:
    story = Story(("p1", "p2"))
    for peer, kind, generation in events:
        story.hear(some_event(kind, peer=peer, generation=generation))
    return story


def test_peers_are_idle_once_they_say_so_on_the_head() -> None:
    story = _story(("p1", "idle", 1), ("p2", "idle", 1))
    assert story.idle() == {"p1", "p2"}
    story.hear(some_event("decision", generation=2))
    assert story.idle() == frozenset()
    story.hear(some_event("complete", generation=2))
    assert story.idle() == frozenset()
    story.hear(some_event("idle", peer="p2", generation=2))
    assert story.idle() == {"p2"}


def test_nobody_is_idle_while_the_head_is_rolled_out() -> None:
    story = _story(("p1", "decision", 1), ("p1", "idle", 1), ("p2", "idle", 1))
    assert story.idle() == frozenset()
    story.hear(some_event("complete", generation=1))
    assert story.idle() == {"p1", "p2"}


def test_who_goes_back_to_work_is_not_idle() -> None:
    assert _story(("p1", "idle", 1), ("p1", "change", 1)).idle() == frozenset()
    assert _story(("p1", "idle", 1), ("p1", "ballot", 1)).idle() == {"p1"}


def test_completions_are_kept_once_each() -> None:
    story = _story(("p1", "complete", 1), ("p2", "complete", 1), ("p1", "complete", 3))
    assert story.completed == [1, 3]


def test_a_refused_genome_is_remembered() -> None:
    assert _story(("p1", "plan", 0)).refused_genome is None
    refused = _story(("p2", "refused-genome", 0)).refused_genome
    assert refused is not None
    assert refused.peer == "p2"


def test_what_every_replica_tells_of_an_entry_is_news_once() -> None:
    story = Story(("p1", "p2"))
    assert story.is_news(some_event("decision", "g", index=5))
    assert not story.is_news(some_event("decision", "g", index=5, peer="p2"))
    assert story.is_news(some_event("decision", "g", index=6, peer="p2"))
    assert story.is_news(some_event("leader", "p1 leads", data={"term": 1}))
    assert not story.is_news(some_event("leader", "p1 leads", data={"term": 1}, peer="p2"))
    assert story.is_news(some_event("leader", "p1 leads", data={"term": 3}, peer="p2"))


def test_each_replicas_own_commit_is_always_news() -> None:
    story = Story(("p1", "p2"))
    for kind in ("commit", "switch", "fault"):
        index = 0 if kind == "fault" else 5
        assert story.is_news(some_event(kind, "c", index=index))
        assert story.is_news(some_event(kind, "c", index=index, peer="p2"))
