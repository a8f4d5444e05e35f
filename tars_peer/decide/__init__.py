"""Deciding: our own ballot on a change, the ballots of others, and one entry of the log.

How a change is proved is handed in (``examine``); how a decision is carried out is not known here.
"""
