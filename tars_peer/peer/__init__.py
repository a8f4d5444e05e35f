"""The peer: the one place where ports meet adapters, and the loop over the seven stages.

``compose`` builds a peer from a home folder, ``run`` keeps it alive, ``evolving`` turns the wheel,
``desk`` answers the faces. No rules of a stage may enter here.
"""

from tars_peer.peer.run import run_peer

__all__ = ["run_peer"]
