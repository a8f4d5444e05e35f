"""Enacting: make what is here equal to what the ledger says, one idempotent step at a time.

Everything is re-derived from the ledger and the disk at start, so a crash anywhere is just a
start. Nothing is decided here but what is put to the ledger as an entry.
"""
