"""The gates: what a change must pass, one check a file, numbered in the order they are climbed.

The proposer (``evolve.validate``) and every voter (``decide.judge``) climb the same ladder, so
that a ballot means the same thing on every peer. No gate may decide for the cluster, talk to a
peer, or run a command by itself: what runs, runs through the ``Meter`` port. Nothing above
``ports`` may be imported here, and evolution may not edit this package (see ``constitution``).
"""
