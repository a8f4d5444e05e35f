"""The gRPC face of a peer and the client of it: ``serve``, ``PeerClient``, ``RpcVoters``.

Messages of the wire are turned into nouns here and go no further. Nothing may be decided here,
and no transport of Raft may enter.
"""
