"""The replicated log, made of PySyncObj and of outside fixes for its known weak places.

``node.RaftLog`` is what the composition root constructs. No rule of the ledger, no certificate and
no meaning of a payload may be here: to this package a payload is bytes. Nothing outside it may
import PySyncObj.
"""
