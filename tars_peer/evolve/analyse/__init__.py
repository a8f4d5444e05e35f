"""Looks at a tree and says what is worth improving there, with ready edits.

No ranking, no profiling and no I/O may enter here: files and hotspots come in as values.
"""
