"""Generated from proto/ by scripts/generate_wire.sh. Nothing written by hand may enter here.

Only adapters may import it.
"""
