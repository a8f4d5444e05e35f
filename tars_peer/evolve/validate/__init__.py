"""Stage 4: take a change up the ladder of gates, here, on our own copy of the base.

Used for our own changes and (handed to ``decide``) for those of others; what a check checks is
the gates' business.
"""
