"""Certificates: an authority, what it issues, and where they lie on disk.

A certificate says who somebody is; what that one may do is not known here (``rpc/roles.py``), and
no connection may be opened here.
"""
