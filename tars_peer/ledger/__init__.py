"""The ledger: a pure state machine over the entries of the replicated log.

``step(state, index, payload) -> (state, effects)`` is total: any bytes give a state, never an
exception. No I/O, no clock, no chance, no floats and no iteration over sets may enter here: time,
ids and chance arrive inside the entry.
"""
