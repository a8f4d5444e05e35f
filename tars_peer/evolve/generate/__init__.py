"""Makes a change of a plan item: the noun that is judged, signed and replayed.

No search for improvements and no git may enter here; trees are written by the caller's function.
"""
