"""Generated messages and stubs; nothing written by hand may enter here."""
