"""Saying what happens: a structured log on disk and a short memory for watchers."""
