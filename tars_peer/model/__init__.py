"""The frozen nouns of the house: what is found, planned, changed, voted on, decided and deployed.

No behaviour beyond what follows from a noun's own fields may enter here: no I/O, no clock, no
chance, no knowledge of who uses it.
"""
