"""The supervisor: small and stable, it owns a peer's identity and runs one generation at a time.

Start new, healthy in its deadline? keep it; else put the old one back. Nothing of evolution,
voting or the ledger may enter here: it must keep working when a generation does not.
"""
