"""The outside world, one room a port: git, Raft, gRPC, sandboxes, runtimes, stores.

Adapters ignore each other and hold no rules of their own; what they are given to hold they get
through a port.
"""
