"""Time. Nothing but clocks may enter here."""
