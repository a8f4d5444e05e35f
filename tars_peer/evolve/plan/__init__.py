"""Ranks findings: gain × confidence ÷ risk, with what the ledger has learned of each improvement.

No source code is looked at here, and nothing that differs between peers may enter.
"""
