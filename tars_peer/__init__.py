"""TARS: a self-evolving replica network.

A newcomer follows a change through the seven stages by the folder names: ``evolve`` (analyse,
plan, generate, validate), ``decide`` (ballots, certificate, one Raft entry) and ``enact``
(apply, deploy, observe, roll back). ``peer`` is where ports meet adapters.
"""
