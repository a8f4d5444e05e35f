"""What a peer tells the people who watch it. Events inform; nothing may be decided from them."""

from __future__ import annotations

from tars_peer.model.noun import Noun


class Event(Noun, frozen=True, kw_only=True):
    """Something that happened on ``peer``, as the live display, the log and watchers see it.

    ``kind`` is one of the words in docs/events.md; ``data`` is JSON of that kind.
    """

    time_ms: int
    peer: str
    kind: str
    generation: int
    index: int
    change_id: str
    text: str
    data: dict[str, object]
