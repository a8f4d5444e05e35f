"""The command line: parse, ask a peer or a machine, print, exit.

No rules of its own may enter here, and no talk with a peer but through ``adapters.rpc.client``.
"""
