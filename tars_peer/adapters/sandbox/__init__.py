"""Sandboxes of three strengths behind ``ports.sandbox``; ``probe`` picks the strongest that works.

No knowledge of the genome, of tests or of benchmarks may enter here: a sandbox runs a command.
"""
