"""What "live" means: an active artifact, a service, or the peer itself.

Which tree ought to run is decided elsewhere; only the swap and its undoing may enter here.
"""
