"""Version 1 of the wire; nothing written by hand may enter here."""
