"""The engine: look at a genome, find what to improve, rank it, write the change, prove it.

``facts`` is what is known of source code, ``rewrite`` writes edits, ``improvements`` are the kinds
of rewrite (one file each), ``analyse`` finds, ``plan`` ranks, ``generate`` writes the change and
``validate`` proves it. No consensus, no network and no git may enter here; what the engine needs
of the outside it gets through ports or as plain arguments.
"""
