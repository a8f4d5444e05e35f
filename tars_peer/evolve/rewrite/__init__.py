"""Writes edits: LibCST on one function at a time, and small splices for module-level lines.

No judgement may enter here: whether a rewrite is right is for the improvement's guards to say.
"""
