"""What the inside needs of the outside, as Protocols; one module a port, one fake a port.

No implementation may enter here.
"""
